import assert from "node:assert/strict";
import { MAX_BODY_BYTES, parseJsonBody, readFields, readJsonBody } from "./json_body.ts";

function request(body: BodyInit | null, contentType = "application/json"): Request {
  return new Request("http://localhost/", { method: "POST", body, headers: { "content-type": contentType } });
}

Deno.test("readJsonBody() keeps the transport's rules", async () => {
  assert.deepEqual((await readJsonBody(request('{"a":1}', "application/json; charset=utf-8"), false)).value, { a: 1 });
  assert.deepEqual((await readJsonBody(request(null, "text/plain"), true)).value, {});
  await assert.rejects(readJsonBody(request("{}", "text/plain"), true), {
    status: 415,
    message: "Unsupported Media Type",
  });
  await assert.rejects(readJsonBody(request(""), false), { status: 400, message: "Request body can't be empty" });
  await assert.rejects(readJsonBody(request('{"a":}'), false), {
    message: /^Invalid JSON data: Syntax error.*offset 5/,
  });
  await assert.rejects(readJsonBody(request("[1]"), false), { message: /Unmarshal error: expected object, got list/ });
  await assert.rejects(readJsonBody(request(new Uint8Array([0x22, 0xff, 0x22])), false), { message: /not UTF-8/ });
  const large = `{"a":"${"x".repeat(MAX_BODY_BYTES)}"}`;
  await assert.rejects(readJsonBody(request(large), false), { status: 413 });
});

Deno.test("readFields() matches keys without regard to case and names what does not fit", () => {
  const declared = { Name: "string", Count: "integer", At: "time" } as const;
  const read = (text: string) => readFields(parseJsonBody(text), declared);
  assert.deepEqual(read('{"NAME":"x","count":2}'), { Name: "x", Count: 2 });
  assert.deepEqual(read('{"name":null}'), {});
  assert.deepEqual(read('{"at":"2026-01-02T03:04:05Z"}').At, new Date("2026-01-02T03:04:05Z"));
  assert.throws(() => read('{"name": 5}'), { message: /expected string, got number, field name, offset 9/ });
  assert.throws(() => read('{"count":1.5}'), { message: /expected integer/ });
  assert.throws(() => read('{"Name":"a","name":"b"}'), { message: /given twice/ });
  assert.throws(() => read('{"nam":"a"}'), { message: /nam is not known/ });
  for (const time of ["yesterday", "2026-01-02", "2026-13-02T03:04:05Z"]) {
    assert.throws(() => read(JSON.stringify({ at: time })), {
      message: /Unmarshal time: at is .*2006-01-02T15:04:05Z/,
    });
  }
});
