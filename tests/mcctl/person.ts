import type { World } from "../../tiers/global/master-controller/testing/world.ts";
import { run } from "../../tools/mcctl/run.ts";
import { fakeIo } from "../../tools/mcctl/testing/fake_io.ts";

/** What a command did. */
export interface Outcome {
  code: number;
  out: string;
  error: string;
}

/** A person at a terminal, with files of their own, among them the token between commands. */
export function person(
  world: World,
  files: Record<string, string> = {},
): (line: string, ...secrets: string[]) => Promise<Outcome> {
  return async (line, ...secrets) => {
    const io = fakeIo({ files, secrets });
    io.post = async (url, body, headers) => {
      const request = new Request(url, { method: "POST", body, headers });
      const response = await world.handler(request, "192.0.2.1");
      return { status: response.status, statusText: response.statusText, body: response.body ?? nothing() };
    };
    const code = await run(["--addr", "https://mc.example", ...line.split(" ")], io);
    for (const [path, text] of io.files) files[path] = text;
    return { code, out: io.output(), error: io.errors() };
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
