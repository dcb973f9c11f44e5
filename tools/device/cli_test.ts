import assert from "node:assert/strict";
import { join } from "node:path";
import { serveHttp, systemClock } from "../../shared/runtime/mod.ts";
import { dme } from "../../shared/schema/mod.ts";
import { appInst, type TestRegion, testRegion } from "../../tiers/regional/dme/testing/region.ts";
import { type CliDeps, runDevice } from "./cli.ts";
import { systemConnector, systemFetcher } from "./system.ts";

interface Scene {
  region: TestRegion;
  /** Arguments that lead to the matching engine by REST, and by gRPC. */
  rest: string[];
  grpc: string[];
  folder: string;
  run(args: string[]): Promise<{ good: boolean; lines: string[] }>;
}

const ALPHA = ["--app", "acme/alpha/1.1"];
const MUNICH = ["--at", "48.1,11.5"];

/** A matching engine by REST and gRPC and a back-end behind the instance on north-3. */
async function withScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const region = testRegion();
  const backend = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    handler: (request) => new Response(`alpha on north-3 for ${new URL(request.url).hostname}`),
  });
  const instance = appInst(["acme", "alpha", "1.1"], "northtel", "north-3", "alpha.north-3.localhost", [
    48.1351,
    11.582,
  ]);
  region.tables.setInstance({
    ...instance,
    mappedPorts: [dme.AppPort.create({ proto: dme.LProto.L_PROTO_TCP, internalPort: 80, publicPort: backend.port })],
  });
  const listener = await serveHttp({ hostname: "127.0.0.1", port: 0, handler: region.rest });
  const grpc = await region.grpcServer();
  const folder = await Deno.makeTempDir();
  const lines: string[] = [];
  const deps: CliDeps = {
    readText: (path) => Deno.readTextFile(path),
    fetcherFor: systemFetcher,
    connectorFor: systemConnector,
    clock: systemClock(),
    print: (line) => lines.push(line),
    stop: new AbortController().signal,
  };
  try {
    await body({
      region,
      folder,
      rest: ["--dme", listener.url],
      grpc: ["--dme", grpc.address, "--grpc", "--no-tls"],
      async run(args) {
        lines.length = 0;
        const good = await runDevice(["--interval", "0s", ...args], deps);
        return { good, lines: [...lines] };
      },
    });
  } finally {
    await Promise.all([listener.close(), grpc.server.close(), backend.close()]);
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a device finds its instance and connects, by REST and by gRPC", async () => {
  await withScene(async ({ rest, grpc, run }) => {
    for (const target of [rest, grpc]) {
      const { good, lines } = await run([...ALPHA, ...MUNICH, ...target]);
      assert.equal(lines.length, 1);
      assert.match(
        lines[0]!,
        /48\.1,11\.5 {2}north-3 of northtel, 7\.2 km {2}alpha\.north-3\.localhost:\d+ in [\d.]+ ms 200: /,
      );
      assert.match(lines[0]!, /alpha on north-3 for alpha\.north-3\.localhost$/);
      assert.equal(good, true);
    }
  });
});

Deno.test("a route is followed, from text and from a file, and told as JSON", async () => {
  await withScene(async ({ rest, folder, run }) => {
    const file = join(folder, "route.txt");
    await Deno.writeTextFile(file, "# two places\n48.1,11.5\n48.2,11.6\n");
    for (const route of ["48.1,11.5 48.2,11.6", file]) {
      const { lines, good } = await run([...ALPHA, "--route", route, "--count", "2", "--output", "json", ...rest]);
      const steps = lines.map((line) => JSON.parse(line));
      assert.deepEqual(steps.map(({ at }) => at.latitude), [48.1, 48.2, 48.1, 48.2]);
      assert.equal(good, true);
      const { status, cloudlet, distanceKm, answer, address } = steps[1];
      assert.equal(status, "found");
      assert.deepEqual(cloudlet, {
        organization: "northtel",
        name: "north-3",
        location: { latitude: 48.1351, longitude: 11.582 },
      });
      assert.equal(distanceKm, 7.339);
      assert.equal(answer.status, 200);
      assert.equal(address.host, "alpha.north-3.localhost");
    }
  });
});

Deno.test("nothing usable and a dead back-end are told, and are no success", async () => {
  await withScene(async ({ rest, run, region }) => {
    const none = await run([...ALPHA, ...MUNICH, "--carrier", "othertel", ...rest]);
    assert.deepEqual(none, {
      good: false,
      lines: ['48.1,11.5  no usable instance of acme/alpha/1.1 for carrier "othertel"'],
    });
    // A port that was free a moment ago.
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr;
    free.close();
    const dead = appInst(["acme", "alpha", "1.1"], "northtel", "north-3", "dead.localhost", [48.1351, 11.582]);
    region.tables.setInstance({ ...dead, mappedPorts: [dme.AppPort.create({ proto: 1, publicPort: port })] });
    const { good, lines } = await run([...ALPHA, ...MUNICH, ...rest]);
    assert.equal(good, false);
    assert.match(lines[0]!, new RegExp(`Cannot connect to dead\\.localhost:${port}: .*refused`, "i"));
    region.tables.setInstance({ ...dead, mappedPorts: [dme.AppPort.create({ proto: 2, publicPort: port })] });
    assert.match((await run([...ALPHA, ...MUNICH, ...rest])).lines[0]!, /has no TCP port/);
  });
});

Deno.test("a session that has run out is renewed on the way", async () => {
  await withScene(async ({ rest, run, region }) => {
    const passing = region.rest;
    let calls = 0;
    const { lines } = await run([...ALPHA, "--route", "48.1,11.5 48.2,11.6", ...rest]);
    assert.equal(lines.length, 2);
    const { createDevice } = await import("./device.ts");
    const { restMatchClient } = await import("./match_client.ts");
    const device = createDevice({
      client: restMatchClient("http://dme", (request) => {
        calls++;
        return passing(request, { address: "127.0.0.1" });
      }),
      connect: systemConnector(undefined),
      app: { organization: "acme", name: "alpha", version: "1.1" },
      carrier: "",
      monotonicMs: () => performance.now(),
    });
    assert.ok(await device.find({ latitude: 48, longitude: 11 }));
    region.clock.nowMs += 2 * 86_400_000;
    assert.ok(await device.find({ latitude: 48, longitude: 11 }));
    assert.equal(calls, 5, "register, find, refused find, register, find");
  });
});

Deno.test("the running platform's file leads to the matching engine of a region", async () => {
  await withScene(async ({ rest, folder, run }) => {
    await Deno.writeTextFile(join(folder, "ca.pem"), "");
    const up = (value: unknown) => Deno.writeTextFile(join(folder, "up.json"), JSON.stringify(value));
    const platform = { version: 1, ca: "ca.pem", regions: { east: { dme: { rest: rest[1], grpc: "127.0.0.1:1" } } } };
    await up(platform);
    assert.equal((await run([...ALPHA, ...MUNICH, "--data", folder, "--region", "east"])).good, true);
    const refuses = (args: string[], text: RegExp) =>
      assert.rejects(run([...ALPHA, ...MUNICH, "--data", folder, ...args]), text);
    await refuses(["--region", "west"], /no matching engine for region "west".*east/);
    await up({ ...platform, version: 2 });
    await refuses([], /version 2, expected 1/);
    await Deno.writeTextFile(join(folder, "up.json"), "{");
    await refuses([], /not JSON/);
    await Deno.remove(join(folder, "up.json"));
    await refuses([], /No platform is running here: .*deno task up --demo/);
  });
});

Deno.test("every mistake on the command line is answered with what to do", async () => {
  await withScene(async ({ rest, run, folder }) => {
    const cases: [string[], RegExp][] = [
      [[...MUNICH, ...rest], /Which app .* --app ORGANIZATION/],
      [["--app", "alpha", ...MUNICH, ...rest], /--app/],
      [[...ALPHA, ...rest], /Where is the device\? Give --at/],
      [[...ALPHA, "--at", "48", ...rest], /"48" is no place/],
      [[...ALPHA, ...MUNICH, "--route", "1,2", ...rest], /not both/],
      [[...ALPHA, "--route", join(folder, "none"), ...rest], /route .* cannot be read/],
      [[...ALPHA, ...MUNICH, ...rest, "--careir", "x"], /--carrier\?/],
      [[...ALPHA, ...MUNICH, "--dme", "localhost:1"], /expected https:\/\/HOST:PORT/],
      [[...ALPHA, ...MUNICH, "--dme", "localhost:1", "--grpc"], /give --ca FILE/],
      [[...ALPHA, ...MUNICH, "--dme", "https://localhost:1", "--ca", join(folder, "none")], /roots .* cannot be read/],
      [
        [...ALPHA, ...MUNICH, "--dme", "http://127.0.0.1:1"],
        /Cannot reach the matching engine at http:\/\/127\.0\.0\.1:1: .*refused/i,
      ],
      [["--app", "acme/beta/1", ...MUNICH, ...rest], /There is no app acme\/beta\/1.*mcctl app show/],
    ];
    for (const [args, text] of cases) await assert.rejects(run(args), text, args.join(" "));
  });
});
