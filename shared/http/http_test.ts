import assert from "node:assert/strict";
import { answerPreflight, BodyError, corsHeaders, httpStatusOf, jsonResponse, readBytes, readJson } from "./mod.ts";

function post(body: BodyInit | null, headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/", { method: "POST", body, headers });
}

function refused(status: number, message: RegExp) {
  return (error: unknown) => error instanceof BodyError && error.status === status && message.test(error.message);
}

function chunked(...chunks: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
}

Deno.test("readJson reads JSON, takes an empty body as nothing and says where other text is wrong", async () => {
  assert.deepEqual(await readJson(post('{"a":[1,null]}')), { a: [1, null] });
  assert.equal(await readJson(post("")), undefined);
  assert.equal(await readJson(post(" \n")), undefined);
  assert.equal(await readJson(post(null)), undefined);
  await assert.rejects(
    readJson(post('{"a":1,\n }')),
    refused(400, /not JSON: unexpected character at line 2, column 2/),
  );
  await assert.rejects(readJson(post('{"password":"geheim"')), (error: Error) => !error.message.includes("geheim"));
  await assert.rejects(readJson(post(new Uint8Array([0x22, 0xff, 0x22]))), refused(400, /UTF-8/));
});

Deno.test("readBytes joins chunks and refuses what is longer than allowed, announced or not", async () => {
  assert.equal(new TextDecoder().decode(await readBytes(post(chunked("ab", "c", "def")))), "abcdef");
  await readBytes(post("x".repeat(10)), { maxBytes: 10 });
  await assert.rejects(readBytes(post("x".repeat(11)), { maxBytes: 10 }), refused(413, /at most 10 bytes/));
  await assert.rejects(
    readBytes(post(chunked("x".repeat(6), "x".repeat(6))), { maxBytes: 10 }),
    refused(413, /10 bytes/),
  );
  const announced = post(null, { "content-length": "11" });
  await assert.rejects(readBytes(announced, { maxBytes: 10 }), refused(413, /10 bytes/));
});

Deno.test("readBytes gives up on a sender that is too slow or breaks off", async () => {
  const abort = new AbortController();
  const stalled = readBytes(post(new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(1)) })), {
    signal: abort.signal,
  });
  abort.abort();
  await assert.rejects(stalled, refused(408, /in time/));
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
  await assert.rejects(readBytes(post(broken)), refused(400, /broke off/));
});

Deno.test("CORS: the origin is echoed, a preflight is answered, anything else is not", () => {
  const rules = { methods: "GET,POST", headers: "Content-Type" };
  assert.equal(corsHeaders(post("")), undefined);
  const preflight = new Request("http://localhost/", {
    method: "OPTIONS",
    headers: { origin: "https://page.example", "access-control-request-method": "POST" },
  });
  const answer = answerPreflight(preflight, rules)!;
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("access-control-allow-origin"), "https://page.example");
  assert.equal(answer.headers.get("access-control-allow-methods"), "GET,POST");
  assert.equal(answerPreflight(new Request("http://localhost/", { method: "OPTIONS" }), rules), undefined);
  assert.equal(answerPreflight(post(""), rules), undefined);
});

Deno.test("statuses and JSON answers", async () => {
  assert.deepEqual([0, 3, 5, 8, 12, 16, 99].map(httpStatusOf), [200, 400, 404, 429, 501, 401, 500]);
  const response = jsonResponse({ a: 1 }, 201, { "x-y": "z" });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("x-y"), "z");
  assert.equal(await response.text(), '{"a":1}');
});
