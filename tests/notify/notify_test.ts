import assert from "node:assert/strict";
import { createNotifyClient, createNotifyHub, type NotifyClient, roundRobin } from "../../shared/notify/mod.ts";
import { authenticate, createChannel, createClient, createServer, type RpcServer } from "../../shared/rpc/mod.ts";
import { NotifyApi, NotifyFrame } from "../../shared/schema/mod.ts";
import { type Authority, createAuthority, uriOf } from "../../shared/rpc/conformance/certificates.ts";
import { controllerOf, ParentProcess, Trust, until, WAIT_MS } from "./parent_process.ts";

const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value).replace(/\.+$/, "");

Deno.test("a parent killed in the middle of a snapshot leaves nothing behind that its successor does not have", async () => {
  await using trust = await Trust.create();
  const { folder, tls } = trust;
  const first = await ParentProcess.start(folder, 100_000, "first");
  let port = first.port;
  const child = createNotifyClient({
    service: "dme",
    region: "eu",
    wants: ["App"],
    connect: () => roundRobin([`127.0.0.1:${port}`], () => ({ tls }))(),
    backoff: { initialMs: 20, maxMs: 100 },
  });
  try {
    const apps = child.replica("App");
    const begun = Promise.withResolvers<void>();
    const end = apps.subscribe({ update: () => begun.resolve() });
    child.start();
    await begun.promise;
    end();
    await first.kill();
    await until(() => child.state() !== "syncing" && child.state() !== "inStep", () => child.state());
    assert.ok(apps.size > 0);
    assert.equal(apps.inStep, false);
    await using second = await ParentProcess.start(folder, 1_000, "second");
    port = second.port;
    await child.whenInStep(AbortSignal.timeout(WAIT_MS));
    assert.equal(apps.size, 1_000);
    assert.deepEqual(new Set([...apps.entries()].map(([, value]) => text(value))), new Set(["second"]));
  } finally {
    await child.stop();
    await first.kill();
  }
});

interface Parent extends AsyncDisposable {
  readonly server: RpcServer;
  readonly owned: string[];
  child(uri: string, issuer?: Authority, cloudlet?: string): Promise<NotifyClient>;
}

async function parent(authority: Authority): Promise<Parent> {
  const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["AppInst"] });
  const owned: string[] = [];
  hub.onOwned("CloudletInfo", { update: (key) => void owned.push(key), remove: () => {} }, { scopeOf: (key) => key });
  hub.publish("AppInst", "i", new Uint8Array([1]), { scopes: ["here"] });
  hub.publish("AppInst", "j", new Uint8Array([2]), { scopes: ["there"] });
  hub.markReady();
  const { cert, key } = await authority.issue("spiffe://archipelago/region/eu/service/controller");
  const server = createServer({
    tls: { cert, key, ca: authority.ca },
    interceptors: [authenticate((peer) => uriOf(peer.certificates![0]!))],
  });
  hub.serve(server, (identity) => {
    const match = /^spiffe:\/\/archipelago\/region\/([^/]+)\/cloudlet\/(.+)\/service\/crm$/.exec(String(identity));
    if (!match) return { refuse: "Not a service of a cloudlet" };
    return match[1] === "eu" ? { scope: match[2]! } : { refuse: `Region ${match[1]} is not served here` };
  });
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const children: NotifyClient[] = [];
  return {
    server,
    owned,
    async child(uri, issuer = authority, cloudlet = "") {
      const own = await issuer.issue(uri);
      const child = createNotifyClient({
        service: "crm",
        region: "eu",
        cloudlet,
        wants: ["AppInst"],
        owns: ["CloudletInfo"],
        connect: roundRobin([`127.0.0.1:${port}`], () => ({
          tls: { ...own, ca: authority.ca, verifyPeer: controllerOf("eu") },
        })),
        backoff: { initialMs: 20, maxMs: 100 },
      });
      children.push(child);
      child.start();
      return child;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map((child) => child.stop()));
      hub.close();
      await server.close();
    },
  };
}

Deno.test("who is let in, and what a child sees and owns, is what its certificate says, whatever it says itself", async () => {
  const authority = await createAuthority("ours");
  await using p = await parent(authority);
  const own = await p.child("spiffe://archipelago/region/eu/cloudlet/here/service/crm", authority, "there");
  own.own("CloudletInfo").put("here", new Uint8Array([1]));
  await own.whenInStep(AbortSignal.timeout(WAIT_MS));
  assert.deepEqual([...own.replica("AppInst").keys()], ["i"]);
  await until(() => p.owned.length === 1, () => "its own object has come");
  own.own("CloudletInfo").put("there", new Uint8Array([1]));
  await until(() => /does not belong to here/.test(own.info().lastError ?? ""), () => `${own.info().lastError}`);
  assert.deepEqual(p.owned, ["here"]);

  const refusals: [string, Authority, RegExp][] = [
    ["spiffe://archipelago/region/us/cloudlet/here/service/crm", authority, /Region us is not served here/],
    ["spiffe://archipelago/region/eu/service/dme", authority, /Not a service of a cloudlet/],
    ["spiffe://archipelago/region/eu/cloudlet/here/service/crm", await createAuthority("rogue"), /./],
  ];
  for (const [uri, issuer, why] of refusals) {
    const child = await p.child(uri, issuer);
    await until(() => why.test(child.info().lastError ?? ""), () => `${uri}: ${child.info().lastError}`);
    assert.deepEqual([child.info().connects, child.replica("AppInst").size], [0, 0]);
    await child.stop();
  }
});

Deno.test("a child refuses a server that is not the controller of its region", async () => {
  const authority = await createAuthority("ours");
  const { cert, key } = await authority.issue("spiffe://archipelago/region/us/service/controller");
  const own = await authority.issue("spiffe://archipelago/region/eu/service/dme");
  const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["App"] });
  hub.markReady();
  const server = createServer({ tls: { cert, key, ca: authority.ca } });
  let asked = 0;
  hub.serve(server, () => (asked++, {}));
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const child = createNotifyClient({
    service: "dme",
    region: "eu",
    wants: ["App"],
    connect: roundRobin([`127.0.0.1:${port}`], () => ({
      tls: { ...own, ca: authority.ca, verifyPeer: controllerOf("eu") },
    })),
    backoff: { initialMs: 10, maxMs: 20 },
  });
  try {
    child.start();
    await until(() => child.info().attempts > 2, () => "it has tried");
    assert.deepEqual([child.info().connects, asked], [0, 0]);
  } finally {
    await child.stop();
    await server.close();
  }
});

Deno.test("a child that stands still costs the parent no more than its windows, and then gets only the latest", async () => {
  const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["App"] });
  hub.markReady();
  const server = createServer();
  hub.serve(server, () => ({}));
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const channel = createChannel({ address: `127.0.0.1:${port}` });
  const over = new AbortController();
  async function* frames(): AsyncGenerator<NotifyFrame> {
    const wants = [{ kind: "App", epoch: "", revision: 0 }];
    yield NotifyFrame.create({ hello: { version: 1, service: "dme", instance: "x", wants } });
    await new Promise((resolve) => over.signal.addEventListener("abort", resolve));
  }
  const latest = new Map<string, number>();
  let received = 0;
  try {
    const stream = createClient(NotifyApi, channel).streamNotice(frames(), { signal: over.signal });
    const reading = stream[Symbol.asyncIterator]();
    assert.ok((await reading.next()).value.hello);
    const keys = 20;
    const changes = 2_000;
    const size = 50_000;
    for (let i = 0; i < changes; i++) {
      const value = new Uint8Array(size);
      new DataView(value.buffer).setUint32(0, i);
      hub.publish("App", `app${i % keys}`, value);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const [before] = hub.streams();
    const offered = changes * size;
    assert.ok(before!.sentBytes < offered / 5, `${before!.sentBytes} of ${offered} bytes were sent`);
    while (latest.size < keys || Math.min(...latest.values()) < changes - keys) {
      const { value } = await reading.next();
      for (const entry of (value as NotifyFrame).batch!.entries) {
        if (entry.value.length === 0) continue;
        received++;
        latest.set(entry.key, new DataView(entry.value.buffer, entry.value.byteOffset).getUint32(0));
      }
    }
    assert.ok(received < changes / 5, `${received} of ${changes} changes were received`);
  } finally {
    over.abort();
    channel.close();
    hub.close();
    await server.close();
  }
});
