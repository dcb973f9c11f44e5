import { ADMIN_PASSWORD, type Answer, type World } from "../../tiers/global/master-controller/testing/world.ts";
import type { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";

/** An app as its developer creates it. */
export const APP = { key: { organization: "acme", name: "game", version: "1.0" }, default_flavor: { name: "small" } };
/** A cloudlet as its operator creates it. */
export const CLOUDLET = {
  key: { organization: "oper", name: "berlin" },
  location: { latitude: 52.5, longitude: 13.4 },
  num_dynamic_ips: 5,
  platform_type: "Process",
  env_var: { PUBLIC_PORT_RANGE: "21000-21099" },
};

/** A world with a region, an administrator, a developer of `acme`, an operator of `oper`, and somebody without roles. */
export interface RegionalWorld extends World {
  readonly region: RegionDouble;
  readonly admin: string;
  readonly dev: string;
  readonly oper: string;
  readonly eve: string;
  /** Calls `ctrl/<rpc>` in the region. */
  ctrl(rpc: string, token: string, content?: object): Promise<Answer>;
}

/** Makes the people, organizations and the region. */
export async function populate(world: World, region: RegionDouble): Promise<RegionalWorld> {
  const admin = await world.login("mexadmin", ADMIN_PASSWORD);
  await world.call("auth/controller/create", { Region: "local", Address: region.address }, admin);
  const [dev, oper, eve] = [await world.user("dev"), await world.user("oper-user"), await world.user("eve")];
  await world.call("auth/org/create", { Name: "acme", Type: "developer" }, dev);
  await world.call("auth/org/create", { Name: "oper", Type: "operator" }, oper);
  await world.call("auth/restricted/org/update", { Name: "oper", EdgeboxOnly: false }, admin);
  const ctrl: RegionalWorld["ctrl"] = (rpc, token, content = {}) =>
    world.call(`auth/ctrl/${rpc}`, { region: "local", ...content }, token);
  return { ...world, region, admin, dev, oper, eve, ctrl };
}
