import { getPath, type GPUDriverBuildMember, GPUDriverKind } from "../../../../shared/schema/mod.ts";
import { authorizeShow, type Visibility } from "./authorize.ts";
import type { HookCall } from "./hooks.ts";
import { forbidden } from "../http/api_error.ts";

/** Operators see their own drivers; {@linkcode publicDriver} adds those that nobody owns (mc spec 4.5). */
export function driverVisibility(call: HookCall, request: object): Visibility {
  const named = String(getPath(request, "key.organization") ?? "") !== "";
  if (named || !mayUsePublic(call)) return authorizeShow(call.session, call.target, request);
  return { organizations: call.session.grants.organizations("cloudlets", "view") };
}

/** A driver that no organization owns is for every operator. */
export function publicDriver(call: HookCall, object: object): object | undefined {
  const isPublic = GPUDriverKind.owner(object as Parameters<typeof GPUDriverKind.owner>[0]) === "";
  return isPublic && mayUsePublic(call) ? object : undefined;
}

/** Files are for the owner of a driver, and those of a public one for every operator. */
// deno-lint-ignore require-await -- async as hooks are
export async function authorizeBuildUrl(call: HookCall, request: object): Promise<void> {
  const { organization } = (request as GPUDriverBuildMember).key;
  if (organization === "" && mayUsePublic(call)) return;
  if (!call.session.grants.allows(organization, "cloudlets", "view")) throw forbidden();
}

function mayUsePublic({ session }: HookCall): boolean {
  return session.grants.isAdmin || session.grants.belongsTo("operator");
}
