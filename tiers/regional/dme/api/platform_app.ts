/** The agent of an operating system that resolves on behalf of other apps, in any version (DME specification 3.5). */
const ORGANIZATION = "platos";
const NAME = "PlatosEnablingLayer";

/** Whether an app is the platform app. */
export function isPlatformApp(organization: string, name: string): boolean {
  return organization === ORGANIZATION && name === NAME;
}
