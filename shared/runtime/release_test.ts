import assert from "node:assert/strict";
import { checkRuntime, environmentOf, UnsupportedRuntimeError } from "./mod.ts";

const none = environmentOf({});
const allowed = environmentOf({ ARCHIPELAGO_ALLOW_RUNTIME: "1" });

Deno.test("checkRuntime accepts the sound releases and the one that runs this test", () => {
  for (const version of ["2.8.1", "2.8.2"]) checkRuntime(version, none);
  checkRuntime();
});

Deno.test("checkRuntime refuses releases known to fail, whatever the environment says", () => {
  for (const version of ["1.46.3", "2.8.0", "2.8.3", "2.9.3", "2.9.4", "2.9.6", "2.9.8", "2.9.5-rc.1"]) {
    assert.throws(() => checkRuntime(version, allowed), (error) => {
      assert.ok(error instanceof UnsupportedRuntimeError);
      assert.match(error.message, new RegExp(`${version.replaceAll(".", "\\.")}.*use 2\\.8\\.2`));
      return true;
    });
  }
});

Deno.test("checkRuntime refuses an untried release unless it is allowed", () => {
  assert.throws(() => checkRuntime("2.10.0", none), /ARCHIPELAGO_ALLOW_RUNTIME=1/);
  checkRuntime("2.10.0", allowed);
});
