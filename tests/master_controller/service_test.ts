import assert from "node:assert/strict";
import { join } from "node:path";
import { type CertificateAuthority, createCa, type Identity, writeCertificate } from "../../shared/identity/mod.ts";
import { systemClock, systemEnvironment, systemFiles, systemRandom } from "../../shared/runtime/mod.ts";
import { openSecrets } from "../../shared/secrets/mod.ts";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { ADMIN_PASSWORD } from "../../tiers/global/master-controller/testing/world.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../tools/up/postgres/mod.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DEADLINE_MS = 60_000;
const DEPS = { files: systemFiles(), clock: systemClock(), random: systemRandom(), environment: systemEnvironment() };

Deno.test("master controller: the process, under its own permission set", async (test) => {
  await using site = await makeSite();
  await test.step("refuses what cannot work, in one line", () => refusesToStart(site));
  await test.step("serves over TLS, and takes only the controller of the region", () => serves(site));
  await test.step("goes on when the database was killed", () => survivesDatabase(site));
  await test.step("ends in order on SIGTERM", () => endsInOrder(site));
});

/** Certificates, secrets and a database for the process. */
interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly ca: CertificateAuthority;
  postgres: EmbeddedPostgres;
  readonly rootPem: string;
}

async function makeSite(): Promise<Site> {
  const folder = await Deno.makeTempDir();
  const secrets = await openSecrets(`file:${folder}/secrets`, DEPS);
  const ca = await createCa({ secrets, ...DEPS });
  const issue = async (name: string, identity: Identity) =>
    await writeCertificate(join(folder, name), await ca.issue({ identity, dnsNames: ["localhost"] }), DEPS);
  await issue("tls", { tier: "global", service: "master-controller" });
  await issue("other-tls", { tier: "regional", region: "local", service: "dme" });
  const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  await writeCertificate(join(folder, "public"), await ca.issuePublic(names), DEPS);
  await Deno.writeTextFile(join(folder, "admin-password"), `${ADMIN_PASSWORD}\n`);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, "postgres"), port: 0 });
  const site: Site = {
    ...{ folder, ca, postgres, rootPem: ca.rootPem },
    async [Symbol.asyncDispose]() {
      await site.postgres.stop();
      const relocated = (await Deno.readTextFile(join(folder, "postgres", "location")).catch(() => "")).trim();
      if (relocated !== "") await Deno.remove(relocated, { recursive: true });
      await Deno.remove(folder, { recursive: true });
    },
  };
  return site;
}

function optionsOf({ folder, postgres }: Site): Record<string, string> {
  return {
    addr: "127.0.0.1:0",
    database: postgres.url.replace(/:[^:@]+@/, "@"),
    "database-password-file": join(folder, "postgres", "password"),
    secrets: `file:${folder}/secrets`,
    "tls-dir": join(folder, "tls"),
    "public-tls-dir": join(folder, "public"),
    "superuser-password-file": join(folder, "admin-password"),
  };
}

function spawn(site: Site, options: Record<string, string | undefined>): Deno.ChildProcess {
  const flags = Object.entries(options).flatMap(([name, value]) => value === undefined ? [] : [`--${name}`, value]);
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "-P=master-controller"],
      ...[`--allow-read=${site.folder}`, `--allow-write=${site.folder}/secrets`],
      ...["tiers/global/master-controller/main.ts", ...flags, "--log-format", "json"],
    ],
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function refusesToStart(site: Site): Promise<void> {
  const good = optionsOf(site);
  const cases: [Record<string, string | undefined>, RegExp][] = [
    [{ ...good, "superuser-password-file": undefined }, /takes --superuser-password-file/],
    [
      { ...good, addr: "0.0.0.0:0", "public-tls-dir": undefined },
      /not a loopback address, which takes --public-tls-dir/,
    ],
    [{ ...good, "tls-dir": join(site.folder, "other-tls") }, /is that of .*dme, not .*master-controller/],
    [{ ...good, "database-password-file": join(site.folder, "admin-password") }, /password authentication failed/],
    [{ ...good, nonsense: "1" }, /--nonsense/],
  ];
  for (const [options, message] of cases) {
    const { code, stderr } = await spawn(site, options).output();
    const said = new TextDecoder().decode(stderr).trimEnd();
    assert.notEqual(code, 0);
    assert.ok(!said.includes(ADMIN_PASSWORD));
    const lines = said.split("\n");
    assert.match(lines.pop()!, message);
    // What comes before are log lines.
    for (const line of lines) assert.equal(typeof JSON.parse(line).message, "string", said);
  }
}

/** The process once it is ready, with its REST address. */
interface Running {
  readonly child: Deno.ChildProcess;
  readonly url: string;
  call(path: string, body: unknown, token?: string): Promise<{ status: number; text: string }>;
  end(): Promise<Deno.CommandStatus>;
}

async function run(site: Site): Promise<Running> {
  const child = spawn(site, optionsOf(site));
  const url = await readyUrl(child);
  const client = Deno.createHttpClient({ caCerts: [site.rootPem] });
  return {
    ...{ child, url },
    async call(path, body, token) {
      const response = await fetch(`${url}/api/v1/${path}`, {
        ...{ client, method: "POST", body: JSON.stringify(body) },
        headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
      });
      return { status: response.status, text: await response.text() };
    },
    async end() {
      client.close();
      child.kill("SIGTERM");
      return await child.status;
    },
  };
}

/** Reads the log until the line that says ready; goes on reading, so that the process is never held up. */
async function readyUrl(child: Deno.ChildProcess): Promise<string> {
  const ready = Promise.withResolvers<string>();
  const reading = async () => {
    let text = "";
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const line = text.split("\n").find((line) => line.includes('"message":"ready"') && line.endsWith("}"));
      if (line !== undefined) ready.resolve(JSON.parse(line).addresses.rest);
    }
    ready.reject(new Error(`The process ended before it was ready:\n${text}`));
  };
  const done = reading();
  done.catch(() => {});
  return await ready.promise;
}

async function login({ call }: Running): Promise<string> {
  const answer = await call("login", { username: "mexadmin", password: ADMIN_PASSWORD });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text).token;
}

async function serves(site: Site): Promise<void> {
  const doubleOf = async (identity: Identity) => {
    const { certPem, keyPem, caPem } = await site.ca.issue({ identity, dnsNames: ["localhost"] });
    return await new RegionDouble({ cert: certPem, key: keyPem, ca: caPem, requireClientCertificate: true }).start();
  };
  const right = await doubleOf({ tier: "regional", region: "local", service: "controller" });
  const wrong = await doubleOf({ tier: "regional", region: "local", service: "controller" });
  let running: Running | undefined;
  try {
    running = await run(site);
    const token = await login(running);
    await running.call("auth/controller/create", { Region: "local", Address: right.address }, token);
    await running.call("auth/controller/create", { Region: "other", Address: wrong.address }, token);
    const flavor = { key: { name: "small" }, ram: 1, vcpus: 1, disk: 1 };
    const made = await running.call("auth/ctrl/CreateFlavor", { region: "local", flavor }, token);
    assert.deepEqual(made, { status: 200, text: '{"message":"Create done"}' });
    // The other region's controller shows a certificate of region local.
    const refused = await running.call("auth/ctrl/CreateFlavor", { region: "other", flavor }, token);
    assert.equal(refused.status, 400, refused.text);
    assert.deepEqual(wrong.list("Flavor"), []);
    await assert.rejects(fetch(running.url), "a client that does not know the CA must be warned");
  } finally {
    await running?.end();
    await right.stop();
    await wrong.stop();
  }
}

async function survivesDatabase(site: Site): Promise<void> {
  const running = await run(site);
  try {
    const token = await login(running);
    const { port } = site.postgres;
    Deno.kill(site.postgres.pid, "SIGKILL");
    await site.postgres.exited;
    const down = await running.call("auth/org/show", {}, token);
    assert.equal(down.status, 500, down.text);
    assert.equal(down.text, '{"message":"Internal error"}');
    site.postgres = await startEmbeddedPostgres({ dataDir: join(site.folder, "postgres"), port });
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const { status, text } = await running.call("auth/org/show", {}, token);
      if (status === 200) break;
      assert.ok(performance.now() < deadline, `still ${status} ${text}`);
    }
  } finally {
    await running.end();
  }
}

async function endsInOrder(site: Site): Promise<void> {
  const running = await run(site);
  assert.deepEqual({ ...await running.end() }, { success: true, code: 0, signal: null });
}
