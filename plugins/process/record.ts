import { createHash } from "node:crypto";
import type { Files } from "../../shared/runtime/mod.ts";
import type { AppSpec } from "../../shared/platform/mod.ts";

/** What the folder of an instance says of it, so that another process can take it over. */
export interface InstanceRecord {
  readonly version: 1;
  readonly spec: AppSpec;
  /** Changes when the instance has to be deployed anew. */
  readonly fingerprint: string;
  /** File name of the module inside the folder. */
  readonly module: string;
}

/** Paths of an instance. */
export interface InstanceFolder {
  readonly path: string;
  readonly record: string;
  readonly module: (fileName: string) => string;
  /** Working folder of the app. */
  readonly scratch: string;
  /** The runtime's cache for this app. */
  readonly cache: string;
  readonly log: string;
}

/** The folder of an instance, by its infrastructure name. */
export function instanceFolder(root: string, id: string): InstanceFolder {
  const path = `${root}/${id}`;
  return {
    path,
    record: `${path}/record.json`,
    module: (fileName) => `${path}/${fileName}`,
    scratch: `${path}/scratch`,
    cache: `${path}/cache`,
    log: `${path}/app.log`,
  };
}

/** Whether a name can be the folder of an instance. */
export function isInstanceId(id: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(id);
}

/** Fingerprint of everything that decides how an instance runs. */
export function fingerprintOf(spec: AppSpec): string {
  const parts = [spec.imagePath, spec.command, spec.manifest, spec.ports, spec.flavor, spec.revision];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Writes the record; only the owner may read it, as the manifest can hold secrets of the developer. */
export function writeRecord(files: Files, folder: InstanceFolder, record: InstanceRecord): Promise<void> {
  return files.writeAtomic(folder.record, JSON.stringify(record), { mode: 0o600 });
}

/** Reads the record; undefined when there is none that this version understands. */
export async function readRecord(files: Files, folder: InstanceFolder): Promise<InstanceRecord | undefined> {
  try {
    const record = JSON.parse(await files.readText(folder.record)) as Partial<InstanceRecord>;
    const sound = record.version === 1 && typeof record.fingerprint === "string" && typeof record.module === "string" &&
      typeof record.spec?.key === "string" && isInstanceId(record.spec.id) && !record.module.includes("/");
    return sound ? record as InstanceRecord : undefined;
  } catch {
    return undefined;
  }
}
