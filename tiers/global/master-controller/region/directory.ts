import type { Database, Listener } from "../../../../shared/database/mod.ts";
import type { Channel } from "../../../../shared/rpc/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { badRequest } from "../http/api_error.ts";
import { CHANGES_CHANNEL } from "../migrations.ts";

/** Opens a way to a region's controller, which must prove that it belongs to the region. */
export type OpenRegion = (region: string, addresses: readonly string[]) => Channel;

interface Entry {
  readonly address: string;
  readonly channel: Channel;
  /** One way to each controller, opened when first needed. */
  each?: readonly Channel[];
}

/**
 * The regions and the ways to their controllers. What other master controllers change is learned from the database's
 * notifications.
 */
export class RegionDirectory {
  readonly #database: Database;
  readonly #open: OpenRegion;
  readonly #log: Logger;
  readonly #entries = new Map<string, Entry>();
  #listener: Listener | undefined;
  /** Reloads run one after another, so that an older reading cannot overwrite a newer one. */
  #reloading: Promise<void> = Promise.resolve();

  constructor(database: Database, open: OpenRegion, log: Logger) {
    this.#database = database;
    this.#open = open;
    this.#log = log;
  }

  /** Reads the regions and begins to follow changes. */
  async start(): Promise<void> {
    this.#listener = await this.#database.listen(CHANGES_CHANNEL, {
      notified: (table) => table === "controllers" && this.#reloadQuietly(),
      connected: () => this.#reloadQuietly(),
    });
    await this.reload();
  }

  /** Reads the regions anew. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.catch(() => {}).then(() => this.#load());
    return this.#reloading;
  }

  /** Names of the regions, sorted. */
  names(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** The way to a region's controller. @throws {ApiError} 400 when there is no such region */
  async channel(region: string): Promise<Channel> {
    return (await this.#entry(region)).channel;
  }

  /** A way to each controller of a region. @throws {ApiError} as above */
  async eachChannel(region: string): Promise<readonly Channel[]> {
    const entry = await this.#entry(region);
    const addresses = entry.address.split(",");
    if (addresses.length === 1) return [entry.channel];
    return entry.each ??= addresses.map((address) => this.#open(region, [address]));
  }

  async #entry(region: string): Promise<Entry> {
    if (region === "") throw badRequest("No region specified");
    // One that another master controller has just registered may not have been announced yet.
    if (!this.#entries.has(region)) await this.reload();
    const entry = this.#entries.get(region);
    if (entry === undefined) throw badRequest(`Region "${region}" not found`);
    return entry;
  }

  /** Ends following and closes all channels. */
  async close(): Promise<void> {
    await this.#listener?.stop();
    await this.#reloading.catch(() => {});
    this.#entries.forEach(closeEntry);
    this.#entries.clear();
  }

  #reloadQuietly(): void {
    this.reload().catch((error) => this.#log.warn("Cannot read the regions", { error: String(error) }));
  }

  async #load(): Promise<void> {
    const rows = await this.#database.query<
      { region: string; address: string }
    >`select region, address from controllers`;
    const known = new Map(rows.map((row) => [row.region, row.address]));
    for (const [region, entry] of this.#entries) {
      if (known.get(region) === entry.address) continue;
      closeEntry(entry);
      this.#entries.delete(region);
    }
    for (const [region, address] of known) {
      if (this.#entries.has(region)) continue;
      this.#entries.set(region, { address, channel: this.#open(region, address.split(",")) });
      this.#log.info("Region known", { region, address });
    }
  }
}

function closeEntry({ channel, each }: Entry): void {
  for (const open of [channel, ...each ?? []]) open.close();
}
