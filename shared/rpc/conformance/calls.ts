import assert from "node:assert/strict";
import { createClient } from "../client.ts";
import { RpcError } from "../error.ts";
import { MessageBatch } from "../message_batch.ts";
import { Metadata } from "../metadata.ts";
import { Status } from "../status.ts";
import { bench, collect, Crooked, Echo, type Transports, WAIT_MS } from "./harness.ts";

/** Messages, metadata, status: what a call carries. */
export function callTests(name: string, transports: Transports): void {
  const run = (what: string, body: () => Promise<void>): void => Deno.test(`${name}: ${what}`, body);

  run("unary call answers, with empty and with large messages", async () => {
    await using b = await bench(transports, { unary: (request) => request });
    for (const message of ["", "hello", "x".repeat(300_000), "ä€😀"]) {
      assert.equal(await b.echo.unary(message), message);
    }
  });

  run("many unary calls at once keep apart", async () => {
    await using b = await bench(transports, { unary: (request) => `re ${request}` });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => b.echo.unary(`${i}`)));
    assert.deepEqual(answers, Array.from({ length: 200 }, (_, i) => `re ${i}`));
  });

  run("server stream delivers every message in order", async () => {
    await using b = await bench(transports, {
      async *download(request) {
        for (let i = 0; i < Number(request); i++) yield `${i}`;
      },
    });
    assert.deepEqual(await collect(b.echo.download("500")), Array.from({ length: 500 }, (_, i) => `${i}`));
    assert.deepEqual(await collect(b.echo.download("0")), []);
  });

  for (const compress of [false, true]) {
    run(`batches arrive as their messages, between others, ${compress ? "" : "not "}compressed`, async () => {
      // The first batch needs several frames and more than the reader's window, the second repeats its octets' array.
      const sizes = [[1, 0, 70_000, 300, 2_000_000], [], [5, 4_000]];
      await using b = await bench(transports, {
        async *download() {
          const batch = new MessageBatch();
          for (const [i, of] of sizes.entries()) {
            batch.clear();
            for (const size of of) batch.add(new TextEncoder().encode(`<${String(i).repeat(size)}>`), 1, size);
            yield batch;
            yield `after ${i}`;
          }
        },
      }, { compress });
      const wanted = sizes.flatMap((of, i) => [...of.map((size) => String(i).repeat(size)), `after ${i}`]);
      assert.deepEqual(await collect(b.echo.download("")), wanted);
    });
  }

  run("a batch may be all that a call answers", async () => {
    await using b = await bench(transports, {
      async *download(request) {
        const batch = new MessageBatch();
        for (let i = 0; i < Number(request); i++) batch.add(new TextEncoder().encode(`${i}`));
        yield batch;
      },
    });
    assert.deepEqual(await collect(b.echo.download("3")), ["0", "1", "2"]);
    assert.deepEqual(await collect(b.echo.download("0")), []);
  });

  run("client stream delivers every message and answers once", async () => {
    await using b = await bench(transports, {
      async upload(requests) {
        return (await collect(requests)).join(",");
      },
    });
    async function* numbers(count: number): AsyncGenerator<string> {
      for (let i = 0; i < count; i++) yield `${i}`;
    }
    assert.equal(await b.echo.upload(numbers(300)), Array.from({ length: 300 }, (_, i) => i).join(","));
    assert.equal(await b.echo.upload(numbers(0)), "");
  });

  run("bidirectional stream answers message by message", async () => {
    await using b = await bench(transports, {
      async *chat(requests) {
        for await (const request of requests) yield `re ${request}`;
      },
    });
    const answers: string[] = [];
    let answered = Promise.withResolvers<void>();
    async function* questions(): AsyncGenerator<string> {
      for (const question of ["a", "b", "c"]) {
        yield question;
        await answered.promise;
        answered = Promise.withResolvers();
      }
    }
    for await (const answer of b.echo.chat(questions())) {
      answers.push(answer);
      answered.resolve();
    }
    assert.deepEqual(answers, ["re a", "re b", "re c"]);
  });

  run("server may end a bidirectional stream while the client still sends", async () => {
    await using b = await bench(transports, {
      async *chat(requests) {
        for await (const request of requests) {
          yield request;
          return;
        }
      },
    });
    let ended = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        yield "first";
        await new Promise<void>((resolve) => release = resolve);
      } finally {
        ended = true;
      }
    }
    let release = (): void => {};
    assert.deepEqual(await collect(b.echo.chat(endless())), ["first"]);
    release();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(ended, true);
  });

  run("metadata travels both ways, text and bytes, in headers and trailers", async () => {
    const bytes = new Uint8Array([0, 1, 127, 128, 255]);
    await using b = await bench(transports, {
      unary(request, context) {
        // HTTP allows a transport to join equal fields (RFC 9110 section 5.3).
        assert.equal(context.metadata.getAll("x-name").join(", "), "one, two");
        assert.deepEqual([context.header("x-name")?.split(", ")[0], context.header("x-none")], ["one", undefined]);
        assert.deepEqual(context.metadata.get("x-data-bin"), bytes);
        context.sendHeaders(new Metadata({ "x-head": "h", "x-head-bin": bytes }));
        context.trailers.set("x-tail", "t").append("x-tail-bin", bytes);
        return request;
      },
    });
    let headers = new Metadata();
    let trailers = new Metadata();
    await b.echo.unary("x", {
      metadata: [["x-name", "one"], ["x-name", "two"], ["X-Data-Bin", bytes]],
      onHeaders: (metadata) => headers = metadata,
      onTrailers: (metadata) => trailers = metadata,
    });
    assert.equal(headers.get("x-head"), "h");
    assert.deepEqual(headers.get("x-head-bin"), bytes);
    assert.equal(trailers.get("x-tail"), "t");
    assert.deepEqual(trailers.get("x-tail-bin"), bytes);
  });

  run("headers sent early arrive before the first message", async () => {
    const go = Promise.withResolvers<void>();
    await using b = await bench(transports, {
      async *download(_request, context) {
        context.sendHeaders(new Metadata({ "x-early": "yes" }));
        await go.promise;
        yield "late";
      },
    });
    const answers = await collect(b.echo.download("", {
      onHeaders(metadata) {
        assert.equal(metadata.get("x-early"), "yes");
        go.resolve();
      },
    }));
    assert.deepEqual(answers, ["late"]);
  });

  run("status travels with message, details and trailers", async () => {
    await using b = await bench(transports, {
      unary() {
        throw new RpcError(Status.FAILED_PRECONDITION, "App wäre 100% in use\nby €", {
          details: new Uint8Array([8, 9, 250]),
          metadata: new Metadata({ "x-why": "in use" }),
        });
      },
    });
    const error = await failure(b.echo.unary("x"));
    assert.equal(error.code, Status.FAILED_PRECONDITION);
    assert.equal(error.message, "App wäre 100% in use\nby €");
    assert.deepEqual(new Uint8Array(error.details!), new Uint8Array([8, 9, 250]));
    assert.equal(error.metadata.get("x-why"), "in use");
  });

  run("every status code arrives as itself", async () => {
    await using b = await bench(transports, {
      unary(request) {
        throw new RpcError(Number(request) as Status, "as asked");
      },
    });
    for (const code of Object.values(Status)) {
      if (code !== Status.OK) assert.equal((await failure(b.echo.unary(`${code}`))).code, code);
    }
  });

  run("stream that fails half-way delivers what it sent first", async () => {
    await using b = await bench(transports, {
      async *download() {
        yield "one";
        yield "two";
        throw new RpcError(Status.ABORTED, "half-way");
      },
    });
    const got: string[] = [];
    const error = await failure((async () => {
      for await (const message of b.echo.download("")) got.push(message);
    })());
    assert.equal(error.code, Status.ABORTED);
    const sent = ["one", "two"];
    assert.deepEqual(got, transports.losesMessagesBeforeError ? sent.slice(0, got.length) : sent);
  });

  run("an unexpected error says nothing of its inside and is told to the server", async () => {
    const told: unknown[] = [];
    await using b = await bench(transports, {
      unary() {
        throw new Error("password is hunter2");
      },
    }, { onError: (error) => void told.push(error) });
    const error = await failure(b.echo.unary("x"));
    assert.equal(error.code, Status.INTERNAL);
    assert.doesNotMatch(error.message, /hunter2/);
    assert.match(String(told[0]), /hunter2/);
  });

  run("unknown method and method without handler are UNIMPLEMENTED", async () => {
    await using b = await bench(transports, { unary: (request) => request });
    assert.equal((await failure(b.echo.missing("x"))).code, Status.UNIMPLEMENTED);
    const other = createClient(
      { name: "test.Other", methods: { lost: { ...Echo.methods.unary, path: "/test.Other/Lost" } } },
      b.channel,
      { timeoutMs: WAIT_MS },
    );
    assert.equal((await failure(other.lost("x"))).code, Status.UNIMPLEMENTED);
    assert.equal(await b.echo.unary("still there"), "still there");
  });

  run("wrong numbers of messages and undecodable ones are refused", async () => {
    await using b = await bench(transports, {
      unary: (request) => request,
      async *chat() {
        yield "one";
        yield "two";
      },
    });
    const crooked = createClient(Crooked, b.channel, { timeoutMs: WAIT_MS });
    async function* count(n: number): AsyncGenerator<string> {
      for (let i = 0; i < n; i++) yield "x";
    }
    assert.equal((await failure(collect(crooked.unaryAsStream(count(0))))).code, Status.UNIMPLEMENTED);
    assert.equal((await failure(collect(crooked.unaryAsStream(count(2))))).code, Status.UNIMPLEMENTED);
    assert.equal((await failure(crooked.chatAsUnary("x"))).code, Status.UNIMPLEMENTED);
    const undecodable = await failure(b.echo.unary("undecodable"));
    assert.equal(undecodable.code, Status.INTERNAL);
    assert.doesNotMatch(undecodable.message, /secret/);
    assert.equal((await failure(crooked.unaryRaw(new Uint8Array([0xff, 0xfe])))).code, Status.INTERNAL);
    assert.equal(await b.echo.unary("still there"), "still there");
  });

  run("messages beyond the limit are refused on both sides", async () => {
    await using b = await bench(
      transports,
      {
        unary: (request) => request === "big" ? "x".repeat(200_000) : `${request.length}`,
      },
      { limits: { maxMessageBytes: 100_000 } },
      { maxMessageBytes: 100_000 },
    );
    assert.equal((await failure(b.echo.unary("x".repeat(100_001)))).code, Status.RESOURCE_EXHAUSTED);
    assert.equal((await failure(b.echo.unary("big"))).code, Status.RESOURCE_EXHAUSTED);
    assert.equal(await b.echo.unary("x".repeat(100_000)), "100000");
  });
}

/** The RpcError that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<RpcError> {
  const outcome = await call.then(() => undefined, (error) => error);
  assert.ok(outcome instanceof RpcError, `expected an RpcError, got ${outcome}`);
  return outcome;
}
