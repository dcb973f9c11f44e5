import assert from "node:assert/strict";
import { reaching } from "./services.ts";

Deno.test("reaching adds the hosts of systems on other machines, and nothing for those on this one", () => {
  assert.deepEqual(reaching("postgres://ann@db.example:5432/accounts?x=1"), [
    "--allow-net=127.0.0.1,localhost,db.example:5432",
  ]);
  assert.deepEqual(reaching("etcd:https://h1:2379,https://h2:2379,10.0.0.3:2379"), [
    "--allow-net=127.0.0.1,localhost,h1:2379,h2:2379,10.0.0.3:2379",
  ]);
  for (const here of ["postgres://ann@127.0.0.1:5432/x", "etcd:http://localhost:2379", "sqlite:/var/lib/x.db"]) {
    assert.deepEqual(reaching(here), [], here);
  }
});
