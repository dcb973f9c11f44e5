import assert from "node:assert/strict";
import { createNotifyClient, type NotifyClient, rawNotifyApi, roundRobin } from "../../shared/notify/mod.ts";
import { createChannel, createClient, createServer, RpcError, Status } from "../../shared/rpc/mod.ts";
import { Entry_Action as Action, NotifyFrame } from "../../shared/schema/mod.ts";
import { controllerOf, ParentProcess, Trust, until, WAIT_MS } from "./parent_process.ts";

/** The long form holds more back for a reader that stands still. */
const LONG = Deno.env.get("NOTIFY_LONG") === "1";

const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value).replace(/\.+$/, "");
const frame = (body: Parameters<typeof NotifyFrame.create>[0]): Uint8Array =>
  NotifyFrame.encode(NotifyFrame.create(body));
const hello = (instance: string): Uint8Array =>
  frame({ hello: { version: 1, service: "dme", region: "eu", instance, wants: [{ kind: "App" }] } });

async function* sending(frames: readonly Uint8Array[], until: Promise<void>): AsyncGenerator<Uint8Array> {
  yield* frames;
  await until;
}

function healthy(trust: Trust, port: number, hostname = "127.0.0.1"): NotifyClient {
  return createNotifyClient({
    service: "dme",
    region: "eu",
    wants: ["App"],
    connect: roundRobin([`${hostname}:${port}`], () => ({ tls: trust.tls, keepaliveMs: 500, connectTimeoutMs: 1_000 })),
    backoff: { initialMs: 20, maxMs: 100 },
  });
}

Deno.test("garbage, oversized frames and frames out of order end their own stream and nobody else's", async () => {
  await using trust = await Trust.create();
  await using parent = await ParentProcess.start(trust.folder, 100, "v");
  const child = healthy(trust, parent.port);
  const batch = (entry: object): Uint8Array => frame({ batch: { entries: [entry as never] } });
  const attacks: [string, Uint8Array[], Status][] = [
    ["garbage instead of a hello", [Uint8Array.of(255, 255, 255, 255)], Status.INVALID_ARGUMENT],
    ["a batch instead of a hello", [batch({ kind: "App" })], Status.INVALID_ARGUMENT],
    ["garbage after the hello", [hello("a"), Uint8Array.of(10, 200, 1)], Status.INVALID_ARGUMENT],
    ["a second hello", [hello("b"), hello("b")], Status.INVALID_ARGUMENT],
    [
      "an object of a kind that is not agreed on",
      [hello("c"), batch({ kind: "App", key: "x" })],
      Status.PERMISSION_DENIED,
    ],
    ["a key too long", [
      hello("d"),
      batch({ kind: "m", action: Action.MESSAGE, key: "k".repeat(5_000) }),
    ], Status.INVALID_ARGUMENT],
    ["a message too large", [
      hello("e"),
      batch({ kind: "m", action: Action.MESSAGE, value: new Uint8Array(3 << 20) }),
    ], Status.INVALID_ARGUMENT],
    ["a frame too large", [hello("f"), new Uint8Array(5 << 20)], Status.RESOURCE_EXHAUSTED],
  ];
  try {
    child.start();
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    for (const [what, frames, status] of attacks) {
      const channel = createChannel({ address: `127.0.0.1:${parent.port}`, tls: trust.tls });
      const over = Promise.withResolvers<void>();
      let ended: unknown;
      try {
        for await (
          const _ of createClient(rawNotifyApi, channel).streamNotice(sending(frames, over.promise))
        ) { /* until it ends */ }
      } catch (error) {
        ended = error;
      }
      over.resolve();
      channel.close();
      assert.ok(ended instanceof RpcError, `${what}: ${ended}`);
      assert.equal(ended.code, status, `${what}: ${ended.message}`);
    }
    await until(async () => (await parent.streams()).length === 1, () => "only the healthy child is left");
    await parent.tell({ do: "publish", keys: 1, value: "after", rounds: 1 });
    await until(() => text(child.replica("App").get("app0")) === "after0", () => "the change has come");
    assert.equal(child.info().connects, 1);
  } finally {
    await child.stop();
  }
});

Deno.test("a parent that sends garbage, or what was not asked for, is left, and what is held stays", async () => {
  await using trust = await Trust.create();
  const read = (name: string): string => Deno.readTextFileSync(`${trust.folder}/${name}.pem`);
  const server = createServer({ tls: { cert: read("cert"), key: read("key"), ca: read("ca") } });
  const greeting = frame({ hello: { version: 1, service: "controller", region: "eu", instance: "p" } });
  const entry = { kind: "App", key: "a", value: Uint8Array.of(1), revision: 1 };
  const marker = { action: Action.IN_STEP, kind: "App", epoch: "e", revision: 1 };
  const whole = frame({ batch: { entries: [{ action: Action.SNAPSHOT_BEGIN, kind: "App" }, entry, marker] as never } });
  const scripts: Uint8Array[][] = [
    [greeting, whole],
    [Uint8Array.of(255, 255, 255)],
    [whole],
    [greeting, greeting],
    [greeting, frame({ batch: { entries: [{ ...entry, kind: "Other" }] as never } })],
    [greeting, Uint8Array.of(10, 200, 1)],
    [frame({ hello: { version: 0, service: "controller", region: "eu", instance: "p" } })],
    [frame({ hello: { version: 1, service: "controller", region: "us", instance: "p" } })],
  ];
  let played = 0;
  const over = Promise.withResolvers<void>();
  server.addService(rawNotifyApi, {
    async *streamNotice() {
      yield* scripts[played++ % scripts.length]!;
      // The first one ends by itself; of the others the child must.
      if (played > 1) await over.promise;
    },
  });
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const child = healthy(trust, port);
  try {
    const errors = new Set<string>();
    child.onState(() => {
      const { lastError } = child.info();
      if (lastError !== undefined) errors.add(lastError);
    });
    child.start();
    await until(() => played > scripts.length, () => `${played} connections, ${[...errors]}`);
    assert.deepEqual([...child.replica("App").entries()], [["a", Uint8Array.of(1)]]);
    for (
      const why of [
        /cannot be decoded/,
        /must be a hello/,
        /only batches/,
        /"Other" was not asked for/,
        /older/,
        /region us/,
      ]
    ) {
      assert.ok([...errors].some((error) => why.test(error)), `${why} in ${[...errors].join("; ")}`);
    }
  } finally {
    await child.stop();
    over.resolve();
    await server.close();
  }
});

Deno.test("a certificate that expires while connected ends the stream; the child comes back with its new one and resumes", async () => {
  await using trust = await Trust.create();
  await using parent = await ParentProcess.start(trust.folder, 100, "v");
  const uri = "spiffe://archipelago/region/eu/service/dme";
  const lifeMs = 4_000;
  let own = await trust.authority.issue(uri, lifeMs);
  const child = createNotifyClient({
    service: "dme",
    region: "eu",
    wants: ["App"],
    connect: roundRobin([`127.0.0.1:${parent.port}`], () => ({
      tls: { ...own, ca: trust.authority.ca, verifyPeer: controllerOf("eu") },
    })),
    backoff: { initialMs: 20, maxMs: 100 },
  });
  try {
    child.start();
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.equal(child.info().connects, 1);
    await until(() => child.state() !== "inStep", () => "the stream has ended");
    await until(() => child.info().attempts > 2, () => "it has tried again with the certificate that has expired");
    assert.equal(child.info().connects, 1);
    assert.equal(child.replica("App").size, 100);
    own = await trust.authority.issue(uri);
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    const [stream] = await parent.streams();
    assert.deepEqual([child.info().connects, stream!.snapshots, stream!.resumes], [2, 0, 1]);
  } finally {
    await child.stop();
  }
});

Deno.test("a reader that stops costs its parent bounded memory, and delays nobody else", async () => {
  await using trust = await Trust.create();
  await using parent = await ParentProcess.start(trust.folder, 20_000, "v");
  const child = healthy(trust, parent.port);
  const channel = createChannel({ address: `127.0.0.1:${parent.port}`, tls: trust.tls });
  const over = Promise.withResolvers<void>();
  const reading = createClient(rawNotifyApi, channel).streamNotice(sending([hello("stopped")], over.promise))
    [Symbol.asyncIterator]();
  try {
    await reading.next();
    child.start();
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    await parent.tell({ do: "publish", keys: 20_000, value: "warm", rounds: 5 });
    const before = parent.memory();
    const queued = await parent.tell({ do: "send", count: 20_000, bytes: 2_000, to: "stopped" }) as number;
    assert.ok(queued < 20_000, "messages to a reader that stops are dropped at last");
    // Each round is 20 000 changes of 200 bytes, 4 MB, for a stream that takes none.
    const rounds = LONG ? 200 : 30;
    await parent.tell({ do: "publish", keys: 20_000, value: "round", rounds });
    const grown = parent.memory() - before;
    const stopped = (await parent.streams()).find((stream) => stream.child.instance === "stopped")!;
    assert.ok(stopped.queuedMessages <= 10_000, `${stopped.queuedMessages} messages wait`);
    assert.equal(stopped.droppedMessages, 20_000 - queued);
    assert.ok(stopped.kinds[0]!.lag > 0, "it lags");
    const app = (): string => text(child.replica("App").get("app19999"));
    await until(() => app() === `round${rounds - 1}`, () => `the other child has ${app()}`);
    assert.ok(stopped.sentBytes < 12_000_000, `${stopped.sentBytes} bytes were sent to it`);
    // What the change list churns through is garbage of the runtime; a queue would hold every change on top of it.
    if (LONG) assert.ok(grown < 400_000_000, `The parent has grown by ${grown} bytes`);
    console.log(`      grown by ${(grown / 2 ** 20).toFixed(0)} MiB while ${rounds * 20_000} changes passed by`);
  } finally {
    over.resolve();
    await reading.return?.(undefined);
    channel.close();
    await child.stop();
  }
});
