import assert from "node:assert/strict";
import { freePort, until } from "../../../../shared/platform/testing/mod.ts";
import {
  type CertificateAuthority,
  createCa,
  type Identity,
  writeCertificate,
} from "../../../../shared/identity/mod.ts";
import { environmentOf, systemClock, systemFiles, systemRandom } from "../../../../shared/runtime/mod.ts";
import { openSecrets } from "../../../../shared/secrets/mod.ts";
import { dme, PlatformType, TrackedState } from "../../../../shared/schema/mod.ts";
import { Region } from "./region.ts";

/** How the resource manager is started: the command for given arguments. */
export type CrmCommand = (
  site: CrmSite,
  args: readonly string[],
) => { command: string; args: string[]; cwd?: string; env?: Record<string, string> };

/** A site with a region above it, certificates, and a folder. */
export interface CrmSite {
  readonly folder: string;
  readonly region: Region;
  /** Writes a certificate of a resource manager and returns its folder. */
  certificate(identity: Identity): Promise<string>;
  /** Folder with the certificate that fits. */
  readonly tlsDir: string;
  /** Starts the resource manager as a process; unless it is to fail, with arguments that fit. */
  start(extra?: readonly string[]): CrmProcess;
  /** Runs it to its end. */
  run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Publishes the site's cloudlet, an app that answers, and makes its instance number 1; returns its port. */
  deploy(): Promise<number>;
  /** Processes that work below the folder. */
  appProcesses(): Promise<number[]>;
}

/** A running resource manager. */
export interface CrmProcess {
  readonly pid: number;
  readonly log: string[];
  kill(signal: Deno.Signal): void;
  ended(): Promise<number>;
}

/** Identity of the test site's resource manager. */
export const crmIdentity: Identity = {
  tier: "cloudlet",
  region: "local",
  cloudlet: { organization: "op", name: "site" },
  service: "crm",
};

const HELLO = `Deno.serve({ port: Number(Deno.env.get("PORT")), onListen() {} }, () => new Response("hello"));`;

/** Runs `work` with a site of its own and leaves nothing behind. */
export async function withSite(command: CrmCommand, work: (site: CrmSite) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "crm-site-" }));
  const ca = await authority(folder);
  const controller = await ca.issue({
    identity: { tier: "regional", region: "local", service: "controller" },
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
  });
  const region = new Region({ cert: controller.certPem, key: controller.keyPem, ca: controller.caPem });
  await region.start();
  region.hub.markReady();
  let certificates = 0;
  const certificate = async (identity: Identity) => {
    const place = `${folder}/tls${certificates++}`;
    await writeCertificate(place, await ca.issue({ identity }), { files: systemFiles() });
    return place;
  };
  const tlsDir = await certificate(crmIdentity);
  const running: Deno.ChildProcess[] = [];
  const site: CrmSite = {
    folder,
    region,
    certificate,
    tlsDir,
    start(extra = []) {
      const { command: program, ...rest } = command(site, [
        "--cloudlet=op/site",
        `--notify-addrs=${region.address}`,
        `--tls-dir=${tlsDir}`,
        `--data-dir=${folder}/data`,
        "--probe-interval=200ms",
        "--log-format=json",
        ...extra,
      ]);
      const child = new Deno.Command(program, { ...rest, stdout: "null", stderr: "piped" }).spawn();
      running.push(child);
      const log: string[] = [];
      collect(child.stderr, log);
      return {
        pid: child.pid,
        log,
        kill: (signal) => child.kill(signal),
        ended: async () => (await child.status).code,
      };
    },
    async run(args) {
      const { command: program, ...rest } = command(site, args);
      const { code, stdout, stderr } = await new Deno.Command(program, { ...rest, stdout: "piped", stderr: "piped" })
        .output();
      const text = new TextDecoder();
      return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
    },
    async deploy() {
      await Deno.writeTextFile(`${folder}/hello.ts`, HELLO);
      const port = await freePort();
      region.site({ platformType: PlatformType.PLATFORM_TYPE_PROCESS, envVar: { PROCESS_RESTART_DELAY_MS: "300" } });
      region.app({ deployment: "process", imagePath: `${folder}/hello.ts` });
      const ports = [{ proto: dme.LProto.L_PROTO_TCP, internalPort: 8080, publicPort: port }];
      region.instance(1, TrackedState.CREATE_REQUESTED, 1, { mappedPorts: ports });
      await region.tells(1, TrackedState.READY, dme.HealthCheck.HEALTH_CHECK_OK);
      region.instance(1, TrackedState.READY, 1, { mappedPorts: ports });
      return port;
    },
    appProcesses: () => workingBelow(`${folder}/data`),
  };
  try {
    await work(site);
  } finally {
    for (const child of running) {
      try {
        child.kill("SIGKILL");
      } catch { /* it ended */ }
    }
    for (const pid of await site.appProcesses()) Deno.kill(pid, "SIGKILL");
    await region.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function authority(folder: string): Promise<CertificateAuthority> {
  const deps = { files: systemFiles(), clock: systemClock(), random: systemRandom(), environment: environmentOf({}) };
  return await createCa({ ...deps, secrets: await openSecrets(`file:${folder}/authority`, deps) });
}

/** Waits until the page of an app answers. */
export async function answers(port: number): Promise<void> {
  await until(`port ${port} answers`, async () => {
    try {
      return await (await fetch(`http://127.0.0.1:${port}/`)).text() === "hello";
    } catch {
      return false;
    }
  });
}

/** The whole life that a resource manager must master, whatever form it is started in. */
export async function wholeLife(site: CrmSite): Promise<void> {
  const first = site.start();
  const port = await site.deploy();
  await answers(port);
  const before = await site.appProcesses();
  assert.equal(before.length, 1);

  // kill -9: the app goes on and is adopted by the next process
  first.kill("SIGKILL");
  await first.ended();
  await answers(port);
  site.region.instances.length = 0;
  const second = site.start();
  const adopted = await site.region.tells(1, TrackedState.READY, dme.HealthCheck.HEALTH_CHECK_OK);
  assert.deepEqual(adopted.runtimeInfo?.containerIds, [`pid ${before[0]}`]);
  assert.deepEqual(await site.appProcesses(), before);

  // the app dies: told at once, and again when it is back
  Deno.kill(before[0]!, "SIGKILL");
  await site.region.tells(1, TrackedState.READY, dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL);
  await site.region.tells(1, TrackedState.READY, dme.HealthCheck.HEALTH_CHECK_OK);
  await answers(port);

  // a graceful end leaves it running
  second.kill("SIGTERM");
  assert.equal(await second.ended(), 0, second.log.join("\n"));
  await answers(port);

  // deletion, of a process that an earlier manager started, and no trace stays
  const third = site.start();
  await site.region.tells(1, TrackedState.READY, dme.HealthCheck.HEALTH_CHECK_OK);
  site.region.instance(1, TrackedState.DELETE_REQUESTED);
  await site.region.tells(1, TrackedState.DELETE_DONE);
  assert.deepEqual(await site.appProcesses(), []);
  site.region.forget(1);
  third.kill("SIGTERM");
  assert.equal(await third.ended(), 0, third.log.join("\n"));
}

async function collect(stream: ReadableStream<Uint8Array>, lines: string[]): Promise<void> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
  }
  if (rest) lines.push(rest);
}

async function workingBelow(folder: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const cwd = await Deno.readLink(`/proc/${name}/cwd`).catch(() => "");
    if (cwd.startsWith(`${folder}/`)) found.push(Number(name));
  }
  return found;
}
