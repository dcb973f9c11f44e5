import type { Platform, UpInfo } from "./platform.ts";
import { processesWith, repository } from "./processes.ts";
import { login, loginAsAdmin, type RestUser, restUser } from "./rest.ts";
import { eventually } from "./wait.ts";

/** Passwords of the test's users; strong enough for the platform's rules. */
const PASSWORD = "quiet-harbour-lantern-forty-two";
const OPERATOR = "northwind";
const DEVELOPER = "acme";

/** Sites of the test world: name, place, and public ports that no other site of the machine uses. */
export const sites = {
  munich: { latitude: 48.1372, longitude: 11.5755 },
  hamburg: { latitude: 53.5507, longitude: 9.993 },
} as const;
export type Site = keyof typeof sites;

/** Key of the test app. */
export const appKey = { organization: DEVELOPER, name: "echo", version: "1.0" };

/** A small world made by its users through the public REST API. */
export interface World {
  admin: RestUser;
  operator: RestUser;
  developer: RestUser;
  close(): void;
}

/** Key of a site's cloudlet. */
export function cloudletKey(site: Site): { organization: string; name: string } {
  return { organization: OPERATOR, name: site };
}

/** Key of the app's instance at a site. */
export function instanceKey(site: Site): Record<string, unknown> {
  return { app_key: appKey, cluster_inst_key: { cloudlet_key: cloudletKey(site) } };
}

/** Creates the users, their organizations, a flavor, both sites and the app, each by the user who would. */
export async function makeWorld(platform: Platform, firstPort: number): Promise<World> {
  const info = platform.info();
  const admin = await loginAsAdmin(info);
  const operator = await makeUser(info, "olga", OPERATOR, "operator");
  const developer = await makeUser(info, "dev", DEVELOPER, "developer");
  // operators start with the right to Edgebox sites only
  const lifted = await admin.call("auth/restricted/org/update", { Name: OPERATOR, EdgeboxOnly: false });
  if (lifted.status !== 200) throw new Error(`restricted/org/update: ${lifted.status} ${lifted.text}`);
  await admin.ctrl("CreateFlavor", { flavor: { key: { name: "small" }, ram: 256, vcpus: 1, disk: 1 } });
  await Promise.all(
    Object.entries(sites).map(([site, location], index) =>
      operator.ctrl("CreateCloudlet", {
        cloudlet: {
          key: cloudletKey(site as Site),
          location,
          num_dynamic_ips: 10,
          platform_type: "Process",
          deployment_local: true,
          env_var: { PUBLIC_PORT_RANGE: `${firstPort + 10 * index}-${firstPort + 10 * index + 9}` },
        },
      })
    ),
  );
  await developer.ctrl("CreateApp", {
    app: {
      key: appKey,
      deployment: "process",
      image_path: `${repository()}/tests/e2e/apps/echo.ts`,
      access_ports: "tcp:8080",
      default_flavor: { name: "small" },
    },
  });
  return {
    admin,
    operator,
    developer,
    close() {
      for (const user of [admin, operator, developer]) user.close();
    },
  };
}

async function makeUser(info: UpInfo, name: string, organization: string, type: string): Promise<RestUser> {
  const anonymous = restUser(info);
  try {
    const created = await anonymous.call("usercreate", { name, email: `${name}@example.com`, passhash: PASSWORD });
    if (created.status !== 200) throw new Error(`usercreate ${name}: ${created.status} ${created.text}`);
  } finally {
    anonymous.close();
  }
  const user = await login(info, name, PASSWORD);
  const made = await user.call("auth/org/create", { name: organization, type, address: "1 Pier", phone: "5550100" });
  if (made.status !== 200) throw new Error(`org/create ${organization}: ${made.status} ${made.text}`);
  return user;
}

/** Deploys the app at a site; resolves with the lines of progress when it is ready. */
export async function deploy(world: World, site: Site): Promise<string[]> {
  const lines = await world.developer.ctrl("CreateAppInst", { appinst: { key: instanceKey(site) } });
  return lines.map((line) => String(line.message));
}

/** Deletes the app's instance at a site. */
export async function undeploy(world: World, site: Site): Promise<void> {
  await world.developer.ctrl("DeleteAppInst", { appinst: { key: instanceKey(site) } });
}

/** Instances as the developer sees them. */
export function instances(world: World): Promise<Record<string, unknown>[]> {
  return world.developer.ctrl("ShowAppInst", { appinst: {} });
}

/** Process ids of the sandboxed instance at a site that run right now, as its runtime information names them. */
export async function runningInstances(world: World, platform: Platform, site: Site): Promise<number[]> {
  const pids: number[] = [];
  for (const instance of await instances(world)) {
    if (!JSON.stringify(instance.key).includes(`"${site}"`)) continue;
    const runtime = instance.runtime_info as { container_ids?: string[] } | undefined;
    for (const id of runtime?.container_ids ?? []) {
      const pid = Number(/\d+/.exec(id)?.[0]);
      if (processesWith(platform.data).has(pid)) pids.push(pid);
    }
  }
  return pids;
}

/** Process id of the sandboxed instance at a site, once it runs. */
export function instancePid(world: World, platform: Platform, site: Site): Promise<number> {
  return eventually(
    `a process of the instance in ${site}`,
    async () => (await runningInstances(world, platform, site))[0],
  );
}
