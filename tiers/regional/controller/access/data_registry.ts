import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { AppInstKind, AppKind, CloudletKind } from "../../../../shared/schema/mod.ts";
import { registrySecretPath } from "../sources/mod.ts";
import type { DataCall, DataHandler } from "./data.ts";
import { readText } from "./data_input.ts";

/** Log-in at an image registry; only for registries from which apps of the caller's cloudlet come (specification 7.3). */
export const registryData: Readonly<Record<string, DataHandler>> = {
  async "get-registry-auth"(call) {
    const host = hostOf(readText(call.data));
    if (!hostsOf(call).has(host)) {
      throw new RpcError(Status.PERMISSION_DENIED, `registry ${host}: no app of this cloudlet has its image there`);
    }
    const found = await call.context.secrets.get(registrySecretPath(host));
    const { username = "", password = "", token = "", apikey = "" } = (found?.data ?? {}) as Record<string, string>;
    const [hostname, port = ""] = host.split(":");
    const type = token !== "" ? "token" : apikey !== "" ? "apikey" : username !== "" ? "basic" : "no-auth";
    return { auth_type: type, username, password, hostname, port: Number(port) || 0, token: token || apikey };
  },
};

/** Host and port of an image, as of `https://registry.example:5000/acme/game:1.0`. */
function hostOf(image: string): string {
  const host = image.replace(/^[a-z]+:\/\//i, "").split("/")[0]!.toLowerCase();
  if (/^[a-z0-9][a-z0-9.-]*(:\d{1,5})?$/.test(host)) return host;
  throw new RpcError(
    Status.INVALID_ARGUMENT,
    `data: must be an image or a registry's host, got ${JSON.stringify(host)}`,
  );
}

function hostsOf({ context, cloudlet }: DataCall): Set<string> {
  const { cache } = context.region;
  const own = CloudletKind.keyString(cloudlet.key);
  const hosts = new Set<string>();
  for (const { key } of cache.table(AppInstKind).values()) {
    if (CloudletKind.keyString(key.clusterInstKey.cloudletKey) !== own) continue;
    const image = cache.get(AppKind, AppKind.keyString(key.appKey))?.imagePath ?? "";
    if (image !== "") hosts.add(image.replace(/^[a-z]+:\/\//i, "").split("/")[0]!.toLowerCase());
  }
  return hosts;
}
