import assert from "node:assert/strict";
import type { CallContext } from "../context.ts";
import { createClient } from "../client.ts";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";
import { failure } from "./calls.ts";
import { aborted, bench, collect, Echo, standing, type Transports, until, WAIT_MS } from "./harness.ts";

/** Deadlines, cancellation, back-pressure, interceptors, drain: how calls end. */
export function endingTests(name: string, transports: Transports): void {
  const run = (what: string, body: () => Promise<void>): void => Deno.test(`${name}: ${what}`, body);

  run("deadline reaches the server and ends the call on both sides", async () => {
    const seen = Promise.withResolvers<CallContext>();
    await using b = await bench(transports, {
      async unary(_request, context) {
        seen.resolve(context);
        await aborted(context.signal);
        return "late";
      },
    });
    const before = Date.now();
    assert.equal((await failure(b.echo.unary("x", { timeoutMs: 200 }))).code, Status.DEADLINE_EXCEEDED);
    const context = await seen.promise;
    assert.ok(context.deadline! > before && context.deadline! < before + WAIT_MS);
    const reason = await aborted(context.signal) as RpcError;
    assert.ok(reason.code === Status.DEADLINE_EXCEEDED || reason.code === Status.CANCELLED);
    assert.equal((await failure(b.echo.unary("x", { timeoutMs: 0 }))).code, Status.DEADLINE_EXCEEDED);
  });

  run("a handler that ignores its deadline does not hold the caller", async () => {
    const release = Promise.withResolvers<void>();
    await using b = await bench(transports, {
      async *download() {
        yield "one";
        await release.promise;
      },
    });
    assert.equal(
      (await failure(collect(b.echo.download("", { timeoutMs: 300 })))).code,
      Status.DEADLINE_EXCEEDED,
    );
    release.resolve();
  });

  run("cancelling by signal reaches the server", async () => {
    const seen = Promise.withResolvers<AbortSignal>();
    await using b = await bench(transports, {
      async unary(_request, { signal }) {
        seen.resolve(signal);
        await aborted(signal);
        return "";
      },
    });
    const controller = new AbortController();
    const call = b.echo.unary("x", { signal: controller.signal });
    const signal = await seen.promise;
    controller.abort();
    assert.equal((await failure(call)).code, Status.CANCELLED);
    assert.equal((await aborted(signal) as RpcError).code, Status.CANCELLED);
    assert.equal((await failure(b.echo.unary("x", { signal: controller.signal }))).code, Status.CANCELLED);
  });

  run("leaving the loop over a response stream cancels the call and ends its generator", async () => {
    let ended = false;
    let signal: AbortSignal | undefined;
    await using b = await bench(transports, {
      async *download(_request, context) {
        signal = context.signal;
        try {
          for (let i = 0;; i++) {
            yield `${i}`;
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        } finally {
          ended = true;
        }
      },
    });
    for await (const message of b.echo.download("")) if (message === "3") break;
    await until(() => ended && signal!.aborted, "the generator has ended");
    await until(() => b.server.activeCalls === 0, "no call is active");
  });

  run("a caller that takes nothing can be cut", async () => {
    let signal: AbortSignal | undefined;
    await using b = await bench(transports, {
      async *download(_request, context) {
        signal = context.signal;
        for (let i = 0;; i++) {
          // By then the room on the way is long used up.
          if (i === 1) setTimeout(() => context.cut(new RpcError(Status.RESOURCE_EXHAUSTED, "too slow")), 50);
          yield "x".repeat(100_000);
        }
      },
    });
    const messages = b.echo.download("")[Symbol.asyncIterator]();
    await messages.next();
    await until(() => b.server.activeCalls === 0, "no call is active");
    assert.match((signal!.reason as RpcError).message, /too slow/);
    const rest = async () => {
      while (!(await messages.next()).done) { /* what had arrived before */ }
    };
    assert.equal((await failure(rest())).code, Status.RESOURCE_EXHAUSTED);
  });

  run("losing the client aborts its calls", async () => {
    const seen = Promise.withResolvers<AbortSignal>();
    await using b = await bench(transports, {
      async *chat(requests, { signal }) {
        seen.resolve(signal);
        yield "hello";
        await collect(requests);
      },
    });
    const channel = b.connect();
    async function* silence(): AsyncGenerator<string> {
      await aborted(await seen.promise);
      yield "into the void";
    }
    const answers = createClient(Echo, channel).chat(silence())[Symbol.asyncIterator]();
    assert.deepEqual(await answers.next(), { done: false, value: "hello" });
    channel.close();
    await aborted(await seen.promise);
    assert.equal((await failure(answers.next())).code !== Status.OK, true);
    await until(() => b.server.activeCalls === 0, "no call is active");
    assert.equal(channel.state(), "closed");
    assert.equal((await failure(createClient(Echo, channel).unary("x"))).code, Status.UNAVAILABLE);
  });

  run("losing the server fails running calls, and the channel comes back", async () => {
    await using b = await bench(transports, {
      async unary(_request, { signal }) {
        await aborted(signal);
        return "";
      },
    });
    const channel = b.connect({ backoff: { initialMs: 50, maxMs: 100 } });
    const echo = createClient(Echo, channel);
    const call = failure(echo.unary("x"));
    await until(() => b.server.activeCalls === 1, "the call has come in");
    await b.server.close();
    const { code } = await call;
    assert.ok(code === Status.UNAVAILABLE || code === Status.CANCELLED, `got ${code}`);
    assert.equal((await failure(echo.unary("x"))).code, Status.UNAVAILABLE);
    await using again = await bench(transports, { unary: () => "back" });
    const moved = b.connect({
      address: [b.address, again.address],
      backoff: { initialMs: 50, maxMs: 100 },
    });
    const movedEcho = createClient(Echo, moved);
    assert.equal((await failure(movedEcho.unary("x", { timeoutMs: WAIT_MS }))).code, Status.UNAVAILABLE);
    assert.equal(await movedEcho.unary("x", { timeoutMs: WAIT_MS }), "back");
    assert.equal(moved.address, again.address);
  });

  run("a call that waits for readiness is answered when the server comes up", async () => {
    const gone = await bench(transports, { unary: () => "first" });
    const port = Number(gone.address.split(":")[1]);
    const channel = gone.connect({ backoff: { initialMs: 20, maxMs: 50 } });
    assert.equal(await createClient(Echo, channel).unary("x"), "first");
    await gone.server.close();
    await until(() => channel.state() !== "ready", "the channel has noticed");
    const call = createClient(Echo, channel).unary("x", { waitForReady: true, timeoutMs: WAIT_MS });
    call.catch(() => {});
    await using next = await bench(transports, { unary: () => "second" });
    await next.server.listen({ hostname: "127.0.0.1", port });
    assert.equal(await call, "second");
    channel.close();
    await gone[Symbol.asyncDispose]();
  });

  run("messages are pulled only as the other end reads, in both directions", async () => {
    const total = 400;
    const message = "x".repeat(100_000);
    // Windows and buffers on the way hold a few megabytes of the forty.
    const most = transports.unboundedSending ? total : total / 4;
    const go = Promise.withResolvers<void>();
    let given = 0;
    async function* big(): AsyncGenerator<string> {
      for (let i = 0; i < total; i++) {
        given++;
        yield message;
      }
    }
    await using b = await bench(transports, {
      async upload(requests) {
        await go.promise;
        return `${(await collect(requests)).length}`;
      },
      download: () => big(),
    });
    const call = b.echo.upload(big());
    await standing(() => given);
    assert.ok(given > 0 && given <= most, `${given} of ${total} requests were pulled`);
    go.resolve();
    assert.equal(await call, `${total}`);

    given = 0;
    const download = b.echo.download("")[Symbol.asyncIterator]();
    assert.equal((await download.next()).done, false);
    await standing(() => given);
    assert.ok(given > 0 && given <= most, `${given} of ${total} responses were pulled`);
    let read = 1;
    while (!(await download.next()).done) read++;
    assert.equal(read, total);
  });

  run("server interceptors run outermost first, may refuse, and see the end", async () => {
    const events: string[] = [];
    const key = Symbol("value");
    await using b = await bench(transports, {
      unary(_request, context) {
        events.push(`handler ${context.values.get(key)}`);
        if (_request === "fail") throw new RpcError(Status.ABORTED, "asked for");
        return "ok";
      },
    }, {
      interceptors: [
        async (context, next) => {
          events.push("outer");
          try {
            await next();
            context.trailers.set("x-seen", "yes");
            events.push("ok");
          } catch (error) {
            events.push(`failed ${RpcError.from(error).code}`);
            throw error;
          }
        },
        (context, next) => {
          events.push("inner");
          if (context.metadata.has("x-refuse")) throw new RpcError(Status.PERMISSION_DENIED, "refused");
          context.values.set(key, 7);
          return next();
        },
      ],
    });
    let seen: string | undefined;
    assert.equal(await b.echo.unary("x", { onTrailers: (trailers) => seen = trailers.get("x-seen") }), "ok");
    assert.equal(seen, "yes");
    assert.equal((await failure(b.echo.unary("fail"))).code, Status.ABORTED);
    assert.equal(
      (await failure(b.echo.unary("x", { metadata: { "x-refuse": "1" } }))).code,
      Status.PERMISSION_DENIED,
    );
    assert.deepEqual(events, [
      ...["outer", "inner", "handler 7", "ok"],
      ...["outer", "inner", "handler 7", "failed 10"],
      ...["outer", "inner", "failed 7"],
    ]);
  });

  run("client interceptors change metadata and see the end", async () => {
    const events: string[] = [];
    await using b = await bench(
      transports,
      {
        unary: (_request, context) => context.metadata.get("x-added") ?? "",
        async *download(_request, context) {
          yield context.metadata.get("x-added") ?? "";
          throw new RpcError(Status.DATA_LOSS, "gone");
        },
      },
      {},
      {},
      {
        interceptors: [async (call, next) => {
          call.metadata.set("x-added", "by interceptor");
          await next().finally(() => events.push(`end of ${call.method}`));
        }],
      },
    );
    assert.equal(await b.echo.unary("x"), "by interceptor");
    assert.equal((await failure(collect(b.echo.download("x")))).code, Status.DATA_LOSS);
    assert.deepEqual(events, ["end of /test.Echo/Unary", "end of /test.Echo/Download"]);
  });

  run("drain lets running calls end and refuses new ones", async () => {
    const release = Promise.withResolvers<void>();
    await using b = await bench(transports, {
      async unary() {
        await release.promise;
        return "finished";
      },
    });
    const running = b.echo.unary("x");
    await until(() => b.server.activeCalls === 1, "the call has come in");
    const drained = b.server.drain(WAIT_MS);
    const late = await failure(createClient(Echo, b.connect()).unary("x", { timeoutMs: WAIT_MS }));
    assert.equal(late.code, Status.UNAVAILABLE);
    release.resolve();
    assert.equal(await running, "finished");
    await drained;
    assert.equal(b.server.activeCalls, 0);
  });

  run("drain cuts what does not end in time", async () => {
    await using b = await bench(transports, {
      async unary(_request, { signal }) {
        await aborted(signal);
        return "";
      },
    });
    const running = failure(b.echo.unary("x"));
    await until(() => b.server.activeCalls === 1, "the call has come in");
    await b.server.drain(20);
    const { code } = await running;
    assert.ok(code === Status.UNAVAILABLE || code === Status.CANCELLED, `got ${code}`);
  });
}
