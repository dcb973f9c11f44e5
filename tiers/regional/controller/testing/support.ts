import assert from "node:assert/strict";
import { RpcError, type Status } from "../../../../shared/rpc/mod.ts";
import { Cloudlet, CloudletInfo, type dme } from "../../../../shared/schema/mod.ts";
import type { Store } from "../../../../shared/store/mod.ts";
import { all, type World } from "./world.ts";

/** One rule of the controller, on an empty store of any driver. */
export interface ApiCase {
  name: string;
  run(store: Store): Promise<void>;
}

/** The only cloudlet. */
export async function one(world: World): Promise<Cloudlet> {
  const [found] = await all(world.api.cloudlets.showCloudlet(Cloudlet.create()));
  assert.ok(found);
  return found;
}

/** What the only site says of itself. */
export async function siteState(world: World): Promise<dme.CloudletState> {
  return (await all(world.api.cloudletInfos.showCloudletInfo(CloudletInfo.create())))[0]!.state;
}

/** Rows of the store that are neither its version, nor a sign of life, nor there from the start. */
export async function leftovers(store: Store): Promise<string[]> {
  const { entries } = await store.scan("/v1/");
  return entries.map(({ key }) => key).filter((key) =>
    !/^\/v1\/(Version|Controller|Progress\/|Settings\/|FlowRateLimitSettings\/)/.test(key)
  );
}

/** Expects a call to be refused. */
export async function refused(call: Promise<unknown>, code: Status, message: RegExp): Promise<RpcError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return error;
  }
  assert.fail(`Expected a refusal like ${message}`);
}
