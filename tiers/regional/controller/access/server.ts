import { type CallRecord, createServer, logCalls, type RpcServer, type ServerTls } from "../../../../shared/rpc/mod.ts";
import { CloudletAccessApi, CloudletAccessKeyApi } from "../../../../shared/schema/mod.ts";
import { authenticateCloudlet } from "./authenticate.ts";
import { certificateApi } from "./certificates.ts";
import { createChallenges } from "./challenges.ts";
import type { AccessContext } from "./context.ts";
import { accessDataApi } from "./data.ts";
import { keyUpgradeApi } from "./key_upgrade.ts";

/** The access API's server. Anybody reaches its port; who they are, their signature says (specification 7). */
export function accessServer(
  context: AccessContext,
  options: { tls?: ServerTls; onCall?(call: CallRecord): void; onError?(error: unknown): void } = {},
): RpcServer {
  const { region, clock, random, log, legacySignatures } = context;
  const challenges = createChallenges(clock, random);
  const server = createServer({
    tls: options.tls,
    interceptors: [
      logCalls((call) => options.onCall?.(call)),
      authenticateCloudlet({ cache: region.cache, challenges, clock, log, legacySignatures }),
    ],
    onError: (error) => options.onError?.(error),
  });
  server.addService(CloudletAccessApi, { ...certificateApi(context, challenges), ...accessDataApi(context) });
  server.addService(CloudletAccessKeyApi, keyUpgradeApi(region));
  return server;
}
