import type { ObjectKind } from "../../../../shared/schema/mod.ts";
import {
  AppInstClientWatchKind,
  AppInstKind,
  AppKind,
  AutoProvPolicyKind,
  CloudletInfoKind,
  CloudletKind,
  ClusterInstKind,
  FlowRateLimitSettingsKind,
  MaxReqsRateLimitSettingsKind,
  OperatorCodeKind,
  Settings,
  SettingsKind,
} from "../../../../shared/schema/mod.ts";
import type { RegionTables } from "../api/mod.ts";
import type { RegionRules } from "./region_rules.ts";

/** What a DME needs from its controller to answer calls, referenced kinds first. */
export const WANTED_KINDS: readonly string[] = [
  SettingsKind.kind,
  FlowRateLimitSettingsKind.kind,
  MaxReqsRateLimitSettingsKind.kind,
  OperatorCodeKind.kind,
  CloudletKind.kind,
  CloudletInfoKind.kind,
  AppKind.kind,
  AppInstKind.kind,
];

/** All that a DME asks for: calls can be answered without knowing of policies, clusters and who watches devices. */
export const ALL_KINDS: readonly string[] = [
  ...WANTED_KINDS,
  AutoProvPolicyKind.kind,
  ClusterInstKind.kind,
  AppInstClientWatchKind.kind,
];

/** The local copy of one kind, kept by replication. */
export interface Replica {
  readonly inStep: boolean;
  subscribe(handlers: {
    update(key: string, value: Uint8Array): void;
    remove(key: string): void;
    inStep(): void;
  }): void;
}

/** Asked for by every call. */
const NONE: readonly string[] = [];

/** Whether the tables have been complete once; since then they may be served from, also while disconnected. */
export interface Feed {
  /** Kinds that have not been complete yet. */
  missing(): readonly string[];
}

/**
 * Fills the tables and rules from replicas and keeps them in line.
 *
 * @param onFault told of objects that cannot be decoded; they are left out
 */
export function feedTables(
  tables: RegionTables,
  rules: RegionRules,
  replica: (kind: string) => Replica,
  onFault: (kind: string, key: string, error: unknown) => void,
): Feed {
  const missing = new Set(WANTED_KINDS);

  function follow<T, K>(kind: ObjectKind<T, K>, set: (object: T) => void, remove: (key: K) => void): void {
    replica(kind.kind).subscribe({
      update(key, value) {
        try {
          set(kind.message.decode(value));
        } catch (error) {
          onFault(kind.kind, key, error);
        }
      },
      remove(key) {
        try {
          remove(kind.parseKey(key));
        } catch (error) {
          onFault(kind.kind, key, error);
        }
      },
      inStep: () => void missing.delete(kind.kind),
    });
    if (replica(kind.kind).inStep) missing.delete(kind.kind);
  }

  follow(SettingsKind, (settings) => rules.setSettings(settings), () => rules.setSettings(Settings.create()));
  follow(FlowRateLimitSettingsKind, (limit) => rules.setFlow(limit), (key) => rules.removeFlow(key));
  follow(MaxReqsRateLimitSettingsKind, (limit) => rules.setMaxReqs(limit), (key) => rules.removeMaxReqs(key));
  follow(OperatorCodeKind, (code) => rules.setCode(code), (key) => rules.removeCode(key));
  // Only what matching and replies need is kept: there may be a hundred thousand of each.
  follow(
    CloudletKind,
    ({ key, location, maintenanceState, allianceOrgs }) =>
      tables.setCloudlet({ key, location, maintenanceState, allianceOrgs }),
    (key) => tables.removeCloudlet(key),
  );
  follow(
    CloudletInfoKind,
    ({ key, state }) => tables.setCloudletInfo({ key, state }),
    (key) => tables.removeCloudletInfo(key),
  );
  follow(
    AppKind,
    (
      {
        key,
        authPublicKey,
        officialFqdn,
        androidPackageName,
        accessPorts,
        deployment,
        qosSessionProfile,
        qosSessionDuration,
      },
    ) =>
      tables.setApp({
        key,
        authPublicKey,
        officialFqdn,
        androidPackageName,
        accessPorts,
        deployment,
        qosSessionProfile,
        qosSessionDuration,
      }),
    (key) => tables.removeApp(key),
  );
  follow(
    AppInstKind,
    ({ key, cloudletLoc, uri, mappedPorts, state, healthCheck }) =>
      tables.setInstance({ key, cloudletLoc, uri, mappedPorts, state, healthCheck, prepared: undefined }),
    (key) => tables.removeInstance(key),
  );
  return { missing: () => missing.size === 0 ? NONE : [...missing] };
}
