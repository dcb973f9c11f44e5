import { type OperationContext, PlatformError } from "../../shared/platform/mod.ts";
import { type Engine, EngineError } from "./engine.ts";

/** Parts of an image's name. */
export interface ImageReference {
  readonly name: string;
  /** Tag or "sha256:…" digest. */
  readonly version: string;
}

/** Registry with port, path, tag, digest. */
const IMAGE =
  /^((?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+)?\/)?[a-zA-Z0-9][a-zA-Z0-9._/-]*)(?::([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/;

/** Splits `name[:tag][@digest]`; without either the tag is "latest". Throws {@linkcode PlatformError} (Invalid). */
export function parseImage(text: string): ImageReference {
  const plain = text.replace(/^https?:\/\//, "");
  const match = IMAGE.exec(plain);
  if (!match || plain.length > 512) {
    throw new PlatformError("Invalid", `Image "${text.slice(0, 120)}" is not the name of an image: registry/path:tag`);
  }
  return { name: match[1]!, version: match[3] ?? match[2] ?? "latest" };
}

/** The name by which the engine knows an image. */
export function imageName({ name, version }: ImageReference): string {
  return version.startsWith("sha256:") ? `${name}@${version}` : `${name}:${version}`;
}

/**
 * Makes sure that an image is present, from its registry when it is not (or when a fresh one is asked for and there is a
 * registry that has it). Throws {@linkcode PlatformError}: NotFound when there is none, Transient when the registry
 * cannot be reached.
 */
export async function ensureImage(
  engine: Engine,
  image: ImageReference,
  options: { readonly refresh: boolean },
  operation: OperationContext,
): Promise<void> {
  const present = await isPresent(engine, image, operation);
  if (present && !options.refresh) return;
  try {
    await pull(engine, image, operation);
  } catch (error) {
    if (!present || !(error instanceof PlatformError)) throw error;
    operation.progress("Pulling the image", `kept the present one: ${error.message}`);
  }
}

async function isPresent(engine: Engine, image: ImageReference, operation: OperationContext): Promise<boolean> {
  try {
    await engine.call({ path: `/images/${encodeURIComponent(imageName(image))}/json`, signal: operation.signal });
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false;
    throw error;
  }
}

async function pull(engine: Engine, image: ImageReference, operation: OperationContext): Promise<void> {
  const name = imageName(image);
  operation.progress("Pulling the image", name);
  try {
    const lines = engine.lines({
      method: "POST",
      path: "/images/create",
      query: { fromImage: image.name, tag: image.version },
      signal: operation.signal,
    });
    let last = "";
    for await (const line of lines) {
      if (typeof line.error === "string") throw new EngineError(0, line.error);
      const status = typeof line.status === "string" ? line.status : "";
      // layers report many times a second; each kind of news is told once
      if (status !== "" && status !== last && line.progress === undefined) {
        operation.progress("Pulling the image", status);
      }
      last = status;
    }
  } catch (error) {
    if (error instanceof EngineError) throw pullError(name, error);
    throw error;
  }
}

function pullError(name: string, error: EngineError): PlatformError {
  const missing = error.status === 404 ||
    /not found|manifest unknown|does not exist|denied|unauthorized/i.test(error.message);
  const text = error.message.slice(0, 300);
  return missing
    ? new PlatformError("NotFound", `Image ${name} is not in its registry, or may not be read: ${text}`, {
      cause: error,
    })
    : new PlatformError("Transient", `Image ${name} cannot be pulled: ${text}`, { cause: error });
}
