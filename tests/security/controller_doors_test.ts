// Who may come in at a controller's ports, and what those who may not are told.
import assert from "node:assert/strict";
import { connect } from "node:tls";
import { type Identity, type IssuedCertificate, verifyPeer, writeCertificate } from "../../shared/identity/mod.ts";
import { createNotifyClient, roundRobin } from "../../shared/notify/mod.ts";
import { createChannel, createClient, RpcError, Status } from "../../shared/rpc/mod.ts";
import { systemFiles } from "../../shared/runtime/mod.ts";
import { CloudletKind, Flavor, FlavorApi } from "../../shared/schema/mod.ts";
import { controllerService } from "../../tiers/regional/controller/service.ts";
import { type Ground, onGround, REGION, startWatched, until, type Watched } from "./support.ts";

const controllerIdentity: Identity = { tier: "regional", region: REGION, service: "controller" };
const masterController: Identity = { tier: "global", service: "master-controller" };
const berlin = { organization: "Acme", name: "berlin" };
const crmOf = (cloudlet: typeof berlin, region = REGION): Identity => ({
  tier: "cloudlet",
  region,
  cloudlet,
  service: "crm",
});
const cloudletKey = (cloudlet: typeof berlin) => CloudletKind.keyString(CloudletKind.keyMessage.create(cloudlet));

async function startController(ground: Ground): Promise<Watched> {
  const tls = await ground.certificateFolder("controller", controllerIdentity);
  return await startWatched(controllerService, [
    `--region=${REGION}`,
    `--store=sqlite:${ground.folder}/store.db`,
    `--tls-dir=${tls}`,
    "--api-addr=127.0.0.1:0",
    "--notify-addr=127.0.0.1:0",
  ]);
}

/** Calls the API with a certificate; gives the error, or nothing when it was let in. */
async function callApi(address: string, ca: string, own: Partial<IssuedCertificate>): Promise<RpcError | undefined> {
  const channel = createChannel({ address, tls: { ca, cert: own.certPem, key: own.keyPem } });
  try {
    for await (
      const _ of createClient(FlavorApi, channel, { timeoutMs: 30_000 }).showFlavor(Flavor.create())
    ) { /* read on */ }
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return error;
  } finally {
    channel.close();
  }
}

/** Opens a replication stream; gives why it was refused, or nothing when it got in step. */
async function openStream(
  address: string,
  own: IssuedCertificate,
  hello: { service: string; region?: string; cloudlet?: string },
): Promise<string | undefined> {
  const tls = { ca: own.caPem, cert: own.certPem, key: own.keyPem, verifyPeer: () => {} };
  const client = createNotifyClient({
    region: REGION,
    ...hello,
    wants: ["Cloudlet"],
    connect: roundRobin([address], () => ({ tls })),
    backoff: { initialMs: 10_000 },
  });
  client.start();
  try {
    await until("an answer", () => client.state() === "inStep" || client.info().lastError !== undefined);
    return client.state() === "inStep" ? undefined : String(client.info().lastError);
  } finally {
    await client.stop();
  }
}

function logged({ records }: Watched, reason: RegExp): boolean {
  return records.some((record) => record.level === "warn" && reason.test(JSON.stringify(record)));
}

Deno.test("the API admits the master controller and its region's services, and tells others why not", () =>
  onGround(async (ground) => {
    const controller = await startController(ground);
    try {
      const address = controller.addresses.grpc!;
      const as = async (identity: Identity) =>
        await callApi(address, ground.ca.rootPem, await ground.ca.issue({ identity }));
      assert.equal(await as(masterController), undefined);
      assert.equal(await as({ tier: "regional", region: REGION, service: "dme" }), undefined);

      const refusals: [Identity, RegExp][] = [
        [
          { tier: "regional", region: "us", service: "dme" },
          /region\/us\/service\/dme is not accepted here: another region than eu/,
        ],
        [
          { tier: "global", service: "console" },
          /global\/service\/console is not accepted here: only master-controller may connect/,
        ],
        [crmOf(berlin), /cloudlet\/Acme\/berlin\/service\/crm is not accepted here: a cloudlet service where/],
      ];
      for (const [identity, reason] of refusals) {
        const error = await as(identity);
        assert.equal(error?.code, Status.PERMISSION_DENIED);
        assert.match(error.message, reason);
        await until(`the log to say ${reason}`, () => logged(controller, reason));
      }
    } finally {
      await controller.stop();
    }
  }));

Deno.test("the API refuses who has no certificate, one of another authority, an expired one or a public port's", () =>
  onGround(async (ground) => {
    const controller = await startController(ground);
    try {
      const address = controller.addresses.grpc!;
      const certificates: Partial<IssuedCertificate>[] = [
        {},
        await (await ground.strangers()).issue({ identity: masterController }),
        await ground.ca.issue({ identity: masterController, ttlMs: -60_000 }),
        await ground.ca.issuePublic({ dnsNames: ["localhost"] }),
      ];
      let refused = 0;
      for (const certificate of certificates) {
        const error = await callApi(address, ground.ca.rootPem, certificate);
        assert.ok(error, "it was let in");
        assert.equal(error.code, Status.UNAVAILABLE, error.message);
        assert.match(error.message, /No connection to .*: .*certificate/i);
        const told = () =>
          controller.records.filter(({ level, error }) =>
            level === "warn" && /refused: .*certificate/.test(String(error))
          );
        await until("the log to say that somebody was refused", () => told().length > refused);
        refused = told().length;
      }
      const unproven = (await ground.strangers()).rootPem;
      const error = await callApi(address, unproven, await ground.ca.issue({ identity: masterController }));
      assert.equal(error?.code, Status.UNAVAILABLE, "a client does not trust a controller of another authority");
      assert.equal(
        await callApi(address, ground.ca.rootPem, await ground.ca.issue({ identity: masterController })),
        undefined,
      );
    } finally {
      await controller.stop();
    }
  }));

Deno.test("the replication port admits a site only as the one that its certificate names", () =>
  onGround(async (ground) => {
    const controller = await startController(ground);
    try {
      const address = controller.addresses.notify!;
      const open = async (identity: Identity, hello: Parameters<typeof openStream>[2]) =>
        await openStream(address, await ground.ca.issue({ identity }), hello);
      const asBerlin = { service: "crm", cloudlet: cloudletKey(berlin) };
      const asRome = { service: "crm", cloudlet: cloudletKey({ ...berlin, name: "rome" }) };
      assert.equal(await open(crmOf(berlin), asBerlin), undefined);
      assert.match(await open(crmOf(berlin), asRome) ?? "", /The certificate is of cloudlet .*berlin.*, not of .*rome/);
      assert.match(await open(crmOf(berlin, "us"), asBerlin) ?? "", /another region than eu/);
      assert.match(await open(masterController, { service: "master-controller" }) ?? "", /a global service where a/);
      assert.match(
        await open({ tier: "regional", region: REGION, service: "dme" }, asBerlin) ?? "",
        /of service dme, not of crm/,
      );
      assert.match(
        await open({ tier: "regional", region: REGION, service: "crm" }, asBerlin) ?? "",
        /needs a certificate of its cloudlet/,
      );
      assert.match(
        await open({ tier: "cloudlet", region: REGION, cloudlet: berlin, service: "dme" }, { service: "dme" }) ?? "",
        /lets no matching engines of cloudlets in/,
      );
    } finally {
      await controller.stop();
    }
  }));

Deno.test("a renewed certificate is shown to new connections, and those that were open go on", () =>
  onGround(async (ground) => {
    const controller = await startController(ground);
    const own = await ground.ca.issue({ identity: masterController });
    const address = controller.addresses.grpc!;
    const rule = [{ tier: "regional", region: REGION, services: ["controller"] }] as const;
    const channel = createChannel({
      address,
      tls: {
        ca: own.caPem,
        cert: own.certPem,
        key: own.keyPem,
        verifyPeer: (chain) => void verifyPeer(chain, rule, Date.now()),
      },
    });
    const client = createClient(FlavorApi, channel, { timeoutMs: 30_000 });
    const show = async () => {
      for await (const _ of client.showFlavor(Flavor.create())) { /* read on */ }
    };
    try {
      await show();
      const renewed = await ground.ca.issue({ identity: controllerIdentity });
      assert.notEqual(await serialShown(address, own), renewed.serial);
      await writeCertificate(`${ground.folder}/controller`, renewed, { files: systemFiles() });
      await until("the new serial number", async () => await serialShown(address, own) === renewed.serial);
      assert.equal(channel.state(), "ready");
      await show();
      const other = await ground.ca.issue({ identity: { ...controllerIdentity, region: "us" } });
      await writeCertificate(`${ground.folder}/controller`, other, { files: systemFiles() });
      await until(
        "the wrong certificate to be reported",
        () => controller.records.some((record) => /now names region\/us/.test(String(record.error))),
      );
      assert.equal(await serialShown(address, own), renewed.serial);
    } finally {
      channel.close();
      await controller.stop();
    }
  }));

/** Serial number of the certificate that a server shows. */
function serialShown(address: string, own: IssuedCertificate): Promise<string> {
  const [host, port] = address.split(":") as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port),
      ca: own.caPem,
      cert: own.certPem,
      key: own.keyPem,
      ALPNProtocols: ["h2"],
    }, () => {
      const serial = socket.getPeerCertificate().serialNumber.toLowerCase();
      socket.destroy();
      resolve(serial.padStart(32, "0"));
    });
    socket.on("error", reject);
  });
}
