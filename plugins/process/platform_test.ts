import assert from "node:assert/strict";
import { parseProcessManifest } from "../../shared/manifest/mod.ts";
import { type AppSpec, type CloudletPlatform, PlatformError } from "../../shared/platform/mod.ts";
import {
  freePort,
  operation,
  platformConformance,
  platformContext,
  type PlatformUnderTest,
  until,
} from "../../shared/platform/testing/mod.ts";
import createPlatform from "./mod.ts";
import { sandboxOf } from "./sandbox.ts";

const HELLO = `
const port = Number(Deno.env.get("PORT"));
console.log("listening on", port);
Deno.serve({ port, onListen() {} }, () => new Response("hello from " + Deno.env.get("ARCHIPELAGO_CLOUDLET")));
`;

interface Setup extends PlatformUnderTest {
  folder: string;
  module(text: string, name?: string): Promise<string>;
  spec(number: number, changes?: Partial<AppSpec>): Promise<AppSpec>;
}

async function setup(
  options: { fetch?: typeof fetch; moduleRoots?: string[]; runtime?: string; variables?: Record<string, string> } = {},
): Promise<Setup> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "process-platform-" }));
  await Deno.mkdir(`${folder}/state`);
  const ports = new Map<number, number>();
  const self: Setup = {
    folder,
    create: createPlatform,
    async open(): Promise<CloudletPlatform> {
      const platform = createPlatform();
      await platform.init(
        platformContext({
          variables: { PROCESS_RESTART_DELAY_MS: "300", ...options.variables },
          directory: `${folder}/state`,
          runtime: options.runtime ?? Deno.execPath(),
          moduleRoots: options.moduleRoots ?? [],
          fetch: options.fetch ?? fetch,
        }),
        operation(),
      );
      return platform;
    },
    async module(text, name = `m${crypto.randomUUID()}.ts`) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      return `${folder}/${name}`;
    },
    async spec(number, changes = {}) {
      if (!ports.has(number)) ports.set(number, await freePort());
      return {
        key: `{"app":"${number}"}`,
        id: `app-${number}`,
        app: { organization: "dev", name: `app${number}`, version: "1.0" },
        deployment: "process",
        imagePath: await self.module(HELLO, "hello.ts"),
        command: "",
        manifest: "",
        ports: [{ protocol: "tcp", internalPort: 8080, publicPort: ports.get(number)!, endPort: 0 }],
        flavor: { name: "small", ramMb: 128, vcpus: 1, diskGb: 1 },
        revision: "1",
        ...changes,
      };
    },
    app: (number) => self.spec(number),
    writes: /^listening/m,
    withoutImage: (spec) => ({ ...spec, imagePath: `${folder}/absent.ts` }),
    crash(_spec, runtimeIds) {
      Deno.kill(Number(runtimeIds[0]!.replace("pid ", "")), "SIGKILL");
      return Promise.resolve();
    },
  };
  return self;
}

async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const cwd = await Deno.readLink(`/proc/${name}/cwd`).catch(() => "");
    if (cwd.startsWith(folder)) found.push(name);
  }
  return found;
}

function platformTest(name: string, body: (test: Setup) => Promise<void>, options?: Parameters<typeof setup>[0]): void {
  Deno.test({
    name: `process: ${name}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const test = await setup(options);
      try {
        await body(test);
        assert.deepEqual(await processesIn(test.folder), [], "a process was left behind");
      } finally {
        for (const pid of await processesIn(test.folder)) Deno.kill(Number(pid), "SIGKILL");
        await Deno.remove(test.folder, { recursive: true });
      }
    },
  });
}

for (const { name, run } of platformConformance) platformTest(name, run);

async function run(test: Setup, spec: AppSpec, body: (platform: CloudletPlatform) => Promise<void>): Promise<void> {
  const platform = await test.open();
  try {
    await platform.apps.create(spec, operation());
    await body(platform);
  } finally {
    await platform.close({ stopApps: true });
  }
}

/** Creates an app that answers with the outcome of an expression, and returns the answer. */
async function evaluate(
  test: Setup,
  expression: string,
  manifest = "",
  changes: Partial<AppSpec> = {},
): Promise<string> {
  const text = `Deno.serve({ port: Number(Deno.env.get("PORT")), onListen() {} }, async () => {
    try { return new Response(String(await (${expression}))); } catch (error) { return new Response(error.name); }
  });`;
  const spec = await test.spec(1, { imagePath: await test.module(text), manifest, ...changes });
  let answer = "";
  await run(test, spec, async () => {
    const response = await fetch(`http://127.0.0.1:${spec.ports[0]!.publicPort}/`);
    answer = await response.text();
  });
  return answer;
}

platformTest("an app has nothing but its ports and its own variables", async (test) => {
  await Deno.writeTextFile(`${test.folder}/secret.txt`, "secret");
  Deno.env.set("SECRET_OF_THE_MANAGER", "x");
  const probes = [
    `Deno.readTextFile("${test.folder}/secret.txt")`,
    `Deno.writeTextFile("x", "")`,
    `Deno.readTextFile(".")`,
    `new Deno.Command("/bin/true").output()`,
    `Deno.connect({ hostname: "127.0.0.1", port: 1 })`,
    `Deno.connect({ hostname: "example.com", port: 80 })`,
    `Deno.listen({ port: 0 })`,
    `Deno.hostname()`,
    `import("file://${test.folder}/" + "hello.ts")`,
    `import("https://" + "example.com/x.ts")`,
    `Deno.dlopen("/lib/libc.so", {})`,
    `Deno.env.get("SECRET_OF_THE_MANAGER") ?? Deno.env.get("HOME") ?? Deno.env.get("DENO_DIR")`,
    `Deno.env.get("ARCHIPELAGO_PORTS")`,
  ];
  const expression = `Promise.all([${
    probes.map((probe) => `(async () => await ${probe})().catch((e) => e.name)`).join(",")
  }]).then(JSON.stringify)`;
  const answers = JSON.parse(await evaluate(test, expression)) as (string | null)[];
  for (const [index, answer] of answers.slice(0, 11).entries()) {
    assert.ok(answer === "NotCapable" || answer === "TypeError", `${probes[index]} gave ${answer}`);
  }
  assert.equal(answers[11], null);
  assert.match(answers[12]!, /^\{"tcp:8080":\d+\}$/);
});

platformTest("the manifest opens what it asks for", async (test) => {
  const scratch =
    `(async () => { const f = Deno.env.get("ARCHIPELAGO_SCRATCH") + "/a"; await Deno.writeTextFile(f, "kept"); return await Deno.readTextFile(f); })()`;
  assert.equal(await evaluate(test, scratch, "permissions: { read: [scratch], write: [scratch] }"), "kept");
  assert.equal(await evaluate(test, scratch, "permissions: { read: [scratch] }"), "NotCapable");
  assert.equal(await evaluate(test, `Deno.env.get("GREETING")`, "env: { GREETING: hi }"), "hi");
  const connect =
    `Deno.connect({ hostname: "192.0.2.1", port: 9, signal: AbortSignal.timeout(200) }).then(() => "open", (e) => e.name)`;
  assert.equal(await evaluate(test, connect), "NotCapable");
  assert.notEqual(await evaluate(test, connect, "permissions: { net: ['192.0.2.1:9'] }"), "NotCapable");
  assert.equal(await evaluate(test, "Deno.args.join('+')", "", { command: "one  two" }), "one+two");
});

platformTest(
  "a listed name that leads to the site's own machine stays closed, the own port is open on every address",
  async (test) => {
    const target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = target.addr as Deno.NetAddr;
    const spec = await test.spec(1);
    const manifest = parseProcessManifest(`permissions: { net: ["example.com:${port}"] }`);
    const { args } = sandboxOf(spec, manifest, {
      region: "local",
      cloudlet: { organization: "op", name: "site" },
      modulePath: await test.module(`
      const ends = await Promise.all(["localhost", "127.0.0.1", "0.0.0.0"].map((hostname) =>
        Deno.connect({ hostname, port: ${port} }).then(() => "open", (error) => error.name)));
      const own = Deno.listen({ hostname: "127.0.0.1", port: ${spec.ports[0]!.publicPort} });
      console.log(ends.join(), own.addr.port);
    `),
      scratchFolder: `${test.folder}/scratch`,
      cacheFolder: `${test.folder}/cache`,
    });
    // as if example.com resolved to this machine: allowed by name, denied by address
    const allowed = args.map((arg) =>
      arg.startsWith("--allow-net=") ? `${arg},localhost:${port},127.0.0.1:${port},0.0.0.0:${port}` : arg
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: allowed, env: { NO_COLOR: "1" } }).output();
    target.close();
    assert.equal(
      new TextDecoder().decode(stdout).trim(),
      `NotCapable,NotCapable,NotCapable ${spec.ports[0]!.publicPort}`,
    );
  },
);

platformTest("a heap above the limit ends the app, which comes back", async (test) => {
  const text = `Deno.serve({ port: Number(Deno.env.get("PORT")), onListen() {} }, () => {
    const all = []; for (;;) all.push(new Array(100000).fill(Math.random()));
  });`;
  const spec = await test.spec(1, { imagePath: await test.module(text), manifest: "memory_mb: 32" });
  await run(test, spec, async (platform) => {
    const seen: string[] = [];
    platform.apps.watch(() => void platform.apps.status(spec).then(({ state }) => seen.push(state)));
    await fetch(`http://127.0.0.1:${spec.ports[0]!.publicPort}/`).then((r) => r.text(), () => {});
    await until("it died and was started again", () => seen.includes("restarting") && seen.at(-1) === "running");
  });
});

for (
  const [what, text, rule] of [
    [
      "imports a file of the machine",
      `import x from "/etc/hostname.json" with { type: "json" }; console.log(x);`,
      "self-contained",
    ],
    ["imports a file by a relative name", `import "./hello.ts";`, "self-contained"],
    ["imports it dynamically", `await import("../../../../etc/x.json", { with: { type: "json" } });`, "self-contained"],
    ["imports from the network", `import "https://example.com/x.ts";`, "self-contained"],
    ["imports a package", `import "npm:left-pad@1";`, "self-contained"],
    ["imports through a data URL", `import "data:text/javascript,import%20'file:///etc/x.js'";`, "self-contained"],
    ["is no JavaScript", `this is not (`, "not a valid module"],
  ] as const
) {
  platformTest(`a module that ${what} is refused`, async (test) => {
    const platform = await test.open();
    const spec = await test.spec(1, { imagePath: await test.module(text) });
    await assert.rejects(platform.apps.create(spec, operation()), (error) => {
      assert.ok(error instanceof PlatformError && error.fault === "Invalid", String(error));
      assert.ok(error.message.includes(rule) && error.message.includes(spec.imagePath), error.message);
      assert.ok(!error.message.includes("instances/"), error.message);
      return true;
    });
    assert.deepEqual(await platform.apps.list(operation()), []);
    await platform.close();
  });
}

platformTest("an app that ends at once or never listens is a clear error, and nothing stays", async (test) => {
  const platform = await test.open();
  const dies = await test.spec(1, { imagePath: await test.module(`console.error("no database"); Deno.exit(3);`) });
  await assert.rejects(platform.apps.create(dies, operation()), /does not start.*ended with code 3.*no database/);
  const silent = await test.spec(2, { imagePath: await test.module(`setInterval(() => {}, 1000);`) });
  await assert.rejects(
    platform.apps.create(silent, operation()),
    /has not opened its ports/,
  );
  assert.deepEqual(await platform.apps.list(operation()), []);
  await platform.close();
}, { variables: { PROCESS_START_TIMEOUT_MS: "4000" } });

platformTest("a manifest that asks for what it may not have is refused with every fault", async (test) => {
  const platform = await test.open();
  const spec = await test.spec(1, { manifest: "permissions: { run: [sh], net: ['localhost:80'] }\nmemory_mb: 4096" });
  await assert.rejects(platform.apps.create(spec, operation()), /run.*localhost.*memory_mb/s);
  await platform.close();
});

platformTest("modules come from https with a checksum, never from the own machine", async (test) => {
  const platform = await test.open();
  const sum = [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(HELLO)))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const good = await test.spec(1, { imagePath: `https://cdn.example.com/moved.ts#sha256:${sum}` });
  await platform.apps.create(good, operation());
  await platform.apps.delete(good, operation());
  const failures: [string, RegExp][] = [
    [`https://cdn.example.com/hello.ts#sha256:${"0".repeat(64)}`, /has sha256/],
    ["https://cdn.example.com/absent.ts", /HTTP status 404/],
    ["https://cdn.example.com/loop.ts", /redirects more than/],
    ["https://cdn.example.com/inside.ts", /not allowed/],
    ["https://cdn.example.com/huge.ts", /larger than/],
    ["https://down.example.com/x.ts", /cannot be fetched/],
  ];
  for (const [imagePath, message] of failures) {
    await assert.rejects(platform.apps.create({ ...good, imagePath }, operation()), message);
  }
  await platform.close();
}, {
  fetch: (input) => {
    const { pathname, hostname } = new URL(String(input));
    if (hostname === "down.example.com") return Promise.reject(new TypeError("connection refused"));
    const to = (location: string) => new Response(null, { status: 302, headers: { location } });
    const endless = () => new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1024 * 1024)) });
    const responses: Record<string, () => Response> = {
      "/moved.ts": () => to("/hello.ts"),
      "/hello.ts": () => new Response(HELLO),
      "/loop.ts": () => to("/loop.ts"),
      "/inside.ts": () => to("https://127.0.0.1/hello.ts"),
      "/huge.ts": () => new Response(endless()),
    };
    return Promise.resolve(responses[pathname]?.() ?? new Response("none", { status: 404 }));
  },
});

platformTest("local modules come only from the site's folders, when it names some", async (test) => {
  await Deno.mkdir(`${test.folder}/modules`);
  await Deno.writeTextFile(`${test.folder}/modules/in.ts`, HELLO);
  const outside = await test.module(HELLO);
  await Deno.symlink(outside, `${test.folder}/modules/link.ts`);
  const platform = createPlatform();
  const opened = await setupWithRoots(test, platform);
  await opened.apps.create(await test.spec(1, { imagePath: `${test.folder}/modules/in.ts` }), operation());
  for (
    const imagePath of [
      outside,
      `${test.folder}/modules/link.ts`,
      `${test.folder}/modules/../${outside.split("/").at(-1)}`,
    ]
  ) {
    await assert.rejects(opened.apps.create(await test.spec(2, { imagePath }), operation()), /outside of the folders/);
  }
  await opened.close({ stopApps: true });
});

async function setupWithRoots(test: Setup, platform: CloudletPlatform): Promise<CloudletPlatform> {
  await platform.init(
    platformContext({ directory: `${test.folder}/state`, moduleRoots: [`${test.folder}/modules`] }),
    operation(),
  );
  return platform;
}

platformTest("a runtime that is none is refused at init", async (test) => {
  await assert.rejects(test.open(), (error) => error instanceof PlatformError && /\/bin\/true/.test(error.message));
}, { runtime: "/bin/true" });

platformTest("what died while nobody looked is started again, what has no record is ended", async (test) => {
  const before = await test.open();
  const spec = await test.spec(1);
  const lost = await test.spec(2);
  const first = await before.apps.create(spec, operation());
  await before.apps.create(lost, operation());
  await before.close();
  await test.crash(spec, first.runtimeIds);
  await Deno.writeTextFile(`${test.folder}/state/instances/${lost.id}/record.json`, "{ broken");
  const after = await test.open();
  await until("it runs again", async () => (await after.apps.status(spec)).state === "running");
  assert.deepEqual((await after.apps.list(operation())).map((found) => found.key), [spec.key]);
  assert.equal((await processesIn(`${test.folder}/state/instances/${lost.id}`)).length, 0);
  await after.close({ stopApps: true });
});

platformTest("the log of an app is bounded and readable by its owner only", async (test) => {
  const text = `${HELLO}; setInterval(() => { for (let i = 0; i < 200; i++) console.log("x".repeat(1000)); }, 20);`;
  const spec = await test.spec(1, { imagePath: await test.module(text) });
  await run(test, spec, async () => {
    const log = `${test.folder}/state/instances/${spec.id}/app.log`;
    await until("it was cut once", () => Deno.stat(`${log}.1`).then(() => true, () => false));
    assert.equal((await Deno.stat(log)).mode! & 0o777, 0o600);
    assert.ok((await Deno.stat(`${log}.1`)).size <= 256 * 1024);
  });
});
