import { AppInst, AppInstKind, dme, TrackedState } from "../../../shared/schema/mod.ts";

/** An app instance as a busy region has them, the `index`-th, encoded, with its key string. */
export function instance(index: number): { key: string; value: Uint8Array } {
  const cloudlet = `berlin-${index % 1_000}`;
  const seconds = 1_700_000_000 + index;
  const object = AppInst.create({
    key: {
      appKey: { organization: "acme", name: `shop-${Math.floor(index / 1_000)}`, version: "1.0" },
      clusterInstKey: {
        clusterKey: { name: "defaultclust" },
        cloudletKey: { organization: "telco", name: cloudlet, federatedOrganization: "" },
        organization: "acme",
      },
    },
    cloudletLoc: { latitude: 52.52, longitude: 13.4 + index / 1e6 },
    uri: `shop-${index}.${cloudlet}.telco.eu.example.net`,
    mappedPorts: [{ proto: dme.LProto.L_PROTO_TCP, internalPort: 443, publicPort: 10_000 + index % 50_000, tls: true }],
    flavor: { name: "m4.small" },
    state: TrackedState.READY,
    runtimeInfo: { containerIds: [`shop-${index}-0`] },
    createdAt: { seconds, nanos: 0 },
    updatedAt: { seconds, nanos: 0 },
    revision: "2024-01-01T000000",
    healthCheck: dme.HealthCheck.HEALTH_CHECK_OK,
    uniqueId: `acme-shop-${index}-${cloudlet}`,
    dnsLabel: `shop-${index}`,
  });
  return { key: AppInstKind.keyString(object.key), value: AppInst.encode(object) };
}
