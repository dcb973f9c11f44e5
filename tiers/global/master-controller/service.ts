import { openDatabase } from "../../../shared/database/mod.ts";
import { identityName, loadIdentity, loadServerCertificate, verifyPeer } from "../../../shared/identity/mod.ts";
import { createChannel } from "../../../shared/rpc/mod.ts";
import { hostName, serveHttp } from "../../../shared/runtime/mod.ts";
import { ensureSigningKey, openSecrets, signingKeys } from "../../../shared/secrets/mod.ts";
import { formatAddress, type ServiceContext, type ServiceDefinition } from "../../../shared/service/mod.ts";
import { createApp } from "./app.ts";
import { KeyedQueue } from "./auth/keyed_queue.ts";
import { PASSWORD_ITERATIONS } from "./auth/password.ts";
import type { SigningKeys } from "./auth/tokens.ts";
import { ensureSuperuser, prepareDatabase } from "./bootstrap.ts";
import type { Core } from "./core.ts";
import { BASE_LOGIN_DELAY_SEC } from "./model/config.ts";
import { type MasterControllerConfig, masterControllerOptions } from "./options.ts";
import { type OpenRegion, RegionDirectory } from "./region/directory.ts";

/** Secret with the keys that sign tokens. */
const KEYS_PATH = "jwtkeys/mcorm";

/** Logins of one account that may wait for one another. */
const MAX_WAITING_LOGINS = 16;

/** What the certificate must say; regions take calls from nobody else. */
const OWN_IDENTITY = identityName({ tier: "global", service: "master-controller" });

const VERSION = "0.1.0";

type Context = ServiceContext<MasterControllerConfig>;

/** The master controller as a service. */
export const masterControllerService: ServiceDefinition<typeof masterControllerOptions> = {
  name: "master-controller",
  description: "Keeps accounts, organizations and roles, and passes authorized calls on to the regions.",
  version: VERSION,
  options: masterControllerOptions,
  async start(context) {
    requirePrivateWithoutTls(context.config);
    const core = await assemble(context);
    await prepareDatabase(core.database, core);
    await ensureSuperuser(core, superuserOf(context));
    await core.regions.start();
    await listen(context, core);
  },
};

async function assemble(context: Context): Promise<Core> {
  const { config, clock, random, log } = context;
  const openRegion = await regionOpener(context);
  const keys = await openKeys(context);
  const database = await openDatabase(await databaseUrl(context), {
    log,
    clock,
    applicationName: "master-controller",
    ...(config.databaseCaFile && { tls: { ca: await context.files.readText(config.databaseCaFile) } }),
  });
  context.onClose("database", () => database.close());
  context.onReadyCheck("database", () => database.ping());
  const regions = new RegionDirectory(database, openRegion, log);
  context.onClose("regions", () => regions.close());
  return {
    ...{ database, keys, regions, clock, random, log },
    logins: new KeyedQueue(MAX_WAITING_LOGINS),
    settings: {
      superuser: config.superuser,
      skipVerifyEmail: config.skipVerifyEmail,
      platformOrg: config.platformOrg,
      passwordIterations: PASSWORD_ITERATIONS,
      failedLoginDelayMs: BASE_LOGIN_DELAY_SEC * 1000,
      version: VERSION,
      hostName: hostName(),
    },
  };
}

async function openKeys(context: Context): Promise<SigningKeys> {
  const { config, clock, random } = context;
  const secrets = await openSecrets(config.secrets, context);
  context.onClose("secrets", () => secrets.close());
  await ensureSigningKey(secrets, KEYS_PATH, random);
  const keys = signingKeys(secrets, KEYS_PATH, clock);
  context.onClose("signing keys", () => keys.close());
  context.onReadyCheck("signing keys", async () => void await keys.current());
  return keys;
}

/** Channels present this service's certificate, and take only the controller of the region that is asked for. */
async function regionOpener(context: Context): Promise<OpenRegion> {
  const { config, clock } = context;
  const identity = await loadIdentity(config.tlsDir, context);
  context.onClose("identity", () => identity.close());
  context.onReadyCheck("identity", () => identity.readyCheck());
  const name = identityName(identity.identity);
  if (name !== OWN_IDENTITY) throw new Error(`Certificate in ${config.tlsDir} is that of ${name}, not ${OWN_IDENTITY}`);
  return (region, addresses) => {
    const tls = () => ({
      ca: identity.ca,
      cert: identity.cert,
      key: identity.key,
      verifyPeer: (chain: readonly Uint8Array[]) => {
        verifyPeer(chain, [{ tier: "regional", region, services: ["controller"] }], clock.now());
      },
    });
    const channel = createChannel({ address: addresses, tls: tls() });
    const unsubscribe = identity.subscribe(() => channel.updateTls(tls()));
    const close = channel.close.bind(channel);
    return Object.assign(channel, {
      close() {
        unsubscribe();
        close();
      },
    });
  };
}

async function listen(context: Context, core: Core): Promise<void> {
  const { config, log } = context;
  const handle = createApp(core);
  const certificate = config.publicTlsDir && await loadServerCertificate(config.publicTlsDir, context);
  const listener = await serveHttp({
    ...config.addr,
    ...(certificate && { tls: { cert: certificate.cert, key: certificate.key } }),
    handler: (request, peer) => handle(request, peer.address),
  });
  context.onClose("REST", () => listener.drain(config.grace / 2));
  if (certificate) {
    certificate.subscribe((now) => {
      listener.updateTls(now).catch((error) => log.error("Cannot use the new certificate", { error: String(error) }));
    });
    context.onClose("public certificate", () => certificate.close());
    context.onReadyCheck("public certificate", () => certificate.readyCheck());
  }
  context.announce("rest", `${certificate ? "https" : "http"}://${formatAddress(listener)}`);
}

async function databaseUrl({ config, files }: Context): Promise<string> {
  if (config.databasePasswordFile === undefined) return config.database;
  const [, scheme, user, rest] = /^(\w+:\/\/)([^:@/]+)(?::[^@/]*)?(@.*)$/.exec(config.database) ?? [];
  if (rest === undefined) throw new Error("Option --database must name a user for --database-password-file");
  const password = (await files.readText(config.databasePasswordFile)).trim();
  return `${scheme}${user}:${encodeURIComponent(password)}${rest}`;
}

function superuserOf({ config, files }: Context) {
  return {
    email: config.superuserEmail,
    async password() {
      if (config.superuserPasswordFile !== undefined) {
        return (await files.readText(config.superuserPasswordFile)).trim();
      }
      throw new Error(`The administrator ${config.superuser} has to be made, which takes --superuser-password-file`);
    },
  };
}

/** Passwords and tokens must not cross a network in the clear. */
function requirePrivateWithoutTls({ publicTlsDir, addr }: MasterControllerConfig): void {
  if (publicTlsDir === undefined && !["127.0.0.1", "::1", "localhost"].includes(addr.hostname)) {
    throw new Error(`Option --addr ${formatAddress(addr)} is not a loopback address, which takes --public-tls-dir`);
  }
}
