import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { cloudletSecretPath } from "../api/cloudlet/secrets.ts";
import type { DataCall, DataHandler } from "./data.ts";
import { readText } from "./data_input.ts";

/** Credentials that were stored for the caller's cloudlet. */
export const secretData: Readonly<Record<string, DataHandler>> = {
  "get-cloudlet-access-vars": (call) => ownSecret(call, "access", "access variables"),
  async "get-kafka-creds"(call) {
    const kafka = await ownSecret(call, "kafka", "Kafka credentials") as { user: string; password: string };
    return { endpoint: call.cloudlet.kafkaCluster, username: kafka.user, password: kafka.password };
  },
  async "get-federation-apikey"({ context, cloudlet, data }) {
    const name = readText(data);
    const own = cloudlet.federationConfig?.federationName ?? "";
    if (name === "" || name !== own) {
      throw new RpcError(Status.PERMISSION_DENIED, `federation ${JSON.stringify(name)}: is not this cloudlet's`);
    }
    const found = await context.secrets.get(`federation/${name}`);
    return found?.data ?? missing("federation key");
  },
};

async function ownSecret({ context, cloudlet }: DataCall, secret: "access" | "kafka", noun: string): Promise<unknown> {
  const found = await context.secrets.get(cloudletSecretPath(context.zone.region, cloudlet.key, secret));
  return found?.data ?? missing(noun);
}

function missing(noun: string): never {
  throw new RpcError(
    Status.NOT_FOUND,
    `No ${noun} are stored for this cloudlet; its operator can set them by an update`,
  );
}
