import { openSessions, type Session, type Sessions } from "./session.ts";
import type { DemoApp, DemoOperator, DemoWorld } from "./world.ts";

/** Public ports that each site of the demo may hand out; sites share the machine, so their ranges lie side by side. */
export const PORTS_PER_SITE = 10;

/** Where and how the demo is made. */
export interface DemoOptions {
  /** Base URL of the master controller. */
  rest: string;
  /** PEM of the roots to trust. */
  ca: string;
  admin: { name: string; password: string };
  region: string;
  /** First public port of the first site. */
  firstPublicPort: number;
  /** Folder of the apps' modules, absolute. */
  appFolder: string;
  /** Password of a demo user; the same at every call, also after a restart. */
  passwordOf(user: string): Promise<string>;
  /** Told what has been done, of how much. */
  progress(done: number, total: number, what: string): void;
}

/** Creates the demo's world through the public REST API, as its people would. What is there already stays. */
export async function createDemo(world: DemoWorld, options: DemoOptions): Promise<void> {
  const sessions = openSessions(options.rest, options.ca);
  try {
    const admin = await sessions.login(options.admin.name, options.admin.password);
    const flavor = { key: { name: world.flavor.name }, ...world.flavor, name: undefined };
    const [operators, developers] = await Promise.all([
      Promise.all(
        world.operators.map(({ user, organization }) => member(sessions, options, user, organization, "operator")),
      ),
      Promise.all(
        world.developers.map(({ user, organization }) => member(sessions, options, user, organization, "developer")),
      ),
      admin.ensure("auth/ctrl/CreateFlavor", { region: options.region, flavor }),
    ]);
    // operators start with the right to Edgebox sites only
    await Promise.all(
      world.operators.map(({ organization }) =>
        admin.post("auth/restricted/org/update", { Name: organization, EdgeboxOnly: false })
      ),
    );
    const developerOf = new Map(world.developers.map(({ organization }, index) => [organization, developers[index]!]));
    await Promise.all(world.apps.map((app) => createApp(developerOf.get(app.organization)!, app, world, options)));
    await createSites(world, operators, developerOf, options);
  } finally {
    sessions.close();
  }
}

async function member(
  sessions: Sessions,
  options: DemoOptions,
  user: string,
  organization: string,
  type: "operator" | "developer",
): Promise<Session> {
  const password = await options.passwordOf(user);
  await sessions.anonymous.ensure("usercreate", {
    name: user,
    email: `${user}@${organization}.example`,
    passhash: password,
  });
  const session = await sessions.login(user, password);
  await session.ensure("auth/org/create", { name: organization, type, address: "1 Demo Street", phone: "555 0100" });
  return session;
}

async function createApp(developer: Session, app: DemoApp, world: DemoWorld, options: DemoOptions): Promise<void> {
  await developer.ensure("auth/ctrl/CreateApp", {
    region: options.region,
    app: {
      key: { organization: app.organization, name: app.name, version: app.version },
      deployment: "process",
      image_path: `${options.appFolder}/${app.module}`,
      access_ports: app.accessPorts,
      default_flavor: { name: world.flavor.name },
    },
  });
}

/** Creates all sites side by side, and each site's instances as soon as the site is ready. */
async function createSites(
  world: DemoWorld,
  operators: readonly Session[],
  developerOf: ReadonlyMap<string, Session>,
  options: DemoOptions,
): Promise<void> {
  const sites = world.operators.flatMap((operator, owner) =>
    operator.sites.map((city, rank) => ({ operator, session: operators[owner]!, city, rank }))
  );
  let done = 0;
  await Promise.all(sites.map(async ({ operator, session, city, rank }, index) => {
    const key = { organization: operator.organization, name: city.name };
    const first = options.firstPublicPort + index * PORTS_PER_SITE;
    await session.ensure("auth/ctrl/CreateCloudlet", {
      region: options.region,
      cloudlet: {
        key,
        location: { latitude: city.latitude, longitude: city.longitude },
        num_dynamic_ips: PORTS_PER_SITE,
        platform_type: "Process",
        deployment_local: true,
        env_var: { PUBLIC_PORT_RANGE: `${first}-${first + PORTS_PER_SITE - 1}` },
      },
    });
    await Promise.all(
      appsAt(world, operator, rank).map((app) =>
        developerOf.get(app.organization)!.ensure("auth/ctrl/CreateAppInst", {
          region: options.region,
          appinst: {
            key: {
              app_key: { organization: app.organization, name: app.name, version: app.version },
              cluster_inst_key: { cloudlet_key: key },
            },
          },
        })
      ),
    );
    options.progress(++done, sites.length, `${city.name} of ${operator.organization}`);
  }));
}

/** Apps that run at the operator's site of this rank. */
export function appsAt(world: DemoWorld, operator: DemoOperator, rank: number): DemoApp[] {
  return world.apps.filter((app) => app.runsAt(operator, rank));
}
