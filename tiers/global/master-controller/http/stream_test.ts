import assert from "node:assert/strict";
import { ApiError } from "./api_error.ts";
import { type StreamHooks, streamResponse } from "./stream.ts";

function hooks(ends: unknown[], abandon = () => {}): StreamHooks {
  return {
    toError: (error) => error instanceof ApiError ? error : new ApiError(500, "Internal error"),
    ended: (error) => void ends.push(error),
    abandon,
  };
}

async function* items(count: number, error?: Error): AsyncIterable<number> {
  for (let each = 0; each < count; each++) yield each;
  if (error !== undefined) throw error;
}

Deno.test("streamResponse() writes one document a line, and nothing for nothing", async () => {
  const ends: unknown[] = [];
  const full = await streamResponse({ items: items(2) }, hooks(ends));
  assert.equal(await full.text(), '{"data":0}\n{"data":1}\n');
  const empty = await streamResponse({ items: items(0) }, hooks(ends));
  assert.equal(empty.status, 200);
  assert.equal(await empty.text(), "");
  assert.deepEqual(ends, [undefined, undefined]);
});

Deno.test("streamResponse() rejects for an error before the first document, and ends with a result after it", async () => {
  await assert.rejects(streamResponse({ items: items(0, new ApiError(403, "no")) }, hooks([])), { status: 403 });
  const ends: (ApiError | undefined)[] = [];
  const late = await streamResponse({ items: items(1, new ApiError(400, "too late")) }, hooks(ends));
  assert.equal(late.status, 200);
  assert.equal(await late.text(), '{"data":0}\n{"result":{"message":"Too late","code":400}}\n');
  assert.equal(ends[0]?.message, "too late");
});

Deno.test("streamResponse() asks for no more than the client reads, and ends the source when the client leaves", async () => {
  let given = 0;
  let finished = false;
  async function* endless(): AsyncIterable<number> {
    try {
      for (;;) yield given++;
    } finally {
      finished = true;
    }
  }
  const ends: (ApiError | undefined)[] = [];
  const response = await streamResponse({ items: endless() }, hooks(ends));
  const reader = response.body!.getReader();
  await reader.read();
  assert.ok(given <= 4, `${given} items taken for one read`);
  await reader.cancel();
  assert.ok(finished);
  assert.equal(ends[0]?.status, 499);
});

Deno.test("streamResponse() abandons a source that waits when the client leaves", async () => {
  const gone = new AbortController();
  async function* waiting(): AsyncIterable<number> {
    yield 1;
    await new Promise((resolve) => gone.signal.addEventListener("abort", resolve, { once: true }));
  }
  const ends: (ApiError | undefined)[] = [];
  const response = await streamResponse({ items: waiting() }, hooks(ends, () => gone.abort()));
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.equal(ends.length, 1);
});
