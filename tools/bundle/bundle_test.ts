// The shipped forms of an agent, each made and run as a site would.
import assert from "node:assert/strict";
import { type CrmCommand, wholeLife, withSite } from "../../tiers/cloudlet/crm/testing/process.ts";
import { agentOf } from "./agents.ts";
import { bundleAgent } from "./bundle.ts";
import { compileAgent, failureText } from "./compile.ts";
import { tar } from "./tar.ts";

const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const PATH = "/usr/local/bin:/usr/bin:/bin";

interface Shipped {
  /** A folder with nothing but the executable. */
  folder: string;
  home: string;
  path: string;
  run(
    args: string[],
    env?: Record<string, string>,
    path?: string,
  ): Promise<{ code: number; stdout: string; stderr: string }>;
}

async function ship(work: (shipped: Shipped) => Promise<void>, agent = "crm"): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "bundle-test-" });
  const [folder, home] = [`${root}/site`, `${root}/home`];
  await Deno.mkdir(folder);
  await Deno.mkdir(home);
  try {
    const made = await bundleAgent(agentOf(agent), { source, out: `${root}/out`, runtime: Deno.execPath() });
    await Deno.copyFile(made, `${folder}/${agent}`);
    await Deno.remove(`${root}/out`, { recursive: true });
    await work({
      folder,
      home,
      path: `${folder}/${agent}`,
      async run(args, env = {}, path = `${folder}/${agent}`) {
        const { code, stdout, stderr } = await new Deno.Command(path, {
          args,
          cwd: folder,
          clearEnv: true,
          env: { HOME: home, PATH, ...env },
          stdin: "null",
          stdout: "piped",
          stderr: "piped",
        }).output();
        const text = new TextDecoder();
        return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
      },
    });
  } finally {
    await Deno.chmod(folder, 0o755);
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test({
  name: "bundle: alone in an empty folder with an empty HOME it helps, refuses bad configuration and detects damage",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    ship(async ({ folder, home, path, run }) => {
      const help = await run(["--help"]);
      assert.equal(help.code, 0, help.stderr);
      assert.match(help.stdout, /crm — .*[^]*--notify-addrs/);
      assert.deepEqual(await namesIn(home), []);
      assert.deepEqual(await namesIn(folder), [".archipelago-cache", "crm"]);

      const bad = await run(["--cloudlett=op/site"]);
      assert.equal(bad.code, 2);
      assert.match(bad.stderr, /did you mean --cloudlet/);
      const empty = await run([], { HOME: "" });
      assert.equal(empty.code, 2);
      assert.match(empty.stderr, /--cloudlet.*required/);

      const elsewhere = await run(["--version"], { ARCHIPELAGO_CACHE: `${home}/cache` });
      assert.match(elsewhere.stdout, /^crm [0-9]/);
      assert.equal((await namesIn(`${home}/cache`)).length, 1);
      const xdg = await run(["--version"], { XDG_CACHE_HOME: `${home}/xdg` });
      assert.equal(xdg.code, 0);
      assert.deepEqual(await namesIn(`${home}/xdg/archipelago`), await namesIn(`${home}/cache`));
      const unwritable = await run(["--version"], { ARCHIPELAGO_CACHE: "/proc/none" });
      assert.equal(unwritable.code, 1);
      assert.match(unwritable.stderr, /^crm: cannot write to \/proc\/none; set ARCHIPELAGO_CACHE/);

      const bytes = await Deno.readFile(path);
      const cut = `${folder}/cut`;
      await Deno.writeFile(cut, bytes.subarray(0, bytes.length / 2), { mode: 0o755 });
      const half = await run(["--version"], { ARCHIPELAGO_CACHE: `${home}/c1` }, cut);
      assert.equal(half.code, 1);
      assert.match(half.stderr, /^crm: the file .*cut is damaged/);
      assert.deepEqual(await namesIn(`${home}/c1`), []);
      bytes[bytes.length >> 1]! ^= 1;
      await Deno.writeFile(cut, bytes, { mode: 0o755 });
      const flipped = await run(["--version"], { ARCHIPELAGO_CACHE: `${home}/c2` }, cut);
      assert.equal(flipped.code, 1);
      assert.match(flipped.stderr, /^crm: the file .*cut is damaged/);
      assert.deepEqual(await namesIn(`${home}/c2`), []);
    }),
});

Deno.test({
  name: "bundle: joined to a notify parent it is a whole resource manager, under its fixed permissions",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    ship(async ({ folder, home, path }) => {
      const shipped: CrmCommand = (_site, args) => ({
        command: path,
        args: [...args],
        cwd: folder,
        env: { HOME: home, PATH, DENO_DIR: "/nonexistent" },
      });
      await withSite(shipped, wholeLife);
      assert.deepEqual(await namesIn(home), []);
    }),
});

Deno.test({
  name: "bundle: a matching engine, alone in an empty folder, helps and comes as far as its certificate",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    ship(async ({ folder, run }) => {
      const help = await run(["--help"]);
      assert.equal(help.code, 0, help.stderr);
      assert.match(help.stdout, /dme — .*[^]*--access-key-file/);
      // Under its permissions it reads what it is given, and may write in its two folders alone.
      const access = ["--access-api-addr=127.0.0.1:1", `--access-ca=${folder}/root.pem`, "--cloudlet=site"];
      const folders = [`--tls-dir=${folder}/tls`, `--public-tls-dir=${folder}/public`, "--admin-addr=127.0.0.1:0"];
      await Deno.writeTextFile(`${folder}/root.pem`, "");
      const all = [...access, ...folders, "--cloudlet-org=op", `--access-key-file=${folder}/none.pem`];
      const keyless = await run(all);
      assert.notEqual(keyless.code, 0);
      assert.match(keyless.stderr + keyless.stdout, /none\.pem: there is no access key/);
      const comma = await run(["--tls-dir=a,b"]);
      assert.match(comma.stderr, /^dme: the folder of --tls-dir must not hold a comma: a,b/);
    }, "dme"),
});

Deno.test("compile: a base runtime that is none is refused, and nothing stays", async () => {
  const out = await Deno.makeTempDir();
  try {
    const places = { source, out, runtime: Deno.execPath() };
    await assert.rejects(
      compileAgent(agentOf("crm"), places, `${out}/absent`),
      /DENORT_BIN names .*absent, which is not a file/,
    );
    await assert.rejects(compileAgent(agentOf("crm"), places, Deno.execPath()), /is not a denort/);
    assert.deepEqual(await namesIn(out), []);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("compile: without a base runtime and without network the message says what to do", () => {
  const text = failureText(
    "error: error sending request for url (https://dl.example/denort.zip): dns error",
    agentOf("crm"),
    undefined,
  );
  assert.match(text, /set DENORT_BIN/);
  assert.match(text, /deno task bundle --agent crm/);
  assert.ok(!text.includes("https://"));
});

Deno.test("tar makes archives that tar reads", async () => {
  const bytes = tar([
    { name: "a/b", bytes: new TextEncoder().encode("hello"), mode: 0o755 },
    { name: "empty", bytes: new Uint8Array(), mode: 0o644 },
    { name: "big", bytes: new Uint8Array(100_000).fill(7), mode: 0o600 },
  ]);
  const child = new Deno.Command("tar", { args: ["-tvf", "-"], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(bytes);
  await writer.close();
  const { code, stdout } = await child.output();
  assert.equal(code, 0);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assert.match(lines[0]!, /^-rwxr-xr-x.* 5 .*a\/b$/);
  assert.match(lines[1]!, /^-rw-r--r--.* 0 .*empty$/);
  assert.match(lines[2]!, /^-rw-------.* 100000 .*big$/);
  assert.throws(() => tar([{ name: "x".repeat(101), bytes: new Uint8Array(), mode: 0 }]), RangeError);
});

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}
