import assert from "node:assert/strict";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { FakeClock, seededRandom } from "../../../../shared/runtime/mod.ts";
import { App, AppInst, AppInstKind, AppKind, Cloudlet } from "../../../../shared/schema/mod.ts";
import { CHALLENGE_TTL_MS, createChallenges } from "./challenges.ts";
import type { DataCall } from "./data.ts";
import { readFields, readText } from "./data_input.ts";
import { registryData } from "./data_registry.ts";
import { requireOwnName } from "./names.ts";

Deno.test("a challenge is good once and for a minute, and there are never more than the bound", async () => {
  const clock = new FakeClock();
  const challenges = createChallenges(clock, seededRandom(1));
  const [first, second] = [challenges.issue(), challenges.issue()];
  assert.equal(challenges.use(first), true);
  assert.equal(challenges.use(first), false);
  await clock.advance(CHALLENGE_TTL_MS);
  assert.equal(challenges.use(second), false);
  const oldest = challenges.issue();
  const issued = Array.from({ length: 20_000 }, () => challenges.issue());
  assert.equal(challenges.use(oldest), false);
  assert.equal(challenges.use(issued.at(-1)!), true);
});

Deno.test("names of a cloudlet are its own domain and what is below it", () => {
  const cloudlet = Cloudlet.create({ dnsLabel: "edge-acme" });
  const zone = { region: "eu", root: "example.net" };
  const own = "edge-acme.eu.example.net";
  const check = (name: string, wildcard = false) => {
    try {
      return requireOwnName(cloudlet, zone, name, wildcard);
    } catch (error) {
      return (error as RpcError).code;
    }
  };
  assert.equal(check(own), own);
  assert.equal(check(`A.B.${own}.`), `a.b.${own}`);
  assert.equal(check(`*.${own}`, true), `*.${own}`);
  assert.equal(check(`*.${own}`), Status.INVALID_ARGUMENT);
  assert.equal(check(`*.*.${own}`, true), Status.INVALID_ARGUMENT);
  for (const name of [`x${own}`, "eu.example.net", "other-acme.eu.example.net", `${own}.evil.net`]) {
    assert.equal(check(name, true), Status.PERMISSION_DENIED, name);
  }
  assert.equal(check(""), Status.INVALID_ARGUMENT);
});

Deno.test("registry log-ins are given for the hosts of the cloudlet's own apps", async () => {
  const key = { organization: "oper", name: "berlin" };
  const app = App.create({ key: { name: "game" }, imagePath: "https://registry.example:5000/acme/game:1" });
  const instance = AppInst.create({ key: { appKey: app.key, clusterInstKey: { cloudletKey: key } } });
  const tables = new Map<string, Map<string, unknown>>([
    [AppInstKind.kind, new Map([["i", instance]])],
    [AppKind.kind, new Map([[AppKind.keyString(app.key), app]])],
  ]);
  const secrets = new Map([["registry/registry.example_5000", { username: "puller", password: "pw" }]]);
  const ask = async (image: string, name = "berlin") => {
    const call = {
      cloudlet: Cloudlet.create({ key: { ...key, name } }),
      data: new TextEncoder().encode(image),
      context: {
        region: {
          cache: {
            table: ({ kind }: { kind: string }) => tables.get(kind),
            get: ({ kind }: { kind: string }, keyString: string) => tables.get(kind)?.get(keyString),
          },
        },
        secrets: {
          get: (path: string) => Promise.resolve(secrets.has(path) ? { data: secrets.get(path) } : undefined),
        },
      },
    } as unknown as DataCall;
    return await registryData["get-registry-auth"]!(call).catch((error) => (error as RpcError).code);
  };
  assert.deepEqual(await ask("registry.example:5000/acme/game:1"), {
    auth_type: "basic",
    username: "puller",
    password: "pw",
    hostname: "registry.example",
    port: 5000,
    token: "",
  });
  assert.equal(await ask("registry.example:5000", "paris"), Status.PERMISSION_DENIED);
  assert.equal(await ask("other.example/acme/game:1"), Status.PERMISSION_DENIED);
  assert.equal(await ask("../x"), Status.INVALID_ARGUMENT);
  secrets.clear();
  assert.equal((await ask("registry.example:5000") as { auth_type: string }).auth_type, "no-auth");
});

Deno.test("what comes with a question is read strictly", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assert.equal(readText(bytes("a b")), "a b");
  assert.equal(readText(bytes('"a"')), "a");
  assert.throws(() => readText(Uint8Array.of(0xff)), RpcError);
  assert.throws(() => readText(new Uint8Array(20_000)), RpcError);
  assert.deepEqual(readFields(bytes('{"name":"x","TTL":5}'), ["Name", "TTL", "Zone"]), {
    Name: "x",
    TTL: "5",
    Zone: "",
  });
  for (const text of ["", "[]", "null", '{"Name":{}}', "{"]) {
    assert.throws(() => readFields(bytes(text), ["Name"]), RpcError, text);
  }
});
