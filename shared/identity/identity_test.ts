import assert from "node:assert/strict";
import fc from "fast-check";
import { type Identity, IdentityError, identityName, identityUri, parseIdentityUri } from "./mod.ts";

const part = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }).filter((text) => text.length <= 100);
const identity: fc.Arbitrary<Identity> = fc.oneof(
  fc.record({ tier: fc.constant("global" as const), service: part }),
  fc.record({ tier: fc.constant("regional" as const), region: part, service: part }),
  fc.record({
    tier: fc.constant("cloudlet" as const),
    region: part,
    cloudlet: fc.record({ organization: part, name: part }),
    service: part,
  }),
);

Deno.test("identities read back from their URIs, whatever their names hold", () => {
  fc.assert(
    fc.property(identity, (given) => assert.deepEqual(parseIdentityUri(identityUri(given)), structuredClone(given))),
  );
  const crm: Identity = {
    tier: "cloudlet",
    region: "eu",
    cloudlet: { organization: "Acme Ltd/x", name: ".." },
    service: "crm",
  };
  assert.equal(identityUri(crm), "spiffe://archipelago/region/eu/cloudlet/Acme%20Ltd%2Fx/%2E%2E/service/crm");
  assert.equal(identityName({ tier: "regional", region: "eu", service: "dme" }), "region/eu/service/dme");
});

Deno.test("every other URI is refused", () => {
  const bad = [
    "",
    "spiffe://archipelago",
    "spiffe://other/global/service/x",
    "https://archipelago/global/service/x",
    "spiffe://archipelago/global/service/",
    "spiffe://archipelago/global/service/x/",
    "spiffe://archipelago/global/service/x?y",
    "spiffe://archipelago/region/eu/service/%64me",
    "spiffe://archipelago/region/eu/service/a%2fb",
    "spiffe://archipelago/region//service/x",
    "spiffe://archipelago/region/eu/cloudlet/o/service/crm",
    "spiffe://archipelago/region/eu/cloudlet/../n/service/crm",
    "spiffe://archipelago/region/%/service/x",
    "SPIFFE://archipelago/global/service/x",
  ];
  for (const uri of bad) assert.throws(() => parseIdentityUri(uri), IdentityError, uri);
  fc.assert(fc.property(fc.webUrl(), (url) => assert.throws(() => parseIdentityUri(url), IdentityError)));
});

Deno.test("names that cannot be part of a URI are refused", () => {
  assert.throws(() => identityUri({ tier: "global", service: "" }), IdentityError);
  assert.throws(() => identityUri({ tier: "global", service: "x".repeat(201) }), IdentityError);
  assert.throws(() => identityUri({ tier: "global", service: "\ud800" }), IdentityError);
});
