import assert from "node:assert/strict";
import { ExecRequest } from "../../../../shared/schema/mod.ts";
import { checkExec, unfitDeployment } from "./exec.ts";
import { Issues } from "./issues.ts";

Deno.test("machines have a console alone, everything else commands and logs", () => {
  for (const deployment of ["docker", "kubernetes", "helm", "process"]) {
    assert.equal(unfitDeployment("command", deployment), undefined);
    assert.equal(unfitDeployment("logs", deployment), undefined);
    assert.match(unfitDeployment("console", deployment)!, /vm apps only/);
  }
  assert.match(unfitDeployment("command", "vm")!, /not for vm apps/);
  assert.match(unfitDeployment("logs", "vm")!, /not for vm apps/);
  assert.equal(unfitDeployment("console", "vm"), undefined);
});

Deno.test("names of containers are told by the deployment", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["docker", "5d41402abc4b", true],
    ["docker", "web_1.a-b", true],
    ["docker", "pod/web", false],
    ["docker", "a;reboot", false],
    ["docker", "-x", false],
    ["process", "pid 1234", true],
    ["kubernetes", "web-5d4140-x7/nginx", true],
    ["kubernetes", "web-5d4140-x7", true],
    ["helm", "web/nginx/more", false],
    ["kubernetes", "web/$(reboot)", false],
  ];
  for (const [deployment, containerId, sound] of cases) {
    const issues = new Issues();
    checkExec("logs", ExecRequest.create({ containerId }), deployment, issues, 0);
    assert.equal(issues.list.length === 0, sound, `${deployment} ${containerId}`);
  }
});
