import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Clock, Files } from "../runtime/mod.ts";
import { errorFields, type Logger } from "../telemetry/mod.ts";
import { type CertificateFacts, parseCertificate } from "./certificate_facts.ts";
import { type Identity, IdentityError, identityName } from "./identity.ts";

/** What a certificate is loaded with. */
export interface LoadDeps {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often the files are looked at. @default 2000 */
  readonly intervalMs?: number;
}

/** A certificate from a folder, kept up to date with it. */
export interface LoadedCertificate {
  /** PEM, with the intermediate. */
  readonly cert: string;
  readonly key: string;
  /** The root, PEM. */
  readonly ca: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly serial: string;
  /** Calls `handler` with this object each time the certificate was replaced. @returns Stops that. */
  subscribe(handler: (now: this) => void): () => void;
  /** Looks at the files at once. @throws {IdentityError} when what they hold cannot be used; what was loaded stays */
  refresh(): Promise<void>;
  /** Why it cannot be used any more; undefined while it can. */
  readyCheck(): string | undefined;
  close(): void;
}

/** A certificate that says who this process is. */
export interface LoadedIdentity extends LoadedCertificate {
  readonly identity: Identity;
}

const DEFAULT_INTERVAL_MS = 2_000;
/** A writer is between the files for as long at most. */
const SETTLE_ATTEMPTS = 20;
const SETTLE_PAUSE_MS = 50;

/**
 * Reads a service's certificate from `cert.pem`, `key.pem` and `ca.pem` in a folder and follows their renewal. A
 * renewal that cannot be used, or that names another service, is logged and the certificate at hand kept.
 *
 * @throws {IdentityError} When it is missing, unreadable, expired, does not fit its key or names no service.
 */
export async function loadIdentity(dir: string, deps: LoadDeps): Promise<LoadedIdentity> {
  const first = await readFolder(dir, deps);
  const { identity } = first.facts;
  if (!identity) throw new IdentityError(`Certificate ${dir}/cert.pem does not name a service of this platform`);
  const loaded = new Folder(dir, deps, first, (facts) => {
    if (facts.identity && identityName(facts.identity) === identityName(identity)) return;
    throw new IdentityError(
      `Certificate ${dir}/cert.pem now names ${facts.identity ? identityName(facts.identity) : "nobody"}`,
    );
  });
  return Object.defineProperty(loaded, "identity", { value: identity, enumerable: true }) as Folder & {
    identity: Identity;
  };
}

/**
 * The same for a port that is served to others than the platform's services.
 *
 * @throws {IdentityError} As above, but any name will do.
 */
export async function loadServerCertificate(dir: string, deps: LoadDeps): Promise<LoadedCertificate> {
  return new Folder(dir, deps, await readFolder(dir, deps), () => {});
}

interface Content {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly facts: CertificateFacts;
}

class Folder implements LoadedCertificate {
  readonly #deps: LoadDeps;
  readonly #dir: string;
  readonly #check: (facts: CertificateFacts) => void;
  readonly #handlers = new Set<(now: this) => void>();
  readonly #closed = new AbortController();
  #content: Content;

  constructor(dir: string, deps: LoadDeps, content: Content, check: (facts: CertificateFacts) => void) {
    this.#deps = deps;
    this.#dir = dir;
    this.#check = check;
    this.#content = content;
    void this.#follow(dir);
  }

  get cert(): string {
    return this.#content.cert;
  }

  get key(): string {
    return this.#content.key;
  }

  get ca(): string {
    return this.#content.ca;
  }

  get notBeforeMs(): number {
    return this.#content.facts.notBeforeMs;
  }

  get notAfterMs(): number {
    return this.#content.facts.notAfterMs;
  }

  get serial(): string {
    return this.#content.facts.serial;
  }

  subscribe(handler: (now: this) => void): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  refresh(): Promise<void> {
    return this.#reload();
  }

  readyCheck(): string | undefined {
    if (this.#deps.clock.now() <= this.notAfterMs) return undefined;
    return `the certificate expired at ${new Date(this.notAfterMs).toISOString()}`;
  }

  close(): void {
    this.#closed.abort();
    this.#handlers.clear();
  }

  async #follow(dir: string): Promise<void> {
    const { files, clock, log, intervalMs = DEFAULT_INTERVAL_MS } = this.#deps;
    const { signal } = this.#closed;
    const paths = ["cert.pem", "key.pem", "ca.pem"].map((name) => `${dir}/${name}`);
    let complained = "";
    // A change between the first reading and the watch's first look would otherwise be missed.
    let look = true;
    const watch = files.watch(paths, { clock, signal, intervalMs })[Symbol.asyncIterator]();
    while (!signal.aborted) {
      const changed = watch.next();
      if (look) await this.#reload().catch(() => {});
      look = false;
      if ((await changed).done) return;
      try {
        await this.#reload();
        complained = "";
      } catch (error) {
        const fields = errorFields(error);
        if (fields.error !== complained && !signal.aborted) {
          log.error("the renewed certificate cannot be used", { dir, ...fields });
        }
        complained = fields.error;
      }
    }
  }

  async #reload(): Promise<void> {
    const dir = this.#dir;
    const content = await readFolder(dir, this.#deps);
    const old = this.#content;
    if (content.cert === old.cert && content.key === old.key && content.ca === old.ca) return;
    this.#check(content.facts);
    this.#content = content;
    this.#deps.log.info("the certificate was renewed", {
      dir,
      serial: this.serial,
      not_after: new Date(this.notAfterMs).toISOString(),
    });
    for (const handler of [...this.#handlers]) {
      try {
        handler(this);
      } catch (error) {
        this.#deps.log.error("a renewed certificate was not taken over", errorFields(error));
      }
    }
  }
}

async function readFolder(dir: string, { files, clock }: LoadDeps): Promise<Content> {
  for (let attempt = 1;; attempt++) {
    const [cert, key, ca] = await Promise.all(
      ["cert.pem", "key.pem", "ca.pem"].map((name) => readPart(files, `${dir}/${name}`)),
    );
    const facts = parseCertificate(cert!);
    if (keyFits(cert!, key!)) {
      if (clock.now() > facts.notAfterMs) {
        throw new IdentityError(`Certificate ${dir}/cert.pem expired at ${new Date(facts.notAfterMs).toISOString()}`);
      }
      parseCertificate(ca!);
      return { cert: cert!, key: key!, ca: ca!, facts };
    }
    if (attempt >= SETTLE_ATTEMPTS) throw new IdentityError(`Key ${dir}/key.pem does not belong to ${dir}/cert.pem`);
    await clock.sleep(SETTLE_PAUSE_MS);
  }
}

async function readPart(files: Files, path: string): Promise<string> {
  try {
    return await files.readText(path);
  } catch (cause) {
    throw new IdentityError(`Cannot read ${path}`, { cause });
  }
}

function keyFits(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
