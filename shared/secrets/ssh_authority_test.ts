import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { environmentOf, systemClock, systemFiles, systemRandom } from "../runtime/mod.ts";
import { openSecrets } from "./open.ts";
import type { SecretStore } from "./secret_store.ts";
import { openSshAuthority, type SshCertificateRequest } from "./ssh_authority.ts";

async function withSecrets(body: (secrets: SecretStore) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const secrets = await openSecrets(`file:${folder}/secrets`, {
    files: systemFiles(),
    clock: systemClock(),
    random: systemRandom(),
    environment: environmentOf({}),
  });
  try {
    await body(secrets);
  } finally {
    secrets.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function publicLine(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const blob = new Uint8Array([0, 0, 0, 11, ...new TextEncoder().encode("ssh-ed25519"), 0, 0, 0, 32, ...raw]);
  return `ssh-ed25519 ${blob.toBase64()} crm@site`;
}

function request(more: Partial<SshCertificateRequest> = {}): SshCertificateRequest {
  return {
    publicKey: publicLine(),
    principals: ["one", "two"],
    keyId: "site",
    validFromMs: 1_000_000_000_000,
    validToMs: 1_000_000_360_000,
    ...more,
  };
}

/** Takes the strings and numbers of a certificate apart. */
function reader(blob: Uint8Array) {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  let at = 0;
  return {
    bytes() {
      const length = view.getUint32(at);
      at += 4 + length;
      return blob.subarray(at - length, at);
    },
    text() {
      return new TextDecoder().decode(this.bytes());
    },
    uint32: () => view.getUint32((at += 4) - 4),
    uint64: () => view.getBigUint64((at += 8) - 8),
    get at() {
      return at;
    },
  };
}

Deno.test("a certificate says for whom and how long, and is signed by the authority", () =>
  withSecrets(async (secrets) => {
    const authority = await openSshAuthority(secrets, "ssh/ca", systemRandom());
    assert.equal((await openSshAuthority(secrets, "ssh/ca", systemRandom())).publicKey, authority.publicKey);
    const line = authority.certify(request());
    const [type, base64, comment] = line.split(" ");
    assert.deepEqual([type, comment], ["ssh-ed25519-cert-v01@openssh.com", "crm@site"]);
    const blob = Uint8Array.fromBase64(base64!);
    const read = reader(blob);
    assert.equal(read.text(), type);
    assert.equal(read.bytes().length, 32);
    assert.equal(read.bytes().length, 32);
    read.uint64();
    assert.deepEqual([read.uint32(), read.text()], [1, "site"]);
    const principals = reader(read.bytes());
    assert.deepEqual([principals.text(), principals.text()], ["one", "two"]);
    assert.deepEqual([read.uint64(), read.uint64()], [999_999_940n, 1_000_000_360n]);
    assert.equal(read.bytes().length, 0);
    assert.match(read.text(), /permit-port-forwarding[^]*permit-pty/);
    assert.equal(read.bytes().length, 0);
    const signer = reader(read.bytes());
    assert.equal(signer.text(), "ssh-ed25519");
    const signerKey = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: signer.bytes().toBase64({ alphabet: "base64url", omitPadding: true }) },
      format: "jwk",
    });
    const signed = blob.subarray(0, read.at);
    const signature = reader(read.bytes());
    assert.equal(signature.text(), "ssh-ed25519");
    assert.ok(verify(null, signed, signerKey, signature.bytes()));
  }));

Deno.test("what is no key is refused", () =>
  withSecrets(async (secrets) => {
    const authority = await openSshAuthority(secrets, "ssh/ca", systemRandom());
    const [, base64] = publicLine().split(" ");
    const wrong: [Partial<SshCertificateRequest>, RegExp][] = [
      [{ publicKey: "" }, /must be a line/],
      [{ publicKey: `ssh-dss ${base64}` }, /must be of type/],
      [{ publicKey: `ssh-rsa ${base64}` }, /does not fit its type/],
      [{ publicKey: `ssh-ed25519 ${base64!.slice(0, 40)}` }, /damaged/],
      [{ publicKey: `command="x" ssh-ed25519 ${base64}` }, /must be a line/],
      [{ principals: [] }, /needs a principal/],
    ];
    for (const [more, message] of wrong) assert.throws(() => authority.certify(request(more)), message);
  }));
