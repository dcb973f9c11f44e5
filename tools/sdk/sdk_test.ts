// The SDK as one module, used by Node as a program would, against a matching engine.
import assert from "node:assert/strict";
import { serveHttp } from "../../shared/runtime/mod.ts";
import { dme } from "../../shared/schema/mod.ts";
import { withRegion } from "../../sdk/device/testing/region.ts";
import { appInst } from "../../tiers/regional/dme/testing/region.ts";
import { buildDeviceSdk, MODULE } from "./build.ts";
import { exampleHandler } from "./serve.ts";

const source = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

async function withModule(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sdk-test-" });
  try {
    const path = await buildDeviceSdk({ source, out: folder });
    assert.equal(path, `${folder}/${MODULE}`);
    await Deno.writeTextFile(`${folder}/package.json`, `{"type":"module"}`);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a program of Node to its end. */
async function node(folder: string, program: string, args: string[]): Promise<string> {
  await Deno.writeTextFile(`${folder}/program.mjs`, program);
  const { code, stdout, stderr } = await new Deno.Command("node", {
    args: [`${folder}/program.mjs`, ...args],
    signal: AbortSignal.timeout(60_000),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stderr));
  return text.decode(stdout);
}

Deno.test("the module has no imports and names no runtime", async () => {
  await withModule(async (folder) => {
    const text = await Deno.readTextFile(`${folder}/${MODULE}`);
    assert.doesNotMatch(text, /^\s*import\b|\bimport\(|\brequire\(|\bDeno\.|\bprocess\.|\bnode:/m);
    const ours = await import("../../sdk/device/mod.ts");
    const built = await import(`file://${folder}/${MODULE}`);
    assert.deepEqual(Object.keys(built).sort(), Object.keys(ours).sort());
  });
});

Deno.test("the documented example runs in Node: it finds its back-end and moves to another one", async () => {
  const documented = /```js\n(.*?)```/s.exec(await Deno.readTextFile(`${source}/docs/sdk.md`))![1]!;
  await withModule((folder) =>
    withRegion(async ({ region, url }) => {
      const backends = await Promise.all(["south", "north"].map((name) =>
        serveHttp({ hostname: "127.0.0.1", port: 0, handler: () => Promise.resolve(new Response(`in the ${name}`)) })
      ));
      try {
        const places = [["north-3", "127.0.0.1", 48.1351, 11.582], ["north-2", "localhost", 52.7374, 13.405]] as const;
        for (const [index, [name, uri, latitude, longitude]] of places.entries()) {
          region.tables.setInstance({
            ...appInst(["acme", "alpha", "1.1"], "northtel", name, uri, [latitude, longitude]),
            mappedPorts: [
              dme.AppPort.create({
                proto: dme.LProto.L_PROTO_TCP,
                internalPort: 80,
                publicPort: backends[index]!.port,
              }),
            ],
          });
        }
        const lines = (await node(folder, documented, [url])).trim().split("\n");
        assert.deepEqual(lines, [
          `http://127.0.0.1:${backends[0]!.port}/ in the south`,
          "because of closer",
          `http://localhost:${backends[1]!.port}/ in the north`,
        ]);
      } finally {
        await Promise.all(backends.map((each) =>
          each.close()
        ));
      }
    })
  );
});

const FORMS = `
import { createDevice, MatchError } from "./archipelago-device.js";
const device = createDevice({ url: process.argv[2], app: { organization: "acme", name: "alpha", version: "1.1" } });
const events = device.followEdgeEvents(await device.findCloudlet({ latitude: 48, longitude: 11.5 }), { latencyIntervalMs: 0 });
const forms = [];
for await (const event of events) {
  if (event.type === "open") forms.push(event.form);
  if (event.type === "open" && forms.length === 1) events.updateLocation({ latitude: 52.6, longitude: 13.4 });
  if (forms.length === 2) break;
}
await events.close();
const refused = await device.findCloudlet({ latitude: 99, longitude: 0 }).catch((error) => error);
console.log(JSON.stringify({ forms, sockets: typeof WebSocket, refused: refused instanceof MatchError && refused.code }));
`;

Deno.test("in Node a stream comes by server-sent events where there are no WebSockets, and the program can end", async () => {
  await withModule((folder) =>
    withRegion(async ({ url }) => {
      const { forms, sockets, refused } = JSON.parse(await node(folder, FORMS, [url]));
      const expected = sockets === "undefined" ? "server-sent-events" : "websocket";
      assert.deepEqual([forms, refused], [[expected, expected], "INVALID_ARGUMENT"]);
    })
  );
});

Deno.test("the example's server gives its own files and nothing else", async () => {
  const handler = exampleHandler({ page: `${source}/sdk/device/example`, module: `${source}/sdk/device/mod.ts` });
  const get = (path: string) => handler(new Request(`http://localhost${path}`));
  const page = await get("/");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  const links = [...(await page.text()).matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, link]) => link!);
  assert.deepEqual(links.sort(), ["page.css", "page.js"]);
  for (const link of [...links, MODULE]) {
    const found = await get(`/${link}`);
    assert.equal(found.status, 200);
    await found.body?.cancel();
  }
  for (const path of ["/mod.ts", "/../mod.ts", "/index.html", "//etc/passwd"]) {
    const none = await get(path);
    assert.equal(none.status, 404);
    await none.body?.cancel();
  }
});
