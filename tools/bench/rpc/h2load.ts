import { benchApi, UNARY_BYTES } from "./api.ts";
import type { UnaryLoad } from "./load.ts";

/** Whether nghttp2's load generator is at hand. */
export async function hasH2load(): Promise<boolean> {
  try {
    return (await new Deno.Command("h2load", { args: ["--version"], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Writes the body of a request where h2load finds it, and returns its path. */
export async function writeBody(folder: string): Promise<string> {
  const body = new Uint8Array(5 + UNARY_BYTES);
  new DataView(body.buffer).setUint32(1, UNARY_BYTES);
  await Deno.writeFile(`${folder}/request`, body);
  return `${folder}/request`;
}

/** Unary calls from a process that is not ours: ms for all, and how many failed. */
export async function runH2load(
  port: number,
  body: string,
  load: UnaryLoad,
): Promise<{ ms: number; failed: number }> {
  const { stdout } = await new Deno.Command("h2load", {
    args: [
      ...["-n", String(load.calls), "-c", String(load.connections), "-m", String(load.inFlight), "-d", body],
      ...["-H", "content-type: application/grpc", "-H", "te: trailers"],
      `https://127.0.0.1:${port}${benchApi.methods.unary.path}`,
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const rate = /finished in .*?, ([\d.]+) req\/s/.exec(text)?.[1];
  const succeeded = /, (\d+) succeeded/.exec(text)?.[1];
  if (rate === undefined || succeeded === undefined) throw new Error(`h2load says what is not understood:\n${text}`);
  return { ms: load.calls / Number(rate) * 1_000, failed: load.calls - Number(succeeded) };
}
