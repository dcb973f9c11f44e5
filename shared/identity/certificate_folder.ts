import type { Files } from "../runtime/mod.ts";
import type { IssuedCertificate } from "./authority.ts";

/** How a certificate's folder is written. */
export interface CertificateFolderOptions {
  readonly files: Files;
  /** Owner of the files, when it is not this process's user. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Share of its life after which a certificate is renewed. */
const RENEW_SHARE = 2 / 3;

/** When to renew a certificate, epoch milliseconds: after two thirds of its life. */
export function renewAt(
  { notBeforeMs, notAfterMs }: { readonly notBeforeMs: number; readonly notAfterMs: number },
): number {
  return notBeforeMs + (notAfterMs - notBeforeMs) * RENEW_SHARE;
}

/**
 * Writes `cert.pem` (with its intermediate), `key.pem` and `ca.pem` into a folder that a service reads. A reader that
 * comes between the files sees a key that does not fit, and looks again.
 */
export async function writeCertificate(
  dir: string,
  issued: Pick<IssuedCertificate, "certPem" | "keyPem" | "caPem">,
  options: CertificateFolderOptions,
): Promise<void> {
  const { files, uid, gid } = options;
  await files.makeDirectory(dir, { mode: 0o700, uid, gid });
  await files.writeAtomic(`${dir}/ca.pem`, issued.caPem, { mode: 0o644, uid, gid });
  await files.writeAtomic(`${dir}/key.pem`, issued.keyPem, { mode: 0o600, uid, gid });
  await files.writeAtomic(`${dir}/cert.pem`, issued.certPem, { mode: 0o644, uid, gid });
}
