// The SSH authority's certificates as OpenSSH reads them.
import assert from "node:assert/strict";
import { environmentOf, systemClock, systemFiles, systemRandom } from "../../shared/runtime/mod.ts";
import { openSecrets, openSshAuthority } from "../../shared/secrets/mod.ts";

const ignore = Deno.env.get("ARCHIPELAGO_REAL") !== "1";

async function keygen(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("ssh-keygen", { args }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

for (const [type, bits] of [["ed25519", ""], ["rsa", "3072"], ["ecdsa", "384"]] as const) {
  Deno.test({
    name: `ssh-keygen reads a certificate for a key of type ${type}`,
    ignore,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await keygen("-q", "-t", type, ...(bits === "" ? [] : ["-b", bits]), "-N", "", "-f", `${folder}/id`);
        const deps = {
          files: systemFiles(),
          clock: systemClock(),
          random: systemRandom(),
          environment: environmentOf({}),
        };
        const secrets = await openSecrets(`file:${folder}/secrets`, deps);
        const authority = await openSshAuthority(secrets, "eu/ssh/ca", deps.random);
        const certificate = authority.certify({
          publicKey: await Deno.readTextFile(`${folder}/id.pub`),
          principals: ["cloudlet-berlin"],
          keyId: "eu berlin",
          validFromMs: Date.now(),
          validToMs: Date.now() + 3_600_000,
        });
        secrets.close();
        await Deno.writeTextFile(`${folder}/id-cert.pub`, certificate + "\n");
        await Deno.writeTextFile(`${folder}/ca.pub`, authority.publicKey + "\n");
        const shown = await keygen("-L", "-f", `${folder}/id-cert.pub`);
        const fingerprint = (await keygen("-l", "-f", `${folder}/ca.pub`)).split(" ")[1]!;
        for (
          const part of [
            "user certificate",
            `Signing CA: ED25519 ${fingerprint}`,
            "cloudlet-berlin",
            '"eu berlin"',
            "permit-pty",
          ]
        ) {
          assert.ok(shown.includes(part), `${part} in\n${shown}`);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
