import assert from "node:assert/strict";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { type HttpListener, serveHttp } from "../../shared/runtime/mod.ts";
import { Flavor } from "../../shared/schema/mod.ts";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { makeWorld } from "../../tiers/global/master-controller/testing/world.ts";
import { populate, type RegionalWorld } from "./regional_world.ts";
import { startTestPostgres } from "./postgres.ts";

const DEADLINE_MS = 30_000;

type Check = (world: RegionalWorld, listener: HttpListener) => Promise<void>;

const CHECKS: readonly (readonly [string, Check])[] = [
  ["documents come as frames, then the socket is closed in order", checkFrames],
  ["errors come as a frame with their code", checkErrors],
  ["a short-lived token opens a socket and nothing else", checkShortToken],
  ["pages of other origins are refused at the handshake", checkOrigin],
  ["a client that closes its socket ends the call to the region", checkLeaving],
];

Deno.test("master controller: WebSocket twins of regional calls", async (test) => {
  await using postgres = await startTestPostgres();
  for (const [name, check] of CHECKS) {
    await test.step(name, async () => {
      await postgres.reset();
      const world = await makeWorld(postgres.url);
      const region = await new RegionDouble().start();
      const handler = (request: Request) => world.handler(request, "192.0.2.1");
      const listener = await serveHttp({ hostname: "127.0.0.1", port: 0, handler });
      try {
        await check(await populate(world, region), listener);
      } finally {
        await listener.close();
        await world.close();
        await region.stop();
      }
    });
  }
});

/** What a socket received until it was closed. */
interface Conversation {
  // deno-lint-ignore no-explicit-any
  readonly frames: any[];
  readonly code: number;
}

function open({ url }: HttpListener, rpc: string, headers: Record<string, string> = {}): WebSocket {
  const address = `${url.replace("http", "ws")}/ws/api/v1/auth/ctrl/${rpc}`;
  return new WebSocket(address, { headers } as never);
}

/** Sends frames and reads to the end. */
async function converse(
  listener: HttpListener,
  rpc: string,
  sent: readonly (string | Uint8Array)[],
): Promise<Conversation> {
  const socket = open(listener, rpc);
  const frames: unknown[] = [];
  const done = Promise.withResolvers<number>();
  socket.onopen = () => sent.forEach((frame) => socket.send(frame as string));
  socket.onmessage = ({ data }) => frames.push(JSON.parse(data));
  socket.onclose = ({ code }) => done.resolve(code);
  return { frames, code: await withDeadline(done.promise) };
}

const hello = (token: string) => JSON.stringify({ token });

async function checkFrames({ admin, region }: RegionalWorld, listener: HttpListener): Promise<void> {
  const flavor = { key: { name: "small" }, ram: 1, vcpus: 1, disk: 1 };
  const made = await converse(listener, "CreateFlavor", [hello(admin), JSON.stringify({ region: "local", flavor })]);
  assert.deepEqual(made, { frames: [{ code: 200, data: { message: "Create done" } }], code: 1000 });
  for (let each = 0; each < 500; each++) region.put("Flavor", Flavor.create({ key: { name: `f${each}` }, ram: each }));
  const shown = await converse(listener, "ShowFlavor", [hello(admin), '{"region":"local"}']);
  assert.equal(shown.frames.length, 501);
  assert.ok(shown.frames.every((frame) => frame.code === 200 && frame.data.key.name !== undefined));
  assert.equal(shown.code, 1000);
}

async function checkErrors({ admin, eve, region, records }: RegionalWorld, listener: HttpListener): Promise<void> {
  const said = async (rpc: string, ...sent: (string | Uint8Array)[]) => {
    const { frames, code } = await converse(listener, rpc, sent);
    assert.equal(code, 1000);
    return frames;
  };
  const show = '{"region":"local"}';
  const bad = [{ code: 400, data: { message: "Invalid or expired jwt" } }];
  assert.deepEqual(await said("ShowFlavor", hello("rubbish"), show), bad);
  assert.deepEqual(await said("ShowFlavor", hello(""), show), [{
    code: 400,
    data: { message: "No bearer token found" },
  }]);
  assert.match((await said("ShowFlavor", "{"))[0].data.message, /^Invalid JSON data: Syntax error/);
  assert.match((await said("ShowFlavor", new Uint8Array([1])))[0].data.message, /^Text frames expected/);
  assert.deepEqual(await said("ShowApp", hello(eve), show), [{ code: 403, data: { message: "Forbidden" } }]);
  assert.match(
    (await said("ShowFlavor", hello(admin), '{"region":"mars"}'))[0].data.message,
    /^Region "mars" not found/,
  );
  region.put("Flavor", Flavor.create({ key: { name: "small" }, ram: 1 }));
  region.failures.set("ShowFlavor", { after: 1, error: new RpcError(Status.INTERNAL, "disk full") });
  const [first, last] = await said("ShowFlavor", hello(admin), show);
  assert.deepEqual([first.code, last], [200, { code: 400, data: { message: "Disk full" } }]);
  const failed = records.filter((record) => record.message === "audit").at(-1)!;
  assert.deepEqual([failed.path, failed.username, failed.status], ["/api/v1/auth/ctrl/ShowFlavor", "mexadmin", 400]);
}

async function checkShortToken({ call, clock, dev }: RegionalWorld, listener: HttpListener): Promise<void> {
  const short = (await call("auth/wstoken", undefined, dev)).json.token;
  assert.equal((await converse(listener, "ShowApp", [hello(short), '{"region":"local"}'])).frames.length, 0);
  assert.equal((await call("auth/user/current", undefined, short)).status, 401);
  assert.equal((await call("auth/refresh", undefined, short)).status, 401);
  clock.advance(120_000);
  const [late] = (await converse(listener, "ShowApp", [hello(short), '{"region":"local"}'])).frames;
  assert.match(late.data.message, /^Token is expired by/);
}

async function checkOrigin({ admin }: RegionalWorld, listener: HttpListener): Promise<void> {
  for (const origin of ["https://evil.example", "null"]) {
    const socket = open(listener, "ShowFlavor", { origin });
    const ended = Promise.withResolvers<boolean>();
    socket.onopen = () => ended.resolve(true);
    socket.onerror = () => ended.resolve(false);
    assert.equal(await withDeadline(ended.promise), false, `${origin} was let in`);
  }
  const socket = open(listener, "ShowFlavor", { origin: listener.url });
  const ended = Promise.withResolvers<number>();
  socket.onopen = () => {
    socket.send(hello(admin));
    socket.send('{"region":"local"}');
  };
  socket.onclose = ({ code }) => ended.resolve(code);
  assert.equal(await withDeadline(ended.promise), 1000);
  const plain = await fetch(`${listener.url}/ws/api/v1/auth/ctrl/ShowFlavor`);
  assert.deepEqual([plain.status, await plain.text()], [400, '{"message":"WebSocket upgrade expected"}']);
}

async function checkLeaving({ admin, region }: RegionalWorld, listener: HttpListener): Promise<void> {
  region.put("Flavor", Flavor.create({ key: { name: "small" }, ram: 1 }));
  region.holding.add("ShowFlavor");
  const socket = open(listener, "ShowFlavor");
  const closed = Promise.withResolvers<void>();
  socket.onopen = () => {
    socket.send(hello(admin));
    socket.send('{"region":"local"}');
  };
  socket.onmessage = () => socket.close();
  socket.onclose = () => closed.resolve();
  await withDeadline(closed.promise);
  const deadline = performance.now() + DEADLINE_MS;
  while (region.ended.length === 0) {
    assert.ok(performance.now() < deadline, "the call to the region goes on");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Nothing came within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
