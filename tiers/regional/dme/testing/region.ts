// A region with the content of the golden cases (DME specification 10.1) behind the real faces, for tests.
import type { RateLimiter } from "../../../../shared/ratelimit/mod.ts";
import { App, AppInst, dme } from "../../../../shared/schema/mod.ts";
import { systemClock } from "../../../../shared/runtime/mod.ts";
import { createServer, type RpcServer } from "../../../../shared/rpc/mod.ts";
import {
  addGrpcCalls,
  type Calls,
  createCalls,
  type Desk,
  noRecords,
  PreparedInstances,
  regionMatcher,
  type RegionTables,
} from "../api/mod.ts";
import { edgeEventsCookies, fixedKeys, sessionCookies } from "../cookies/mod.ts";
import { createEdgeDesk, type EdgeDesk, type EdgeDeskOptions, edgeEventHandler, noEdgeStats } from "../edge/mod.ts";
import { APPS, cloudlet, cloudletKey, SITES } from "../matching/fixture.ts";
import { Tables } from "../matching/mod.ts";
import { createRestHandler, type RestHandler } from "../rest/handler.ts";
import { MAX_MESSAGE_BYTES } from "../rest/messages.ts";

// Plugins are loaded where they are needed, by tests too.
const { openStandalone } = await import("../../../../plugins/operator_standalone/mod.ts");

export const NOW_MS = 1_700_000_000_000;

export function appInst(
  app: readonly string[],
  carrier: string,
  name: string,
  uri: string,
  at: [number, number],
): AppInst {
  return AppInst.create({
    key: {
      appKey: { organization: app[0], name: app[1], version: app[2] },
      clusterInstKey: {
        clusterKey: { name: "testcluster" },
        cloudletKey: { organization: carrier, name },
        organization: app[0],
      },
    },
    cloudletLoc: { latitude: at[0], longitude: at[1] },
    uri,
    mappedPorts: [{ proto: dme.LProto.L_PROTO_TCP, internalPort: 443, publicPort: 443, tls: true }],
    state: 5,
    healthCheck: dme.HealthCheck.HEALTH_CHECK_OK,
  });
}

export function goldenRegion(): RegionTables {
  const tables: RegionTables = new Tables();
  for (const [organization, name, version] of APPS) {
    tables.setApp(App.create({ key: { organization, name, version }, accessPorts: "tcp:443:tls" }));
  }
  for (const [name, carrier, uri, latitude, longitude] of SITES) {
    tables.setCloudlet(cloudlet(carrier, name, latitude, longitude));
    tables.setCloudletInfo({ key: cloudletKey(carrier, name), state: 2 });
    for (const app of APPS) tables.setInstance(appInst(app, carrier, name, uri, [latitude, longitude]));
  }
  tables.removeInstance(appInst(APPS[0]!, "northtel", "north-1", "", [0, 0]).key);
  return tables;
}

export interface TestRegion {
  tables: RegionTables;
  edge: EdgeDesk;
  clock: { nowMs: number };
  desk: Desk;
  calls: Calls;
  rest: RestHandler;
  errors: unknown[];
  grpcServer(): Promise<{ server: RpcServer; address: string }>;
}

export function testRegion(
  tables = goldenRegion(),
  random?: () => number,
  limits?: RateLimiter,
  edgeOptions: Partial<EdgeDeskOptions> = {},
): TestRegion {
  const clock = { nowMs: NOW_MS };
  const cookies = { keys: fixedKeys(1, "12345"), now: () => clock.nowMs };
  const desk: Desk = {
    tables,
    matcher: regionMatcher(random, () => undefined),
    carrierOfCode: () => undefined,
    spreadsTies: random !== undefined,
    prepared: new PreparedInstances(),
    sessions: sessionCookies({ ...cookies, lifetimeMs: 86_400_000 }),
    edgeEvents: edgeEventsCookies({ ...cookies, lifetimeMs: 600_000 }),
    now: () => clock.nowMs,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    tokenServerUri: "",
    operator: openStandalone({ randomBytes: (count) => new Uint8Array(count) }),
    resolve: () => Promise.resolve(["192.0.2.9"]),
    limits,
    notReady: () => undefined,
    records: noRecords,
  };
  const errors: unknown[] = [];
  const calls = createCalls(desk);
  const onError = (error: unknown) => void errors.push(error);
  const edge = createEdgeDesk({
    desk,
    stats: noEdgeStats,
    clock: systemClock(),
    tileSideKm: () => 2,
    onError,
    ...edgeOptions,
  });
  return {
    tables,
    clock,
    desk,
    calls,
    edge,
    errors,
    rest: createRestHandler({ calls, edge, onError }),
    async grpcServer() {
      const server = createServer({
        limits: { maxMessageBytes: MAX_MESSAGE_BYTES },
        onError: (error) => errors.push(error),
      });
      addGrpcCalls(server, calls, edgeEventHandler(edge));
      const { hostname, port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
      return { server, address: `${hostname}:${port}` };
    },
  };
}
