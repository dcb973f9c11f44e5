import assert from "node:assert/strict";
import fc from "fast-check";
import { environmentOf } from "../runtime/mod.ts";
import {
  commonOptions,
  ConfigError,
  defineOptions,
  formatAddress,
  formatDuration,
  helpText,
  nearest,
  parseAddress,
  parseConfig,
  parseDuration,
  printableConfig,
} from "./mod.ts";

const options = defineOptions({
  apiAddr: { kind: "address", default: ":55001", description: "Where the API listens." },
  store: { kind: "url", required: true, schemes: ["sqlite", "etcd"], description: "Where objects are kept." },
  dataDir: { kind: "path", description: "Where files are kept." },
  workers: { kind: "int", min: 1, max: 8, default: 2, description: "How many." },
  timeout: { kind: "duration", default: "1m30s", minMs: 1000, description: "How long." },
  peers: { kind: "list", default: [], pattern: /^[a-z]+$/, description: "Whom to ask." },
  mode: { kind: "enum", values: ["fast", "safe"], default: "safe", description: "How." },
  trace: { kind: "bool", default: true, description: "Whether." },
  limits: { kind: "json", default: {}, description: "What." },
  password: { kind: "string", secret: true, description: "The key to it all." },
  config: { kind: "path", description: "A file." },
});

function parse(args: string[], env: Record<string, string> = {}, file = "") {
  return parseConfig(options, {
    args,
    env: environmentOf(env),
    readFile: (path) =>
      path === "/etc/c.yaml" ? Promise.resolve(file) : Promise.reject(new Error(`No such file: ${path}`)),
    resolvePath: (path) => path.startsWith("/") ? path : `/cwd/${path}`,
  });
}

async function faults(args: string[], env: Record<string, string> = {}, file = ""): Promise<string> {
  try {
    await parse(args, env, file);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  throw new assert.AssertionError({ message: `accepted ${args}` });
}

Deno.test("values come from flags, then variables, then the file, then defaults", async () => {
  const file = "store: sqlite:file.db\nworkers: 5\npeers: [a, b]\ntimeout: 2s\nlimits: {a: [1]}\ntrace: false\n";
  const env = { ARCHIPELAGO_STORE: "etcd:http://h", ARCHIPELAGO_WORKERS: "4", ARCHIPELAGO_CONFIG: "/etc/c.yaml" };
  assert.deepEqual(await parse(["--workers=3", "--data-dir", "state"], env, file), {
    apiAddr: { hostname: "127.0.0.1", port: 55001 },
    store: "etcd:http://h",
    dataDir: "/cwd/state",
    workers: 3,
    timeout: 2_000,
    peers: ["a", "b"],
    mode: "safe",
    trace: false,
    limits: { a: [1] },
    password: undefined,
    config: "/etc/c.yaml",
  });
});

Deno.test("switches, their negation, repeated lists and values that look like flags", async () => {
  const config = await parse([
    "--store",
    "sqlite:x",
    "--no-trace",
    "--peers",
    "a",
    "--peers=b,c",
    "--password",
    "--odd",
  ]);
  assert.deepEqual([config.trace, config.peers, config.password], [false, ["a", "b", "c"], "--odd"]);
  assert.equal((await parse(["--store=sqlite:x", "--trace"])).trace, true);
});

Deno.test("unknown names are refused with the nearest one, in flags and in the file", async () => {
  assert.equal(
    await faults(["--store=sqlite:x", "--wokers", "3", "--config", "/etc/c.yaml"], {}, "tiemout: 3s\nzzz: 1\n"),
    "--wokers: unknown option; did you mean --workers?; " +
      "tiemout in the configuration file: unknown option; did you mean timeout?; " +
      "zzz in the configuration file: unknown option; --help lists them all",
  );
  assert.match(await faults(["--store=sqlite:x", "positional"]), /positional: unexpected argument/);
});

Deno.test("all faults are reported together, each with option, value and rule", async () => {
  const message = await faults(
    ["--api-addr", "host:99999", "--workers", "9", "--mode", "saef", "--timeout", "1ms", "--peers", "a,B"],
    { ARCHIPELAGO_TRACE: "yes" },
  );
  assert.deepEqual(message.split("; "), [
    '--api-addr "host:99999": must be host:port, [v6]:port or :port with a port of 0 to 65535',
    "--store: is required",
    '--workers "9": must be a whole number from 1 to 8',
    '--timeout "1ms": must be at least 1s',
    '--peers "a,B": entry "B" must match ^[a-z]+$',
    '--mode "saef": must be one of fast, safe (did you mean safe?)',
    'ARCHIPELAGO_TRACE "yes": must be true or false',
  ]);
});

Deno.test("a file that is missing, no YAML or no mapping is one clear fault", async () => {
  const args = ["--store=sqlite:x", "--config"];
  assert.match(await faults([...args, "/none"]), /--config "\/none": cannot be read: No such file/);
  assert.match(await faults([...args, "/etc/c.yaml"], {}, "password: {hunter2"), /is not YAML/);
  assert.doesNotMatch(await faults([...args, "/etc/c.yaml"], {}, "password: {hunter2"), /hunter2/);
  assert.match(await faults([...args, "/etc/c.yaml"], {}, "- a"), /must hold a mapping/);
});

Deno.test("missing values, repeated flags and wrong schemes are refused", async () => {
  assert.match(await faults(["--store"]), /--store: needs a value/);
  assert.match(await faults(["--store=sqlite:x", "--workers=1", "--workers=2"]), /--workers: is given twice/);
  assert.match(await faults(["--store=postgres:x"]), /must begin with sqlite: or etcd:/);
  assert.match(await faults(["--store=sqlite:x", "--no-workers"]), /--no-workers: unknown option/);
});

Deno.test("secrets are neither in errors nor in the printed configuration, which parses to the same", async () => {
  const secretOption = {
    pin: { kind: "string", pattern: /^\d+$/, form: "digits", secret: true, description: "" },
  } as const;
  const attempt = parseConfig(secretOption, { args: ["--pin", "hunter2"], env: environmentOf({}) });
  await assert.rejects(
    attempt,
    (error: Error) => !error.message.includes("hunter2") && /--pin: must be digits/.test(error.message),
  );
  const config = await parse([
    "--store=etcd:http://ann:pw@h",
    "--password=hunter2",
    "--timeout=90500ms",
    "--workers=7",
  ]);
  const printed = printableConfig(options, config);
  assert.doesNotMatch(printed, /hunter2|:pw@/);
  const again = await parse(
    ["--config=/etc/c.yaml", "--store=etcd:http://ann:pw@h", "--password=hunter2"],
    {},
    printed,
  );
  assert.deepEqual({ ...again, config: undefined }, config);
});

Deno.test("help names each option with its form, default and purpose", () => {
  const text = helpText("dme", "Matches devices.", { ...options, ...commonOptions });
  for (
    const part of [
      "dme — Matches devices.",
      "--api-addr HOST:PORT   (default :55001)",
      "--store sqlite:…|etcd:…   (required)",
      "--[no-]trace",
      "--mode fast|safe",
      "--admin-addr",
    ]
  ) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(text.split("\n").every((line) => line.length <= 101));
});

Deno.test("addresses and durations read back what they write", () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }), (hostname, port) => {
      assert.deepEqual(parseAddress(formatAddress({ hostname, port })), { hostname, port });
    }),
  );
  fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => {
    assert.equal(parseDuration(formatDuration(ms)), ms);
  }));
  for (const bad of ["", "5", "-1s", "1x", "s", "1s ", "1e3s"]) assert.equal(parseDuration(bad), undefined, bad);
  for (const bad of ["", "host", "host:", "a b:1", ":70000", "[::1]", "::1:5"]) {
    assert.equal(parseAddress(bad), undefined, bad);
  }
});

Deno.test("nearest finds slips and nothing far-fetched", () => {
  assert.equal(nearest("regoin", ["region", "store"]), "region");
  assert.equal(nearest("xyzzy", ["region", "store"]), undefined);
  assert.equal(nearest("a", []), undefined);
});

Deno.test("whatever is typed, the answer is a configuration or a ConfigError of one line", async () => {
  const word = fc.oneof(
    fc.constantFrom(
      "--store",
      "--store=sqlite:x",
      "--workers",
      "--no-trace",
      "--peers=a",
      "--limits",
      "--",
      "-x",
      "{}",
      "3",
    ),
    fc.string(),
    fc.string().map((text) => `--${text}`),
  );
  await fc.assert(fc.asyncProperty(fc.array(word, { maxLength: 6 }), fc.string(), async (args, file) => {
    try {
      const config = await parse([...args, "--config=/etc/c.yaml"], {}, file);
      assert.ok(config.workers >= 1 && config.workers <= 8 && typeof config.store === "string");
    } catch (error) {
      assert.ok(error instanceof ConfigError && error.issues.length > 0, String(error));
    }
  }));
});
