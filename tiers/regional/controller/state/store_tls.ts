import type { Files } from "../../../../shared/runtime/mod.ts";
import type { StoreTls } from "../../../../shared/store/mod.ts";

/** Certificates of a folder for a store that is reached over TLS: `ca.pem`, and a client's where there are. */
export async function readStoreTls(folder: string | undefined, files: Files): Promise<StoreTls | undefined> {
  if (folder === undefined) return undefined;
  const optional = async (name: string) =>
    await files.exists(`${folder}/${name}`) ? await files.readBytes(`${folder}/${name}`) : undefined;
  return {
    ca: await files.readBytes(`${folder}/ca.pem`),
    certificateChain: await optional("cert.pem"),
    privateKey: await optional("key.pem"),
  };
}
