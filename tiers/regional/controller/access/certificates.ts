import { type Handlers, RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  Challenge,
  type CloudletAccessApi,
  CloudletKind,
  GetCasReply,
  IssueCertReply,
} from "../../../../shared/schema/mod.ts";
import { accessCaller } from "./authenticate.ts";
import type { Challenges } from "./challenges.ts";
import type { AccessContext } from "./context.ts";
import { requireSiteEngines } from "./data_cookie_keys.ts";

/** Services that run at a cloudlet. */
const CLOUDLET_SERVICES = ["crm", "shepherd", "dme"];

/** The handlers of challenges and certificates. */
export function certificateApi(
  { issuer, zone, siteEngines, log }: AccessContext,
  challenges: Challenges,
): Pick<Handlers<typeof CloudletAccessApi>, "getChallenge" | "issueCert" | "getCas"> {
  return {
    getChallenge: () => Challenge.create({ challenge: challenges.issue() }),
    async issueCert({ commonName }, call) {
      const { cloudletKey } = accessCaller(call);
      const service = commonName.split(".")[0]!;
      if (!CLOUDLET_SERVICES.includes(service)) {
        throw new RpcError(
          Status.INVALID_ARGUMENT,
          `common_name ${JSON.stringify(commonName.slice(0, 64))}: must begin with ${CLOUDLET_SERVICES.join(", ")}`,
        );
      }
      if (service === "dme") requireSiteEngines({ siteEngines });
      const { organization, name } = CloudletKind.parseKey(cloudletKey);
      const identity = { tier: "cloudlet", region: zone.region, cloudlet: { organization, name }, service } as const;
      const { certPem, keyPem, serial } = await issuer.issue({ identity });
      log.info("Certificate issued", { cloudlet: cloudletKey, serviceName: service, serial });
      return IssueCertReply.create({ publicCert: certPem, privateKey: keyPem });
    },
    getCas({ issuer: name }) {
      if (name === "") return GetCasReply.create({ caChain: issuer.rootPem });
      const chain = issuer.chainOf(name);
      if (chain !== undefined) return GetCasReply.create({ caChain: chain + issuer.rootPem });
      throw new RpcError(
        Status.INVALID_ARGUMENT,
        `issuer ${JSON.stringify(name.slice(0, 64))}: must be cloudlet or public`,
      );
    },
  };
}
