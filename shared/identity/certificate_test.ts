import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { FakeClock } from "../runtime/mod.ts";
import { environmentOf, systemFiles, systemRandom } from "../runtime/mod.ts";
import { openSecrets } from "../secrets/mod.ts";
import {
  createCa,
  type Identity,
  IdentityError,
  parseCertificate,
  type PeerRule,
  renewAt,
  splitPem,
  verifyPeer,
} from "./mod.ts";
import { withAuthority } from "./testing/fixture.ts";

const HOUR_MS = 3_600_000;
const dme: Identity = { tier: "regional", region: "eu", service: "dme" };
const crm: Identity = {
  tier: "cloudlet",
  region: "eu",
  cloudlet: { organization: "Acme Ltd", name: "berlin" },
  service: "crm",
};

Deno.test("a certificate says what it was issued for, and another reader agrees", () =>
  withAuthority(async ({ ca, clock }) => {
    const before = clock.now();
    const issued = await ca.issue({
      identity: crm,
      dnsNames: ["crm.example"],
      ipAddresses: ["10.1.2.3", "2001:db8::1"],
    });
    const facts = parseCertificate(issued.certPem);
    assert.deepEqual(facts.identity, crm);
    assert.deepEqual(facts.dnsNames, ["localhost", "crm.example"]);
    assert.deepEqual(facts.ipAddresses, ["127.0.0.1", "::1", "10.1.2.3", "2001:db8::1"]);
    assert.equal(facts.issuerTier, "cloudlet");
    assert.deepEqual([facts.notAfterMs, facts.serial], [issued.notAfterMs, issued.serial]);
    assert.ok(issued.notAfterMs >= before + 72 * HOUR_MS - 1_000 && issued.notAfterMs <= clock.now() + 72 * HOUR_MS);
    assert.ok(renewAt(issued) > before + 47 * HOUR_MS && renewAt(issued) < before + 49 * HOUR_MS);

    const [leaf, intermediate] = splitPem(issued.certPem).map((der) => new X509Certificate(der));
    const root = new X509Certificate(issued.caPem);
    assert.equal(leaf!.serialNumber.toLowerCase(), facts.serial);
    assert.equal(Date.parse(leaf!.validTo), facts.notAfterMs);
    assert.ok(
      leaf!.verify(intermediate!.publicKey) && intermediate!.verify(root.publicKey) && root.verify(root.publicKey),
    );
    assert.ok(intermediate!.ca && !leaf!.ca);
  }));

Deno.test("two processes that make the authority at once, and later ones, have the same", async () => {
  const folder = await Deno.makeTempDir();
  const deps = {
    files: systemFiles(),
    clock: new FakeClock(Date.now()),
    random: systemRandom(),
    environment: environmentOf({}),
  };
  const open = async () => await createCa({ ...deps, secrets: await openSecrets(`file:${folder}/s`, deps) });
  const [first, second] = await Promise.all([open(), open()]);
  const third = await open();
  assert.equal(first!.rootPem, second!.rootPem);
  assert.equal(first!.rootPem, third.rootPem);
  const [a, b] = await Promise.all([first!.issue({ identity: dme }), second!.issue({ identity: dme })]);
  assert.equal(a.certPem.split("-----BEGIN")[2], b.certPem.split("-----BEGIN")[2]);
  assert.notEqual(a.serial, b.serial);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("verifyPeer accepts who the rule names and says why it refuses the others", () =>
  withAuthority(async ({ ca, clock }) => {
    const chain = async (identity: Identity) => splitPem((await ca.issue({ identity })).certPem);
    const chains = {
      crm: await chain(crm),
      dme: await chain(dme),
      mc: await chain({ tier: "global", service: "master-controller" }),
    };
    const check = (who: keyof typeof chains, rule: PeerRule) => verifyPeer(chains[who], rule, clock.now());
    assert.deepEqual(check("crm", [{ tier: "global" }, { tier: "cloudlet", region: "eu" }]), crm);
    assert.deepEqual(check("dme", [{ tier: "regional", region: "eu", services: ["dme", "up"] }]), dme);
    assert.deepEqual(check("crm", [{ tier: "cloudlet", cloudlet: crm.cloudlet, services: ["crm"] }]), crm);
    const refusals: [keyof typeof chains, PeerRule, RegExp][] = [
      [
        "crm",
        [{ tier: "regional" }],
        /cloudlet\/Acme Ltd\/berlin\/service\/crm is not accepted here: a cloudlet service where a regional one/,
      ],
      ["dme", [{ tier: "regional", region: "us" }], /another region than us/],
      ["crm", [{ tier: "cloudlet", region: "us" }], /another region than us/],
      [
        "crm",
        [{ tier: "cloudlet", cloudlet: { organization: "Acme Ltd", name: "rome" } }],
        /another cloudlet than Acme Ltd\/rome/,
      ],
      ["dme", [{ tier: "global" }, { tier: "regional", services: ["controller"] }], /only controller may connect/],
      ["mc", [], /nobody is/],
    ];
    for (const [who, rule, why] of refusals) assert.throws(() => check(who, rule), why);
  }));

Deno.test("verifyPeer refuses certificates that are missing, no certificates, of no service, or out of time", () =>
  withAuthority(async ({ ca, clock }) => {
    const any: PeerRule = [{ tier: "global" }, { tier: "regional" }, { tier: "cloudlet" }];
    const leaf = splitPem((await ca.issue({ identity: dme, ttlMs: HOUR_MS })).certPem);
    const web = splitPem((await ca.issuePublic({ dnsNames: ["mc.example"] })).certPem);
    assert.throws(() => verifyPeer(undefined, any, clock.now()), /showed no certificate/);
    assert.throws(() => verifyPeer([], any, clock.now()), /showed no certificate/);
    assert.throws(() => verifyPeer([leaf[0]!.subarray(0, 100)], any, clock.now()), /cannot be read/);
    assert.throws(() => verifyPeer(web, any, clock.now()), /\(mc\.example\) does not name a service/);
    assert.throws(() => verifyPeer(leaf, any, clock.now() + 2 * HOUR_MS), /region\/eu\/service\/dme expired at/);
    assert.throws(() => verifyPeer(leaf, any, clock.now() - HOUR_MS), /not valid yet/);
  }));

Deno.test("an identity of one tier from the authority of another is refused", () =>
  withAuthority(async ({ ca, clock }) => {
    const issued = await ca.issue({ identity: crm });
    // The same length of name, so that the DER stays well-formed: a site that got its hands on its tier's authority.
    const forged = Uint8Array.from(splitPem(issued.certPem)[0]!);
    replaceBytes(forged, "archipelago cloudlet", "archipelago glob-let");
    assert.throws(
      () => verifyPeer([forged], [{ tier: "cloudlet" }], clock.now()),
      /issued by an unknown authority, which may not name cloudlet/,
    );
    const regional = Uint8Array.from(
      splitPem((await ca.issue({ identity: { tier: "global", service: "mcontroller" } })).certPem)[0]!,
    );
    replaceBytes(regional, "global/service/mcontroller", "region/eu/service/controlx");
    assert.throws(
      () => verifyPeer([regional], [{ tier: "regional" }], clock.now()),
      /issued by the global authority, which may not name regional/,
    );
  }));

Deno.test("parseCertificate survives damaged certificates", () =>
  withAuthority(async ({ ca }) => {
    const der = splitPem((await ca.issue({ identity: crm })).certPem)[0]!;
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), fc.nat(der.length), (at, byte, length) => {
        const damaged = Uint8Array.from(der).subarray(0, Math.max(1, length));
        if (at < damaged.length) damaged[at] = byte;
        try {
          parseCertificate(damaged);
        } catch (error) {
          assert.ok(error instanceof IdentityError);
        }
      }),
      { numRuns: 1_000 },
    );
    assert.throws(() => parseCertificate("no certificate"), IdentityError);
  }));

function replaceBytes(bytes: Uint8Array, from: string, to: string): void {
  assert.equal(from.length, to.length);
  const text = new TextDecoder("latin1").decode(bytes);
  let found = 0;
  for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + 1)) {
    bytes.set(new TextEncoder().encode(to), at);
    found++;
  }
  assert.ok(found > 0);
}
