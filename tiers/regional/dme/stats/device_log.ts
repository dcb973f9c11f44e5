import { Device } from "../../../../shared/schema/mod.ts";
import { isPlatformApp } from "../api/platform_app.ts";

/** Type of the messages in which devices are told of. */
export const DEVICE_MESSAGE = "Device";

/** Devices whose kind of name contains this are the platform's own. */
const PLATFORM_TYPE = "platos";

/** Most devices that are remembered as told; beyond them all are forgotten, and told of again. */
const MAX_TOLD = 100_000;

/** Tells the controller once of each of the platform's own devices that registers (DME specification 6.3). */
export class DeviceLog {
  readonly #send: (device: Device) => boolean;
  readonly #now: () => number;
  readonly #told = new Set<string>();

  /** @param send false when it is not possible now; then the device's next registration is tried */
  constructor(send: (device: Device) => boolean, now: () => number) {
    this.#send = send;
    this.#now = now;
  }

  registered(session: { organization: string; appName: string; uniqueIdType: string; uniqueId: string }): void {
    const { organization, appName, uniqueIdType, uniqueId } = session;
    if (!uniqueIdType.toLowerCase().includes(PLATFORM_TYPE) || isPlatformApp(organization, appName)) return;
    const key = `${uniqueIdType}\n${uniqueId}`;
    if (this.#told.has(key)) return;
    const nowMs = this.#now();
    const seconds = Math.floor(nowMs / 1000);
    const seen = { seconds, nanos: Math.floor(nowMs - seconds * 1000) * 1_000_000 };
    if (!this.#send(Device.create({ key: { uniqueIdType, uniqueId }, firstSeen: seen, lastSeen: seen }))) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(key);
  }

  /** The controller was lost, and with it perhaps what it had just been told. */
  forget(): void {
    this.#told.clear();
  }
}
