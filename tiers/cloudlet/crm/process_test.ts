// The resource manager as a process of its own, under its named permission set, over mutual TLS.
import assert from "node:assert/strict";
import { until } from "../../../shared/platform/testing/mod.ts";
import { PlatformType, TrackedState } from "../../../shared/schema/mod.ts";
import { fromSource } from "./testing/from_source.ts";
import { answers, crmIdentity, type CrmSite, wholeLife, withSite } from "./testing/process.ts";

function processTest(name: string, body: (site: CrmSite) => Promise<void>): void {
  Deno.test({
    name: `crm process: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => withSite(fromSource, body),
  });
}

processTest("deploys, is killed, adopts, repairs, ends and deletes", wholeLife);

processTest("with --stop-apps-on-exit nothing stays, and the next start brings it back", async (site) => {
  const first = site.start(["--stop-apps-on-exit"]);
  const port = await site.deploy();
  await answers(port);
  first.kill("SIGTERM");
  assert.equal(await first.ended(), 0, first.log.join("\n"));
  assert.deepEqual(await site.appProcesses(), []);
  site.start();
  await answers(port);
});

processTest("what was deleted while it was away goes at its next start", async (site) => {
  const first = site.start();
  await site.deploy();
  first.kill("SIGKILL");
  await first.ended();
  site.region.forget(1);
  site.start();
  await until("the stranger is gone", async () => (await site.appProcesses()).length === 0);
});

processTest("a port that is taken is told to the region by its number", async (site) => {
  site.start();
  const port = await site.deploy();
  site.region.instance(2, TrackedState.CREATE_REQUESTED, 1, {
    mappedPorts: [{ proto: 1, internalPort: 8080, publicPort: port }],
  });
  const told = await site.region.tells(2, TrackedState.CREATE_ERROR);
  assert.match(told.errors.join(), new RegExp(`Port tcp:${port} is already taken`));
});

processTest("an image that does not exist, or may not be read, is told", async (site) => {
  site.start();
  await site.deploy();
  for (const [number, imagePath] of [[3, `${site.folder}/absent.ts`], [4, "/etc/absent.ts"]] as const) {
    site.region.app({ deployment: "process", imagePath });
    site.region.instance(number, TrackedState.CREATE_REQUESTED);
    assert.match((await site.region.tells(number, TrackedState.CREATE_ERROR)).errors.join(), new RegExp(imagePath));
  }
});

processTest("a certificate of another cloudlet, region, service or tier is refused in one line", async (site) => {
  const cases = [
    { ...crmIdentity, cloudlet: { organization: "op", name: "other" } },
    { ...crmIdentity, region: "elsewhere" },
    { ...crmIdentity, service: "shepherd" },
    { tier: "regional", region: "local", service: "crm" } as const,
  ];
  for (const identity of cases) {
    const { code, stderr } = await site.run([
      "--cloudlet=op/site",
      "--notify-addrs=127.0.0.1:1",
      `--tls-dir=${await site.certificate(identity)}`,
      `--data-dir=${site.folder}/data`,
    ]);
    assert.equal(code, 1);
    const lines = stderr.trim().split("\n").filter((line) => !line.startsWith("{"));
    assert.equal(lines.length, 1, stderr);
    assert.match(lines[0]!, /The certificate in .* is for .* but this process is configured for crm of cloudlet/);
  }
});

processTest("configuration that cannot be used is one clear error", async (site) => {
  const base = ["--notify-addrs=127.0.0.1:1", `--tls-dir=${site.tlsDir}`, `--data-dir=${site.folder}/data`];
  const cases: [string[], number, RegExp][] = [
    [base, 2, /--cloudlet.*required|cloudlet/i],
    [[...base, "--cloudlet=op"], 1, /organization\/name/],
    [[...base, "--cloudlet={bad"], 1, /not a cloudlet key/],
    [[...base, "--cloudlet=op/site", "--probe-intervall=1s"], 2, /--probe-interval/],
    [[...base, "--cloudlet=op/site", "--notify-addrs=nowhere"], 2, /notify-addrs/],
    [
      [
        "--cloudlet=op/site",
        "--notify-addrs=127.0.0.1:1",
        `--tls-dir=${site.folder}/none`,
        `--data-dir=${site.folder}/data`,
      ],
      1,
      /none/,
    ],
  ];
  for (const [args, code, message] of cases) {
    const ended = await site.run(args);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
  }
  const help = await site.run(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /stop-apps-on-exit/);
});

processTest("a second process on the same folder is refused", async (site) => {
  site.start();
  await site.deploy();
  const { code, stderr } = await site.run([
    "--cloudlet=op/site",
    `--notify-addrs=${site.region.address}`,
    `--tls-dir=${site.tlsDir}`,
    `--data-dir=${site.folder}/data`,
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /in use by another resource manager/);
});

processTest("a platform without plugin is told as the reason of ERRORS", async (site) => {
  site.start();
  site.region.site({ platformType: PlatformType.PLATFORM_TYPE_VSPHERE });
  await until(
    "the reason is told",
    () => /Vsphere has no plugin/.test(site.region.cloudlet.at(-1)?.errors.join() ?? ""),
  );
});
