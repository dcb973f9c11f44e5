import type { DnsDriver } from "../../../../shared/dns/mod.ts";
import type { CloudletIssuer } from "../../../../shared/identity/mod.ts";
import type { Clock, RandomSource } from "../../../../shared/runtime/mod.ts";
import type { SecretStore, SshAuthority } from "../../../../shared/secrets/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import type { DnsZone } from "../rules/dns_labels.ts";
import type { Region } from "../state/region.ts";

/** What the access API works with. */
export interface AccessContext {
  readonly region: Region;
  readonly zone: DnsZone;
  readonly secrets: SecretStore;
  readonly issuer: CloudletIssuer;
  readonly ssh: SshAuthority;
  readonly dns: DnsDriver;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  /** Whether matching engines on cloudlets are served. */
  readonly siteEngines: boolean;
  /** Takes signatures of the original's form. @default false */
  readonly legacySignatures: boolean;
}
