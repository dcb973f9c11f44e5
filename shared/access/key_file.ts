import type { Files } from "../runtime/mod.ts";
import { AccessKeyError, readAccessKey } from "./keys.ts";

/** Where a cloudlet keeps its access key, and the one before it as long as it may be needed. */
export interface AccessKeyFile {
  /** Both as PEM. @throws {AccessKeyError} When there is none, or it is no key. */
  read(): Promise<{ current: string; backup: string | undefined }>;
  /** Puts a new key in the place of the current one, and the one that counts until then beside it as the backup. */
  replace(privatePem: string, backupPem: string): Promise<void>;
  /** Puts the backup back in the place of the current key. */
  restore(): Promise<void>;
}

/** Files of whose owner only the owner may read (specification 3.1 of the cross-cutting part): PATH and PATH.backup. */
export function accessKeyFile(path: string, files: Files): AccessKeyFile {
  const backupPath = `${path}.backup`;
  const write = (name: string, text: string) => files.writeAtomic(name, text, { mode: 0o600 });
  async function readOne(name: string): Promise<string> {
    const text = await files.readText(name);
    try {
      readAccessKey(text);
    } catch (error) {
      throw new AccessKeyError(`${name}: ${(error as Error).message}`);
    }
    return text;
  }
  return {
    async read() {
      if (!await files.exists(path)) {
        throw new AccessKeyError(`${path}: there is no access key; make one with mcctl cloudlet generateaccesskey`);
      }
      return {
        current: await readOne(path),
        backup: await files.exists(backupPath) ? await readOne(backupPath) : undefined,
      };
    },
    async replace(privatePem, backupPem) {
      await write(backupPath, backupPem);
      await write(path, privatePem);
    },
    async restore() {
      await write(path, await files.readText(backupPath));
    },
  };
}
