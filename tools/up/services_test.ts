import assert from "node:assert/strict";
import { layoutOf } from "./layout.ts";
import type { UpConfig } from "./options.ts";
import { portPlan } from "./ports.ts";
import { controllerSpec, reaching } from "./services.ts";

Deno.test("reaching adds the hosts of systems on other machines, and nothing for those on this one", () => {
  assert.deepEqual(reaching("postgres://ann@db.example:5432/accounts?x=1"), [
    "--allow-net=127.0.0.1,localhost,db.example:5432",
  ]);
  assert.deepEqual(reaching("etcd:https://h1:2379,https://h2:2379,10.0.0.3:2379"), [
    "--allow-net=127.0.0.1,localhost,h1:2379,h2:2379,10.0.0.3:2379",
  ]);
  assert.deepEqual(reaching("etcd:http://127.0.0.1:2379", "influxdb:http://tsdb:8086", undefined), [
    "--allow-net=127.0.0.1,localhost,tsdb:8086",
  ]);
  for (const here of ["postgres://ann@127.0.0.1:5432/x", "etcd:http://localhost:2379", "sqlite:/var/lib/x.db"]) {
    assert.deepEqual(reaching(here), [], here);
  }
});

Deno.test("a store in a file of its own is the one thing outside the data folder that the controller may write", () => {
  const writes = (store: string | undefined) =>
    controllerSpec({
      config: { store, logLevel: "info", grace: 1_000 } as UpConfig,
      layout: layoutOf("/data"),
      ports: portPlan(20_000, ["eu"]),
      source: "/source",
      secrets: "file:/data/secrets",
      runtime: "/bin/deno",
    }, "eu").args.filter((arg) => arg.startsWith("--allow-write="));
  assert.deepEqual(writes(undefined), [
    "--allow-write=/data/regions/eu,/data/secrets/eu/cloudlets,/data/secrets/eu/ssh",
  ]);
  assert.deepEqual(writes("sqlite:/elsewhere/eu.db"), [
    "--allow-write=/data/regions/eu,/data/secrets/eu/cloudlets,/data/secrets/eu/ssh,/elsewhere/eu.db",
  ]);
  assert.deepEqual(writes("etcd:http://127.0.0.1:2379"), [
    "--allow-write=/data/regions/eu,/data/secrets/eu/cloudlets,/data/secrets/eu/ssh",
  ]);
});
