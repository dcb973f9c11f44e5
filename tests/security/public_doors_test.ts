// What a device's port gives to those who speak plaintext, and which certificates a site starts with.
import assert from "node:assert/strict";
import { CloudletKind } from "../../shared/schema/mod.ts";
import { crmService } from "../../tiers/cloudlet/crm/service.ts";
import { controllerService } from "../../tiers/regional/controller/service.ts";
import { dmeService } from "../../tiers/regional/dme/service.ts";
import { onGround, REGION, startWatched } from "./support.ts";

/** What a server answers to plaintext, as text; empty when it just closes. */
async function answerToPlaintext(address: string, request: string): Promise<string> {
  const [hostname, port] = address.replace(/^https:\/\//, "").split(":") as [string, string];
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const late = setTimeout(() => connection.close(), 10_000);
  let answer = "";
  try {
    await connection.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(4_096);
    for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
      answer += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    }
  } catch {
    // A reset is as good as a close.
  }
  clearTimeout(late);
  try {
    connection.close();
  } catch { /* closed already */ }
  return answer;
}

/** Record type 21, version 3.x. */
const TLS_ALERT = "\x15\x03";
const HTTP1 = "POST /v1/registerclient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
const HTTP2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

Deno.test("ports that need TLS give nothing to plaintext", () =>
  onGround(async (ground) => {
    const controller = await startWatched(controllerService, [
      `--region=${REGION}`,
      `--store=sqlite:${ground.folder}/store.db`,
      `--tls-dir=${await ground.certificateFolder("controller", {
        tier: "regional",
        region: REGION,
        service: "controller",
      })}`,
      "--api-addr=127.0.0.1:0",
      "--notify-addr=127.0.0.1:0",
    ]);
    const dme = await startWatched(dmeService, [
      `--region=${REGION}`,
      `--tls-dir=${await ground.certificateFolder("dme", { tier: "regional", region: REGION, service: "dme" })}`,
      `--public-tls-dir=${await ground.publicFolder("dme-public")}`,
      `--secrets=${ground.secrets}`,
      `--notify-addrs=${controller.addresses.notify}`,
      "--api-addr=127.0.0.1:0",
      "--http-addr=127.0.0.1:0",
    ]);
    try {
      await Promise.all([controller.ready, dme.ready]);
      const doors = { ...controller.addresses, rest: dme.addresses.rest!, devices: dme.addresses.grpc! };
      for (const [name, address] of Object.entries(doors)) {
        for (const request of [HTTP1, HTTP2]) {
          const answer = await answerToPlaintext(address, request);
          assert.doesNotMatch(answer, /HTTP\/|session_cookie/, name);
          assert.ok(answer === "" || answer.startsWith(TLS_ALERT), `${name} answered ${JSON.stringify(answer)}`);
        }
      }
    } finally {
      await dme.stop();
      await controller.stop();
    }
  }));

Deno.test("a resource manager does not start with the certificate of another cloudlet, region or service", () =>
  onGround(async (ground) => {
    const berlin = { organization: "Acme", name: "berlin" };
    const key = CloudletKind.keyString(CloudletKind.keyMessage.create(berlin));
    const start = (tls: string) =>
      startWatched(crmService, [
        `--cloudlet=${key}`,
        `--region=${REGION}`,
        "--notify-addrs=127.0.0.1:1",
        `--tls-dir=${tls}`,
        `--data-dir=${ground.folder}/data`,
      ]);
    const rome = { ...berlin, name: "rome" };
    const folders: [string, RegExp][] = [
      [
        await ground.certificateFolder("a", { tier: "cloudlet", region: REGION, cloudlet: rome, service: "crm" }),
        /rome/,
      ],
      [await ground.certificateFolder("b", { tier: "cloudlet", region: "us", cloudlet: berlin, service: "crm" }), /us/],
      [await ground.certificateFolder("c", { tier: "regional", region: REGION, service: "controller" }), /controller/],
      [`${ground.folder}/nowhere`, /Cannot read .*cert\.pem/],
    ];
    for (const [folder, reason] of folders) {
      await assert.rejects(
        start(folder),
        (error: Error) => reason.test(error.message) && !error.message.includes("\n"),
      );
    }
  }));
