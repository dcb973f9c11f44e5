import assert from "node:assert/strict";
import { connect } from "node:tls";
import { withAuthority } from "../../shared/identity/testing/fixture.ts";
import { serveHttp } from "../../shared/runtime/mod.ts";

/** Serial number that a new connection is shown. */
function serialAt(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase().padStart(32, "0"));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

Deno.test("updateTls shows the new certificate on the same port, while a running request ends on the old one", () =>
  withAuthority(async ({ ca }) => {
    const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
    const [first, second] = [await ca.issuePublic(names), await ca.issuePublic(names)];
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const listener = await serveHttp({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert: first.certPem, key: first.keyPem },
      async handler(request) {
        if (!request.url.endsWith("/slow")) return new Response("quick");
        entered.resolve();
        await gate.promise;
        return new Response("slow");
      },
    });
    const client = Deno.createHttpClient({ caCerts: [ca.rootPem] });
    try {
      assert.equal(await serialAt(listener.port, ca.rootPem), first.serial);
      const slow = fetch(`${listener.url}/slow`, { client }).then((response) => response.text());
      await entered.promise;
      await listener.updateTls({ cert: second.certPem, key: second.keyPem });
      assert.equal(await serialAt(listener.port, ca.rootPem), second.serial);
      gate.resolve();
      assert.equal(await slow, "slow");
      assert.equal(await fetch(listener.url, { client }).then((response) => response.text()), "quick");
      await assert.rejects(listener.updateTls({ cert: "nonsense", key: second.keyPem }));
    } finally {
      client.close();
      await listener.close();
    }
  }));
