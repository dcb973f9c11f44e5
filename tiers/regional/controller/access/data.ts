import { type Handlers, RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  AccessDataReply,
  type Cloudlet,
  type CloudletAccessApi,
  CloudletKind,
  PlatformType,
} from "../../../../shared/schema/mod.ts";
import { notFound } from "../faults.ts";
import { accessCaller } from "./authenticate.ts";
import type { AccessContext } from "./context.ts";
import { cookieKeyData } from "./data_cookie_keys.ts";
import { dnsData } from "./data_dns.ts";
import { registryData } from "./data_registry.ts";
import { secretData } from "./data_secrets.ts";
import { sshData } from "./data_ssh.ts";
import { publicCertificateData } from "./data_certificate.ts";

/** One question of a cloudlet, with what is known of who asks. */
export interface DataCall {
  readonly context: AccessContext;
  readonly cloudlet: Cloudlet;
  /** What came along, as bytes. */
  readonly data: Uint8Array;
}

/** Answers one type of question: text as it is, anything else as JSON, nothing as no bytes. */
export type DataHandler = (call: DataCall) => Promise<unknown>;

/** All types of questions. The caller's own cloudlet is the only one that an answer may concern (specification 7.3). */
const HANDLERS: Readonly<Record<string, DataHandler>> = {
  ...secretData,
  ...registryData,
  ...sshData,
  ...dnsData,
  ...publicCertificateData,
  ...cookieKeyData,
};

/** Types that the access API answers. */
export const ACCESS_DATA_TYPES: readonly string[] = Object.keys(HANDLERS).sort();

/** The handler of GetAccessData. */
export function accessDataApi(context: AccessContext): Pick<Handlers<typeof CloudletAccessApi>, "getAccessData"> {
  return {
    async getAccessData({ type, data }, call) {
      const { cloudletKey } = accessCaller(call);
      const cloudlet = context.region.cache.get(CloudletKind, cloudletKey);
      if (cloudlet === undefined) throw notFound(CloudletKind, cloudletKey);
      if (cloudlet.platformType === PlatformType.PLATFORM_TYPE_EDGEBOX) {
        throw new RpcError(Status.PERMISSION_DENIED, "An edgebox, which a user hosts, is given no data");
      }
      const handler = Object.hasOwn(HANDLERS, type) ? HANDLERS[type]! : undefined;
      if (handler === undefined) {
        throw new RpcError(
          Status.INVALID_ARGUMENT,
          `type ${JSON.stringify(type.slice(0, 64))}: must be one of ${ACCESS_DATA_TYPES.join(", ")}`,
        );
      }
      context.log.info("Access data given", { type, cloudlet: cloudletKey });
      return AccessDataReply.create({ data: encoded(await handler({ context, cloudlet, data })) });
    },
  };
}

function encoded(value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array();
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}
