// A controller's notify port with a certificate of the region, and the folders that a matching engine reads, for tests.
import { type CertificateAuthority, createCa, verifyPeer, writeCertificate } from "../../../../shared/identity/mod.ts";
import { createNotifyHub, type NotifyHub } from "../../../../shared/notify/mod.ts";
import { authenticate, createServer } from "../../../../shared/rpc/mod.ts";
import { environmentOf, systemClock, systemFiles, systemRandom } from "../../../../shared/runtime/mod.ts";
import {
  App,
  AppInst,
  AppInstKind,
  AppKind,
  Cloudlet,
  CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
} from "../../../../shared/schema/mod.ts";
import { ensureSigningKey, openSecrets, type SecretStore } from "../../../../shared/secrets/mod.ts";
import { ALL_KINDS } from "../feed/feed.ts";

export interface TestPlatform {
  readonly folder: string;
  readonly secretsUrl: string;
  readonly secrets: SecretStore;
  readonly ca: CertificateAuthority;
  /** Arguments of a matching engine on free ports, its controllers excepted. */
  readonly dmeArgs: string[];
  issuePublic(): Promise<void>;
  close(): Promise<void>;
}

export async function testPlatform(region: string): Promise<TestPlatform> {
  const folder = await Deno.makeTempDir();
  const files = systemFiles();
  const deps = { files, clock: systemClock(), random: systemRandom(), environment: environmentOf({}) };
  const secretsUrl = `file:${folder}/secrets`;
  const secrets = await openSecrets(secretsUrl, deps);
  const ca = await createCa({ ...deps, secrets });
  await ensureSigningKey(secrets, `${region}/jwtkeys/dme`, deps.random);
  const identity = { tier: "regional", region, service: "dme" } as const;
  await writeCertificate(`${folder}/tls`, await ca.issue({ identity }), { files });
  const issuePublic = async () =>
    await writeCertificate(
      `${folder}/public`,
      await ca.issuePublic({ dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] }),
      { files },
    );
  await issuePublic();
  return {
    folder,
    secretsUrl,
    secrets,
    ca,
    issuePublic,
    dmeArgs: [
      ...["--region", region, "--api-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--secrets", secretsUrl],
      ...["--tls-dir", `${folder}/tls`, "--public-tls-dir", `${folder}/public`],
    ],
    async close() {
      secrets.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

export interface TestController {
  readonly hub: NotifyHub;
  readonly address: string;
  putApp(app: App): void;
  putCloudlet(cloudlet: Cloudlet): void;
  putCloudletInfo(info: CloudletInfo): void;
  putAppInst(instance: AppInst): void;
  close(): Promise<void>;
}

/** @param region of its certificate */
export async function testController(platform: TestPlatform, region: string, port = 0): Promise<TestController> {
  const identity = { tier: "regional", region, service: "controller" } as const;
  const { certPem: cert, keyPem: key, caPem: ca } = await platform.ca.issue({ identity });
  const children = [{ tier: "regional", region, services: ["dme"] }] as const;
  const server = createServer({
    tls: { cert, key, ca, requireClientCertificate: true },
    interceptors: [authenticate((peer) => verifyPeer(peer.certificates, children, Date.now()))],
  });
  const hub = createNotifyHub({ service: "controller", region, kinds: ALL_KINDS });
  hub.serve(server, () => ({}));
  const where = await server.listen({ hostname: "127.0.0.1", port });
  return {
    hub,
    address: `127.0.0.1:${where.port}`,
    putApp: (app) => void hub.publish("App", AppKind.keyString(app.key), App.encode(app)),
    putCloudlet: (cloudlet) =>
      void hub.publish("Cloudlet", CloudletKind.keyString(cloudlet.key), Cloudlet.encode(cloudlet)),
    putCloudletInfo: (info) =>
      void hub.publish("CloudletInfo", CloudletInfoKind.keyString(info.key), CloudletInfo.encode(info)),
    putAppInst: (instance) =>
      void hub.publish("AppInst", AppInstKind.keyString(instance.key), AppInst.encode(instance)),
    async close() {
      hub.close();
      await server.close();
    },
  };
}
