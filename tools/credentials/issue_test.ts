import assert from "node:assert/strict";
import { createCa, parseCertificate, splitPem, verifyPeer } from "../../shared/identity/mod.ts";
import {
  environmentOf,
  runToEnd,
  systemClock,
  systemFiles,
  systemProcesses,
  systemRandom,
} from "../../shared/runtime/mod.ts";
import { openSecrets } from "../../shared/secrets/mod.ts";
import { parseConfig } from "../../shared/service/mod.ts";
import { DATA_VERSION, layoutOf } from "../up/layout.ts";
import { CredentialsError, issueCredentials } from "./issue.ts";
import { credentialsOptions } from "./options.ts";

const clock = systemClock();
const deps = { files: systemFiles(), clock, random: systemRandom(), environment: environmentOf({}) };

/** A data folder as `up` leaves it, as far as certificates go. */
async function withData(work: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  const layout = layoutOf(`${root}/data`);
  await Deno.mkdir(layout.region("local"), { recursive: true });
  await Deno.writeTextFile(layout.version, JSON.stringify({ version: DATA_VERSION, uid: Deno.uid() }));
  await createCa({ secrets: await openSecrets(`file:${layout.secrets}`, deps), clock, random: deps.random });
  await work(root).finally(() => Deno.remove(root, { recursive: true }));
}

async function issue(root: string, ...args: string[]) {
  const config = await parseConfig(credentialsOptions, {
    args: [`--data=${root}/data`, "--cloudlet-org=Acme Ltd", "--cloudlet=berlin", `--out=${root}/tls`, ...args],
    env: environmentOf({}),
  });
  return await issueCredentials(config, deps);
}

Deno.test("credentials name the cloudlet, last as long as asked, and are renewed in place", () =>
  withData(async (root) => {
    const { issued } = await issue(root, "--ttl=240h", "--dns-names=crm.berlin.example", "--ip-addresses=10.0.0.7");
    const facts = parseCertificate(await Deno.readTextFile(`${root}/tls/cert.pem`));
    assert.deepEqual([facts.serial, facts.issuerTier], [issued.serial, "cloudlet"]);
    assert.ok(facts.dnsNames.includes("crm.berlin.example") && facts.ipAddresses.includes("10.0.0.7"));
    assert.ok(facts.notAfterMs > clock.now() + 239 * 3_600_000);
    const rule = [{
      tier: "cloudlet",
      region: "local",
      cloudlet: { organization: "Acme Ltd", name: "berlin" },
      services: ["crm"],
    }] as const;
    verifyPeer(splitPem(issued.certPem), rule, clock.now());
    assert.equal((await Deno.stat(`${root}/tls/key.pem`)).mode! & 0o777, 0o600);
    const again = await issue(root);
    assert.notEqual(again.issued.serial, issued.serial);
  }));

Deno.test("a folder of another service, an unknown region and a folder that is no platform's are refused", () =>
  withData(async (root) => {
    await issue(root);
    const before = await Deno.readTextFile(`${root}/tls/cert.pem`);
    const refused = (why: RegExp, ...args: string[]) =>
      assert.rejects(issue(root, ...args), (error) => error instanceof CredentialsError && why.test(error.message));
    await refused(
      /holds the certificate of region\/local\/cloudlet\/Acme Ltd\/berlin\/service\/crm/,
      "--service=shepherd",
    );
    await refused(/not a region of .*; there are: local/, "--region=eu");
    assert.equal(await Deno.readTextFile(`${root}/tls/cert.pem`), before);
    await Deno.writeTextFile(`${root}/data/version.json`, '{"version": 99}');
    await refused(/of version 99/);
    await Deno.remove(`${root}/data/version.json`);
    await refused(/not the data folder of a platform/);
  }));

Deno.test("a store without an authority is refused, not filled", () =>
  withData(async (root) => {
    await assert.rejects(issue(root, `--secrets=file:${root}/empty`), /holds no authority/);
    assert.equal(await deps.files.exists(`${root}/empty/ca/root.sealed`), false);
  }));

Deno.test("the command runs under its permission set", () =>
  withData(async (root) => {
    const source = new URL("../..", import.meta.url).pathname;
    const run = (...args: string[]) =>
      runToEnd(systemProcesses(), {
        command: Deno.execPath(),
        args: [
          "run",
          "--quiet",
          "--no-prompt",
          `--config=${source}deno.json`,
          "-P=credentials",
          `${source}tools/credentials/main.ts`,
          ...args,
        ],
        env: { NO_COLOR: "1" },
      }, { timeoutMs: 60_000, clock });
    const done = await run(`--data=${root}/data`, "--cloudlet-org=O", "--cloudlet=C", `--out=${root}/o`);
    assert.deepEqual([done.status.code, done.stderr], [0, ""]);
    assert.match(done.stdout, /^region\/local\/cloudlet\/O\/C\/service\/crm: .*valid until \d{4}-/);
    const wrong = await run("--cloudlet=C", "--oot=x");
    assert.equal(wrong.status.code, 2);
    assert.match(
      wrong.stderr,
      /^credentials: --oot: unknown option; did you mean --out\?; .*--cloudlet-org: is required.*\n$/,
    );
  }));
