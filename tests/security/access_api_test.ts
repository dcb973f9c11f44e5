// The access API: how services of a cloudlet prove who they are, what they are given, and what nobody is.
import assert from "node:assert/strict";
import {
  type AccessClient,
  accessKeyFile,
  AccessMetadata,
  createAccessClient,
  createAccessKey,
  readAccessKey,
  signCall,
} from "../../shared/access/mod.ts";
import { parseCertificate } from "../../shared/identity/mod.ts";
import { createNotifyClient, roundRobin } from "../../shared/notify/mod.ts";
import { type CallOptions, createChannel, createClient, RpcError, Status } from "../../shared/rpc/mod.ts";
import { type Files, systemFiles } from "../../shared/runtime/mod.ts";
import {
  Cloudlet,
  CloudletAccessApi,
  CloudletApi,
  type CloudletKey,
  CloudletKeyApi,
  CloudletKind,
  PlatformType,
} from "../../shared/schema/mod.ts";
import { crmService } from "../../tiers/cloudlet/crm/service.ts";
import { controllerService } from "../../tiers/regional/controller/service.ts";
import { type Ground, onGround, REGION, startWatched, until, type Watched } from "./support.ts";

const BERLIN = { organization: "Acme Corp", name: "berlin", federatedOrganization: "" };
const PARIS = { organization: "Acme Corp", name: "paris", federatedOrganization: "" };
const ISSUE_CERT = "/archipelago.CloudletAccessApi/IssueCert";
const keyString = (key: CloudletKey) => CloudletKind.keyString(key);

/** A controller with two cloudlets, and what an operator and the cloudlets' services do. */
interface Scene {
  readonly controller: Watched;
  readonly folder: string;
  readonly keys: ReturnType<typeof createClient<typeof CloudletKeyApi>>;
  /** The access API as anybody can call it. */
  readonly bare: ReturnType<typeof createClient<typeof CloudletAccessApi>>;
  /** Generates a key for a cloudlet and gives a client that holds it, and its file. */
  holder(key: CloudletKey, files?: Files): Promise<{ client: AccessClient; path: string }>;
  clientOf(key: CloudletKey, path: string, files?: Files): AccessClient;
}

function onScene(work: (scene: Scene, ground: Ground) => Promise<void>): Promise<void> {
  return onGround(async (ground) => {
    const tls = await ground.certificateFolder("controller", {
      tier: "regional",
      region: REGION,
      service: "controller",
    });
    const controller = await startWatched(controllerService, [
      `--region=${REGION}`,
      `--store=sqlite:${ground.folder}/store.db`,
      `--tls-dir=${tls}`,
      `--public-tls-dir=${await ground.publicFolder("public")}`,
      `--secrets=${ground.secrets}`,
      "--api-addr=127.0.0.1:0",
      "--notify-addr=127.0.0.1:0",
      "--access-api-addr=127.0.0.1:0",
    ]);
    const own = await ground.ca.issue({ identity: { tier: "global", service: "master-controller" } });
    const api = createChannel({
      address: controller.addresses["grpc"]!,
      tls: { ca: own.caPem, cert: own.certPem, key: own.keyPem },
    });
    const access = createChannel({ address: controller.addresses["access"]!, tls: { ca: ground.ca.rootPem } });
    const keys = createClient(CloudletKeyApi, api);
    try {
      for (const key of [BERLIN, PARIS]) await createCloudlet(api, key);
      const clientOf: Scene["clientOf"] = (key, path, files = systemFiles()) =>
        createAccessClient({ channel: access, cloudletKey: keyString(key), keyFile: accessKeyFile(path, files) });
      await work({
        controller,
        folder: ground.folder,
        keys,
        bare: createClient(CloudletAccessApi, access),
        clientOf,
        async holder(key, files) {
          const path = `${ground.folder}/${key.name}.pem`;
          await Deno.writeTextFile(path, (await keys.generateAccessKey(key)).message);
          return { client: clientOf(key, path, files), path };
        },
      }, ground);
    } finally {
      api.close();
      access.close();
      await controller.stop();
    }
  });
}

/** Leaves when the cloudlet is there: its site never comes. */
async function createCloudlet(channel: Parameters<typeof createClient>[1], key: CloudletKey): Promise<void> {
  const cloudlets = createClient(CloudletApi, channel);
  const caller = new AbortController();
  const creation = (async () => {
    const wanted = Cloudlet.create({
      key,
      location: { latitude: 52.5, longitude: 13.4 },
      numDynamicIps: 5,
      platformType: PlatformType.PLATFORM_TYPE_PROCESS,
      accessVars: { TOKEN: `of ${key.name}` },
      kafkaCluster: "kafka.example:9092",
      kafkaUser: key.name,
      kafkaPassword: "s3cret",
    });
    for await (const _ of cloudlets.createCloudlet(wanted, { signal: caller.signal })) { /* read on */ }
  })().catch((error) => {
    if (!caller.signal.aborted) throw error;
  });
  await Promise.race([
    creation,
    until(`cloudlet ${key.name}`, async () => {
      for await (const _ of cloudlets.showCloudlet(Cloudlet.create({ key }))) return true;
      return false;
    }),
  ]);
  caller.abort();
  await creation;
}

async function refusal(call: Promise<unknown>): Promise<RpcError> {
  const error = await call.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof RpcError, String(error));
  return error;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("a key for the first start can only be exchanged, once, and then gives a certificate that opens notify", () =>
  onScene(async ({ controller, holder, folder, keys }) => {
    const { client, path } = await holder(BERLIN);
    const first = await Deno.readTextFile(path);
    const early = await refusal(client.issueCert("crm"));
    assert.deepEqual([early.code, /must be exchanged/.test(early.message)], [Status.FAILED_PRECONDITION, true]);
    assert.equal(await client.upgrade(), true);
    assert.notEqual(await Deno.readTextFile(path), first);
    assert.deepEqual([(await Deno.stat(path)).mode! & 0o777, await Deno.readTextFile(`${path}.backup`)], [
      0o600,
      first,
    ]);
    assert.equal(await client.upgrade(), false);
    await client.verify();

    const { certPem, keyPem } = await client.issueCert("crm");
    const facts = parseCertificate(certPem);
    assert.deepEqual(facts.identity, {
      tier: "cloudlet",
      region: REGION,
      cloudlet: { organization: BERLIN.organization, name: BERLIN.name },
      service: "crm",
    });
    assert.equal((await refusal(client.issueCert("controller"))).code, Status.INVALID_ARGUMENT);
    const ca = await client.rootCertificate();
    const notify = createNotifyClient({
      service: "crm",
      region: REGION,
      cloudlet: keyString(BERLIN),
      wants: ["Cloudlet"],
      connect: roundRobin([controller.addresses["notify"]!], () => ({
        tls: { ca, cert: certPem, key: keyPem, verifyPeer: () => {} },
      })),
      backoff: { initialMs: 100 },
    });
    notify.start();
    try {
      await until("the stream", () => notify.state() === "inStep");
      await keys.revokeAccessKey(BERLIN);
      await until("the end of the stream", () => /revoked/.test(String(notify.info().lastError)));
      assert.notEqual(notify.state(), "inStep");
    } finally {
      await notify.stop();
    }
    assert.equal((await refusal(client.issueCert("crm"))).code, Status.UNAUTHENTICATED);
    // The key that was thrown away first is of no use either.
    await Deno.copyFile(`${path}.backup`, `${folder}/old.pem`);
    assert.ok(!JSON.stringify(controller.records).includes("PRIVATE KEY"));
  }));

Deno.test("an exchange that breaks off anywhere is mended by the next one", () =>
  onScene(async ({ clientOf, holder }) => {
    // The new key is on disk, and the region never hears of it.
    const { path } = await holder(BERLIN);
    const given = await Deno.readTextFile(path);
    for (const attempt of [1, 2]) {
      const files = systemFiles();
      let broken = false;
      const breaking: Files = Object.assign(Object.create(files), {
        async writeAtomic(...args: Parameters<Files["writeAtomic"]>) {
          await files.writeAtomic(...args);
          if (args[0] !== path) return;
          broken = true;
          throw new Error(`power cut ${attempt}`);
        },
      });
      await assert.rejects(clientOf(BERLIN, path, breaking).upgrade());
      assert.ok(broken);
      assert.equal(await Deno.readTextFile(`${path}.backup`), given);
    }
    const client = clientOf(BERLIN, path);
    assert.equal(await client.upgrade(), true);
    await client.issueCert("crm");

    // The region has taken the new key, and this side never heard of it: what is on disk counts.
    assert.equal(await clientOf(BERLIN, path).upgrade(), false);
  }));

Deno.test("a signature is good for one call of one method by one cloudlet, and guessing is slow", () =>
  onScene(async ({ bare, holder }) => {
    const { client, path } = await holder(BERLIN);
    await client.upgrade();
    const key = readAccessKey(await Deno.readTextFile(path));
    const signed = async (parts: { key?: string; method?: string; signer?: typeof key } = {}): Promise<CallOptions> => {
      const { challenge } = await bare.getChallenge({});
      const cloudletKey = parts.key ?? keyString(BERLIN);
      return {
        metadata: {
          [AccessMetadata.key]: cloudletKey,
          [AccessMetadata.challenge]: challenge,
          [AccessMetadata.signature]: signCall(parts.signer ?? key, cloudletKey, parts.method ?? ISSUE_CERT, challenge),
        },
      };
    };
    const ask = (options: CallOptions) => bare.issueCert({ commonName: "crm" }, options);
    const once = await signed();
    await ask(once);
    assert.equal((await refusal(ask(once))).code, Status.ABORTED, "the same header again");
    const began = Date.now();
    const wrong: [string, CallOptions][] = [
      ["nothing", {}],
      ["another method's", await signed({ method: "/archipelago.CloudletAccessApi/GetCas" })],
      ["another cloudlet's", await signed({ key: keyString(PARIS) })],
      ["no cloudlet's", await signed({ key: keyString({ ...PARIS, name: "rome" }) })],
      ["not even a key", await signed({ key: "{" })],
      ["a stranger's", await signed({ signer: readAccessKey(createAccessKey().privatePem) })],
      ["the original's form", {
        metadata: { [AccessMetadata.key]: keyString(BERLIN), [AccessMetadata.signature]: "AAAA" },
      }],
    ];
    const errors = await Promise.all(wrong.map(([, options]) => refusal(ask(options))));
    errors.forEach((error, i) => assert.equal(error.code, Status.UNAUTHENTICATED, wrong[i]![0]));
    assert.equal(new Set(errors.map(({ message }) => message)).size, 1, "all refusals read the same");
    assert.ok(Date.now() - began > 2900);
    assert.equal(
      (await refusal(
        ask({
          ...await signed(),
          metadata: { ...(await signed()).metadata as object, [AccessMetadata.challenge]: "made-up" },
        }),
      )).code,
      Status.ABORTED,
    );
  }));

Deno.test("a cloudlet is given what is its own and nothing of another's", () =>
  onScene(async ({ holder }) => {
    const { client } = await holder(BERLIN);
    await client.upgrade();
    const domain = `berlin-acmecorp.${REGION}.archipelago.localhost`;
    const other = `paris-acmecorp.${REGION}.archipelago.localhost`;

    assert.deepEqual(JSON.parse(text(await client.data("get-cloudlet-access-vars"))), { TOKEN: "of berlin" });
    assert.deepEqual(JSON.parse(text(await client.data("get-kafka-creds"))), {
      endpoint: "kafka.example:9092",
      username: "berlin",
      password: "s3cret",
    });

    const record = { Name: `game.${domain}`, RType: "A", Content: "127.0.0.1", TTL: 60 };
    await client.data("create-or-update-dns-record", record);
    assert.deepEqual(JSON.parse(text(await client.data("get-dns-records", { Name: domain }))), [
      { ID: record.Name, Name: record.Name, Type: "A", Content: "127.0.0.1", TTL: 60 },
    ]);
    for (const Name of [other, `x.${other}`, "archipelago.localhost", `evil-${domain}`]) {
      for (const type of ["create-or-update-dns-record", "get-dns-records", "delete-dns-record"]) {
        const error = await refusal(client.data(type, { ...record, Name }));
        assert.equal(error.code, Status.PERMISSION_DENIED, `${type} ${Name}`);
      }
    }
    assert.match(
      (await refusal(client.data("create-or-update-dns-record", { ...record, RType: "TXT" }))).message,
      /RType/,
    );
    await client.data("delete-dns-record", { Name: record.Name });
    assert.deepEqual(JSON.parse(text(await client.data("get-dns-records", { Name: domain }))), []);

    const { cert } = JSON.parse(text(await client.data("get-public-cert", `*.${domain}`)));
    assert.deepEqual(parseCertificate(cert).dnsNames, [`*.${domain}`]);
    assert.equal(parseCertificate(cert).identity, undefined);
    for (const name of [`*.${other}`, "*.archipelago.localhost", `*.*.${domain}`]) {
      assert.notEqual((await refusal(client.data("get-public-cert", name))).code, Status.OK);
    }

    const authority = text(await client.data("get-ssh-public-key"));
    assert.match(authority, /^ssh-ed25519 /);
    const certificate = text(await client.data("sign-ssh-key", authority));
    const blob = text(Uint8Array.fromBase64(certificate.split(" ")[1]!));
    assert.match(blob, /cloudlet-berlin-acmecorp/);
    assert.equal((await refusal(client.data("sign-ssh-key", "ssh-dss AAAA"))).code, Status.INVALID_ARGUMENT);

    assert.equal(
      (await refusal(client.data("get-registry-auth", "registry.example/x:1"))).code,
      Status.PERMISSION_DENIED,
    );
    assert.equal((await refusal(client.data("get-federation-apikey", "any"))).code, Status.PERMISSION_DENIED);
    assert.match((await refusal(client.data("get-old-ssh-key"))).message, /must be one of .*get-public-cert/);
  }));

Deno.test("a resource manager on another machine starts with nothing but its key, and a manifest is made once", () =>
  onScene(async ({ controller, folder, keys }, ground) => {
    const { manifest } = await keys.getCloudletManifest(PARIS);
    assert.match(manifest, /^#!\/bin\/sh/);
    assert.match(
      (await refusal(keys.getCloudletManifest(PARIS))).message,
      /has an access key already: revoke it first/,
    );
    const pem = /-----BEGIN PRIVATE KEY-----[^]*?-----END PRIVATE KEY-----\n/.exec(manifest)![0];
    await Deno.writeTextFile(`${folder}/paris.pem`, pem);
    await Deno.writeTextFile(`${folder}/root.pem`, ground.ca.rootPem);
    const crm = await startWatched(crmService, [
      `--cloudlet=${JSON.stringify({ organization: PARIS.organization, name: PARIS.name })}`,
      `--region=${REGION}`,
      `--notify-addrs=${controller.addresses["notify"]}`,
      `--access-api-addr=${controller.addresses["access"]}`,
      `--access-key-file=${folder}/paris.pem`,
      `--access-ca=${folder}/root.pem`,
      `--tls-dir=${folder}/crm/tls`,
      `--data-dir=${folder}/crm`,
    ]);
    try {
      await crm.ready;
      const { identity } = parseCertificate(await Deno.readTextFile(`${folder}/crm/tls/cert.pem`));
      assert.equal(identity?.tier === "cloudlet" && identity.cloudlet.name, "paris");
      assert.ok(!JSON.stringify([...controller.records, ...crm.records]).includes("PRIVATE KEY"));
    } finally {
      await crm.stop();
    }
  }));
