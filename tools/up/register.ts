import { openSessions } from "./demo/mod.ts";

/** Tells the master controller where a region's controller is, by its public REST API; renews what it knew before. */
export async function registerRegions(
  rest: string,
  ca: string,
  admin: { name: string; password: string },
  addresses: Readonly<Record<string, string>>,
): Promise<void> {
  const sessions = openSessions(rest, ca);
  try {
    const session = await sessions.login(admin.name, admin.password);
    for (const [region, address] of Object.entries(addresses)) {
      const controller = { Region: region, Address: address };
      const created = await session.ensure("auth/controller/create", controller);
      if (!created) await session.post("auth/controller/update", controller);
    }
  } finally {
    sessions.close();
  }
}
