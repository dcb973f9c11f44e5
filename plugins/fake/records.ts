import type { Files } from "../../shared/runtime/mod.ts";

/** Records of one sort, each in a file of its own by its infrastructure name, and all in memory. */
export class Records<T extends { readonly key: string; readonly id: string }> {
  readonly #files: Files;
  readonly #folder: string;
  readonly #byKey = new Map<string, T>();

  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** Reads what earlier processes left. A file that is none of ours is passed over. */
  async load(): Promise<void> {
    await this.#files.makeDirectory(this.#folder, { mode: 0o700 });
    for (const { name, kind } of await this.#files.list(this.#folder)) {
      if (kind !== "file" || !name.endsWith(".json")) continue;
      const record = read<T>(await this.#files.readText(`${this.#folder}/${name}`));
      if (record) this.#byKey.set(record.key, record);
    }
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key);
  }

  all(): T[] {
    return [...this.#byKey.values()];
  }

  /** Keeps a record; it lasts when this resolves. */
  async put(record: T): Promise<void> {
    await this.#files.writeAtomic(this.#path(record.id), JSON.stringify(record), { mode: 0o600 });
    this.#byKey.set(record.key, record);
  }

  async delete(key: string): Promise<void> {
    const record = this.#byKey.get(key);
    if (record === undefined) return;
    await this.#files.remove(this.#path(record.id));
    this.#byKey.delete(key);
  }

  #path(id: string): string {
    return `${this.#folder}/${id.replace(/[^a-z0-9-]/g, "_")}.json`;
  }
}

function read<T extends { readonly key: string; readonly id: string }>(text: string): T | undefined {
  try {
    const record = JSON.parse(text) as Partial<T>;
    return typeof record.key === "string" && typeof record.id === "string" ? record as T : undefined;
  } catch {
    return undefined;
  }
}
