import assert from "node:assert/strict";
import { failure } from "../conformance/calls.ts";
import { bench, Echo } from "../conformance/harness.ts";
import { createClient } from "../client.ts";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";
import { h2ClientTransport, h2ServerTransport } from "./mod.ts";

const Unknown = {
  name: "test.Unknown",
  methods: { lost: { ...Echo.methods.unary, path: "/test.Unknown/Lost" } },
} as const;

Deno.test("http2: interceptors judge the caller also where nobody serves the method", async () => {
  await using b = await bench({ server: h2ServerTransport, client: h2ClientTransport }, {}, {
    interceptors: [(context, next) => {
      if (context.metadata.has("x-stranger")) throw new RpcError(Status.PERMISSION_DENIED, "Not for strangers");
      return next();
    }],
  });
  const client = createClient(Unknown, b.channel);
  assert.equal(
    (await failure(client.lost("x", { metadata: { "x-stranger": "1" } }))).code,
    Status.PERMISSION_DENIED,
  );
  const known = await failure(client.lost("x"));
  assert.equal(known.code, Status.UNIMPLEMENTED);
  assert.match(known.message, /\/test\.Unknown\/Lost/);
});
