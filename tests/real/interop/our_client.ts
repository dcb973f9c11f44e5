import assert from "node:assert/strict";
import { type Channel, createClient, Metadata, RpcError, Status } from "../../../shared/rpc/mod.ts";
import { ECHO_HEADER, ECHO_TRAILER, TestService, UnimplementedService } from "./test_service.ts";

/** Longest time for one call, ms. */
const timeoutMs = 30_000;

const SENT = [27182, 8, 1828, 45904];
const ANSWERED = [31415, 9, 2653, 58979];

function client(channel: Channel) {
  return createClient(TestService, channel, { timeoutMs });
}

function sized(size: number) {
  return { body: new Uint8Array(size) };
}

async function fails(call: Promise<unknown>): Promise<RpcError> {
  const error = await call.then(() => undefined, (error) => error);
  assert.ok(error instanceof RpcError, `The call should have failed as an RpcError, not ${error}`);
  return error;
}

async function drained<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* listed<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

/** The interoperability cases without credentials, called by our client. */
export const ourCases: Record<string, (channel: Channel) => Promise<void>> = {
  async empty_unary(channel) {
    await client(channel).emptyCall({});
  },
  async large_unary(channel) {
    const { payload } = await client(channel).unaryCall({ responseSize: 314159, payload: sized(271828) });
    assert.equal(payload?.body?.length, 314159);
  },
  async client_streaming(channel) {
    const requests = listed(...SENT.map((size) => ({ payload: sized(size) })));
    assert.equal((await client(channel).streamingInputCall(requests)).aggregatedPayloadSize, 74922);
  },
  async server_streaming(channel) {
    const responseParameters = ANSWERED.map((size) => ({ size }));
    const answers = await drained(client(channel).streamingOutputCall({ responseParameters }));
    assert.deepEqual(answers.map((answer) => answer.payload?.body?.length), ANSWERED);
  },
  async ping_pong(channel) {
    let answered = Promise.withResolvers<void>();
    async function* requests() {
      for (const [index, size] of ANSWERED.entries()) {
        yield { responseParameters: [{ size }], payload: sized(SENT[index]!) };
        await answered.promise;
        answered = Promise.withResolvers();
      }
    }
    const sizes: (number | undefined)[] = [];
    for await (const { payload } of client(channel).fullDuplexCall(requests())) {
      sizes.push(payload?.body?.length);
      answered.resolve();
    }
    assert.deepEqual(sizes, ANSWERED);
  },
  async empty_stream(channel) {
    assert.deepEqual(await drained(client(channel).fullDuplexCall(listed())), []);
  },
  async timeout_on_sleeping_server(channel) {
    const never = Promise.withResolvers<void>();
    async function* requests() {
      yield { payload: sized(27182) };
      await never.promise;
    }
    const call = drained(client(channel).fullDuplexCall(requests(), { timeoutMs: 1 }));
    assert.equal((await fails(call)).code, Status.DEADLINE_EXCEEDED);
    never.resolve();
  },
  async cancel_after_begin(channel) {
    const cancel = new AbortController();
    const never = Promise.withResolvers<void>();
    // deno-lint-ignore require-yield -- a request stream that stays empty
    async function* requests(): AsyncGenerator<never> {
      await never.promise;
    }
    const call = client(channel).streamingInputCall(requests(), { signal: cancel.signal });
    cancel.abort();
    assert.equal((await fails(call)).code, Status.CANCELLED);
    never.resolve();
  },
  async cancel_after_first_response(channel) {
    const cancel = new AbortController();
    const never = Promise.withResolvers<void>();
    async function* requests() {
      yield { responseParameters: [{ size: 31415 }], payload: sized(27182) };
      await never.promise;
    }
    const answers = client(channel).fullDuplexCall(requests(), { signal: cancel.signal })[Symbol.asyncIterator]();
    assert.equal((await answers.next()).value.payload.body.length, 31415);
    cancel.abort();
    assert.equal((await fails(answers.next())).code, Status.CANCELLED);
    never.resolve();
  },
  async status_code_and_message(channel) {
    const responseStatus = { code: Status.UNKNOWN, message: "test status message" };
    for (
      const call of [
        client(channel).unaryCall({ responseStatus }),
        drained(client(channel).fullDuplexCall(listed({ responseStatus }))),
      ]
    ) {
      const { code, message } = await fails(call);
      assert.deepEqual({ code, message }, responseStatus);
    }
  },
  async special_status_message(channel) {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    assert.equal((await fails(client(channel).unaryCall({ responseStatus: { code: 2, message } }))).message, message);
  },
  async custom_metadata(channel) {
    const trailer = new Uint8Array([0xab, 0xab, 0xab, 0, 1]);
    const metadata = new Metadata([[ECHO_HEADER, "test_initial_metadata_value"], [ECHO_TRAILER, trailer]]);
    const seen: (Metadata | undefined)[] = [];
    const options = {
      metadata,
      onHeaders: (headers: Metadata) => void (seen[0] = headers),
      onTrailers: (trailers: Metadata) => void (seen[1] = trailers),
    };
    for (
      const call of [
        () => client(channel).unaryCall({ responseSize: 1, payload: sized(1) }, options),
        () => drained(client(channel).fullDuplexCall(listed({ responseParameters: [{ size: 1 }] }), options)),
      ]
    ) {
      seen.length = 0;
      await call();
      assert.deepEqual(seen[0]?.getAll(ECHO_HEADER), ["test_initial_metadata_value"]);
      assert.deepEqual(seen[1]?.getAll(ECHO_TRAILER), [trailer]);
    }
  },
  async unimplemented_method(channel) {
    assert.equal((await fails(client(channel).unimplementedCall({}))).code, Status.UNIMPLEMENTED);
  },
  async unimplemented_service(channel) {
    const other = createClient(UnimplementedService, channel, { timeoutMs });
    assert.equal((await fails(other.unimplementedCall({}))).code, Status.UNIMPLEMENTED);
  },
  async rpc_soak(channel) {
    const { unaryCall } = client(channel);
    for (let round = 0; round < 100; round++) {
      const { payload } = await unaryCall({ responseSize: 31415, payload: sized(27182) });
      assert.equal(payload?.body?.length, 31415);
    }
  },
};
