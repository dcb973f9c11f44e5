// Answers of an engine that a real one rarely gives; everything else is in tests/real/docker_plugin_test.ts.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { PlatformError } from "../../shared/platform/mod.ts";
import { operation } from "../../shared/platform/testing/mod.ts";
import { takenPort } from "./apps.ts";
import { unframe } from "./containers.ts";
import { connectEngine, type Engine, EngineError } from "./engine.ts";
import { ensureImage, imageName, parseImage } from "./images.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function withEngine(
  answers: Record<string, Answer>,
  work: (engine: Engine, paths: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url!.split("?")[0]!;
    paths.push(path);
    const answer = answers[path.replace(/^\/v[0-9.]+/, "")];
    if (answer) answer(request, response);
    else if (path === "/version") json(response, { ApiVersion: "1.41", MinAPIVersion: "1.12" });
    else {
      response.statusCode = 404;
      json(response, { message: "no such thing" });
    }
  });
  await new Promise<void>((resolve) => server.listen(`${folder}/socket`, resolve));
  try {
    await work(connectEngine(`unix://${folder}/socket`), paths);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await Deno.remove(folder, { recursive: true });
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.end(JSON.stringify(value));
}

Deno.test("engine: the version spoken is one that both know", async () => {
  for (
    const [newest, oldest, spoken] of [["1.41", "1.12", "1.41"], ["1.52", "1.24", "1.41"], ["1.30", "1.12", "1.30"], [
      "1.60",
      "1.44",
      "1.44",
    ]] as const
  ) {
    await withEngine({
      "/version": (_request, response) => json(response, { ApiVersion: newest, MinAPIVersion: oldest }),
      "/info": (_request, response) => json(response, {}),
    }, async (engine, paths) => {
      await engine.call({ path: "/info" });
      assert.deepEqual(paths, ["/version", `/v${spoken}/info`]);
    });
  }
});

Deno.test("engine: an error carries the engine's message, also when it is not JSON", async () => {
  await withEngine({
    "/json": (_request, response) => {
      response.statusCode = 409;
      json(response, { message: "conflict of names" });
    },
    "/text": (_request, response) => {
      response.statusCode = 500;
      response.end("<html>proxy</html>");
    },
  }, async (engine) => {
    await assert.rejects(
      engine.call({ path: "/json" }),
      (error) => error instanceof EngineError && error.status === 409 && error.message === "conflict of names",
    );
    await assert.rejects(
      engine.call({ path: "/text" }),
      (error) => error instanceof EngineError && /proxy/.test(error.message),
    );
  });
});

Deno.test("engine: one that is not there, or does not answer, is a transient failure that names it", async () => {
  await assert.rejects(connectEngine("unix:///nowhere/docker.sock").call({ path: "/info" }), (error) => {
    assert.ok(error instanceof PlatformError && error.fault === "Transient");
    return /\/nowhere\/docker\.sock cannot be reached/.test(error.message);
  });
  await withEngine({ "/info": () => {} }, async (engine) => {
    await assert.rejects(engine.call({ path: "/info", timeoutMs: 100 }), /no answer within 100 ms/);
    const reason = new Error("given up");
    await assert.rejects(engine.call({ path: "/info", signal: AbortSignal.abort(reason) }), reason);
  });
});

Deno.test("images: a pull whose stream ends in an error tells what kind it is", async () => {
  const pull = (text: string): Answer => (_request, response) => {
    response.write('{"status":"Pulling from dev/app"}\n{"status":"Downloading","pro');
    response.end(`gress":"1/2"}\n{"error":${JSON.stringify(text)}}\n`);
  };
  for (
    const [text, fault] of [
      ["manifest for dev/app:1 not found: manifest unknown", "NotFound"],
      ["pull access denied for dev/app", "NotFound"],
      ["dial tcp: i/o timeout", "Transient"],
    ] as const
  ) {
    await withEngine({ "/images/create": pull(text) }, async (engine) => {
      const progress = operation();
      await assert.rejects(ensureImage(engine, parseImage("dev/app:1"), { refresh: false }, progress), (error) => {
        assert.ok(error instanceof PlatformError && error.fault === fault, String(error));
        return error.message.includes("dev/app:1") && error.message.includes(text);
      });
      assert.ok(progress.lines.includes("Pulling the image: Pulling from dev/app"), progress.lines.join());
    });
  }
});

Deno.test("images: a fresh one is asked for, and the present one kept when there is none", async () => {
  await withEngine({
    "/images/dev%2Fapp%3A1/json": (_request, response) => json(response, {}),
    "/images/create": (_request, response) => response.end('{"error":"dial tcp: connection refused"}\n'),
  }, async (engine, paths) => {
    await ensureImage(engine, parseImage("dev/app:1"), { refresh: false }, operation());
    assert.ok(!paths.some((path) => path.endsWith("/images/create")));
    const progress = operation();
    await ensureImage(engine, parseImage("dev/app:1"), { refresh: true }, progress);
    assert.match(progress.lines.at(-1)!, /kept the present one/);
  });
});

Deno.test("images: names are split into name and tag or digest", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  for (
    const [text, name] of [
      ["app", "app:latest"],
      ["localhost:5000/dev/app:1.0", "localhost:5000/dev/app:1.0"],
      ["https://registry.example/dev/app", "registry.example/dev/app:latest"],
      [`docker.io/dev/app:1@${digest}`, `docker.io/dev/app@${digest}`],
    ] as const
  ) assert.equal(imageName(parseImage(text)), name);
  for (const bad of ["", "a b", "app:", "app:bad tag", "-app", "app@sha256:12"]) {
    assert.throws(() => parseImage(bad), PlatformError, bad);
  }
});

Deno.test("takenPort finds the port in each of the engine's wordings", () => {
  const wordings: [string, string | undefined][] = [
    [
      "driver failed programming external connectivity on endpoint x (ab): Bind for 0.0.0.0:21003 failed: port is already allocated",
      "21003",
    ],
    [
      "driver failed: Error starting userland proxy: listen tcp4 0.0.0.0:21003: bind: address already in use",
      "tcp:21003",
    ],
    ["listen udp 0.0.0.0:53: bind: address already in use", "udp:53"],
    ["no space left on device", undefined],
  ];
  for (const [message, port] of wordings) assert.equal(takenPort(message), port);
});

Deno.test("unframe joins the frames of a log and ignores one that is cut", () => {
  const frame = (text: string) => {
    const data = new TextEncoder().encode(text);
    const bytes = new Uint8Array(8 + data.length);
    bytes[0] = 1;
    new DataView(bytes.buffer).setUint32(4, data.length);
    bytes.set(data, 8);
    return [...bytes];
  };
  assert.equal(unframe(new Uint8Array([...frame("one\n"), ...frame("two\n"), 1, 0, 0])), "one\ntwo\n");
});
