import assert from "node:assert/strict";
import { ApiError } from "./api_error.ts";
import { streamResponse } from "./stream.ts";

const toError = (error: unknown) => error instanceof ApiError ? error : new ApiError(500, "Internal error");

async function* items(count: number, error?: Error): AsyncIterable<number> {
  for (let each = 0; each < count; each++) yield each;
  if (error !== undefined) throw error;
}

Deno.test("streamResponse() writes one document a line, and nothing for nothing", async () => {
  const ends: unknown[] = [];
  const full = await streamResponse(items(2), toError, (error) => ends.push(error));
  assert.equal(await full.text(), '{"data":0}\n{"data":1}\n');
  const empty = await streamResponse(items(0), toError, (error) => ends.push(error));
  assert.equal(empty.status, 200);
  assert.equal(await empty.text(), "");
  assert.deepEqual(ends, [undefined, undefined]);
});

Deno.test("streamResponse() rejects for an error before the first document, and ends with a result after it", async () => {
  await assert.rejects(streamResponse(items(0, new ApiError(403, "no")), toError, () => {}), { status: 403 });
  const ends: (ApiError | undefined)[] = [];
  const late = await streamResponse(items(1, new ApiError(400, "too late")), toError, (error) => ends.push(error));
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
  const response = await streamResponse(endless(), toError, (error) => ends.push(error));
  const reader = response.body!.getReader();
  await reader.read();
  assert.ok(given <= 4, `${given} items taken for one read`);
  await reader.cancel();
  assert.ok(finished);
  assert.equal(ends[0]?.status, 499);
});
