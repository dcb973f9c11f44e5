import assert from "node:assert/strict";
import { createChannel } from "../channel.ts";
import { createClient } from "../client.ts";
import { RpcError } from "../error.ts";
import { type Method, rawBytes } from "../method.ts";
import { createServer } from "../server.ts";
import { Status } from "../status.ts";
import { addReflection, ReflectionV1, ReflectionV1Alpha } from "./mod.ts";
import { bytesField, joinBytes, nestedOf, numberField, readFields, textField, textOf } from "../wire.ts";

const WAIT_MS = 30_000;

/** A file with one message (a field, a nested enum, a oneof) and services. */
function file(scope: string, name: string, dependencies: string[], services: string[]): Uint8Array {
  const colour = joinBytes([
    textField(1, "Colour"),
    bytesField(2, joinBytes([textField(1, "RED"), numberField(2, 300)])),
  ]);
  return joinBytes([
    textField(1, name),
    textField(2, scope),
    ...dependencies.map((dependency) => textField(3, dependency)),
    bytesField(
      4,
      joinBytes([
        textField(1, "Thing"),
        bytesField(2, joinBytes([textField(1, "size"), numberField(3, 1)])),
        bytesField(4, colour),
        bytesField(8, textField(1, "choice")),
      ]),
    ),
    ...services.map((service) => bytesField(6, joinBytes([textField(1, service), bytesField(2, textField(1, "Do"))]))),
    textField(12, "proto3"),
  ]);
}

const base = file("base", "base.proto", [], []);
const shop = file("shop", "shop.proto", ["base.proto"], ["Shop"]);
const hidden = file("hidden", "hidden.proto", ["base.proto"], ["Vault"]);
const files = [hidden, shop, base].map((bytes) => ({ bytes: () => bytes }));

const unary: Method<Uint8Array, Uint8Array> & { requestStream: false; responseStream: false } = {
  path: "/shop.Shop/Do",
  requestStream: false,
  responseStream: false,
  input: rawBytes,
  output: rawBytes,
};

type Answer = { files: Uint8Array[]; services: string[]; error?: number; original: Uint8Array };

function read(bytes: Uint8Array): Answer {
  const answer: Answer = { files: [], services: [], original: new Uint8Array() };
  for (const [number, value] of readFields(bytes)) {
    const inner = (): ReturnType<typeof readFields> => readFields(nestedOf(value));
    if (number === 2) answer.original = nestedOf(value);
    if (number === 4) answer.files = inner().map(([, each]) => nestedOf(each));
    if (number === 6) answer.services = inner().map(([, each]) => textOf(readFields(nestedOf(each))[0]![1]));
    if (number === 7) answer.error = inner()[0]![1] as number;
  }
  return answer;
}

async function withServer(
  body: (ask: (...requests: Uint8Array[]) => Promise<Answer[]>, askAlpha: typeof ask) => Promise<void>,
): Promise<void> {
  const server = createServer();
  addReflection(server, files);
  server.addService({ name: "shop.Shop", methods: { do: unary } }, { do: (request) => request });
  const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });
  const channel = createChannel({ address: `127.0.0.1:${port}` });
  const asker = (service: typeof ReflectionV1) => async (...requests: Uint8Array[]): Promise<Answer[]> => {
    async function* all(): AsyncGenerator<Uint8Array> {
      yield* requests;
    }
    const answers: Answer[] = [];
    const client = createClient(service, channel, { timeoutMs: WAIT_MS });
    for await (const answer of client.serverReflectionInfo(all())) answers.push(read(answer));
    return answers;
  };
  try {
    await body(asker(ReflectionV1), asker(ReflectionV1Alpha));
  } finally {
    channel.close();
    await server.close();
  }
}

Deno.test("reflection lists what the server serves, in both versions", async () => {
  await withServer(async (ask, askAlpha) => {
    const names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "shop.Shop"];
    for (const version of [ask, askAlpha]) {
      const [list] = await version(textField(7, ""));
      assert.deepEqual(list!.services, names);
      assert.deepEqual(list!.original, textField(7, ""));
    }
  });
});

Deno.test("reflection finds files by name and by each kind of symbol, with their imports in front", async () => {
  await withServer(async (ask) => {
    assert.deepEqual((await ask(textField(3, "shop.proto")))[0]!.files, [base, shop]);
    for (
      const symbol of [
        "shop.Shop",
        "shop.Shop.Do",
        "shop.Thing",
        "shop.Thing.size",
        "shop.Thing.choice",
        "shop.Thing.Colour",
        "shop.Thing.RED",
      ]
    ) {
      assert.deepEqual((await ask(textField(4, symbol)))[0]!.files, [base, shop], symbol);
    }
    assert.deepEqual((await ask(textField(4, "base.Thing")))[0]!.files, [base]);
  });
});

Deno.test("reflection describes itself, and health where it is served", async () => {
  await withServer(async (ask) => {
    const answers = await ask(
      textField(4, "grpc.reflection.v1.ServerReflection.ServerReflectionInfo"),
      textField(4, "grpc.reflection.v1alpha.ErrorResponse.error_code"),
      textField(4, "grpc.health.v1.Health"),
    );
    assert.deepEqual(answers.map(({ files, error }) => [files.length, error]), [[1, undefined], [1, undefined], [
      0,
      5,
    ]]);
  });
});

Deno.test("reflection sends an import once a stream, and what is asked for always", async () => {
  await withServer(async (ask) => {
    const answers = await ask(textField(3, "shop.proto"), textField(4, "shop.Thing"), textField(3, "base.proto"));
    assert.deepEqual(answers.map((answer) => answer.files), [[base, shop], [shop], [base]]);
  });
});

Deno.test("reflection knows nothing of extensions, unknown names and files that no service needs", async () => {
  await withServer(async (ask) => {
    const answers = await ask(
      textField(3, "nothing.proto"),
      textField(4, "shop.Nothing"),
      bytesField(5, joinBytes([textField(1, "shop.Thing"), numberField(2, 100)])),
      textField(6, "shop.Thing"),
      textField(3, "hidden.proto"),
      textField(4, "hidden.Vault"),
      textField(7, ""),
    );
    assert.deepEqual(answers.map((answer) => answer.error), [5, 5, 5, 5, 5, 5, undefined]);
    assert.equal(answers[6]!.services.length, 3, "the stream goes on behind a name that is unknown");
  });
});

Deno.test("reflection refuses requests that are none or too long", async () => {
  await withServer(async (ask) => {
    for (
      const bad of [new Uint8Array(), new Uint8Array([0x22, 0x7f]), textField(4, "x".repeat(5_000)), numberField(4, 1)]
    ) {
      await assert.rejects(
        ask(bad),
        (error) => error instanceof RpcError && error.code === Status.INVALID_ARGUMENT,
      );
    }
  });
});
