import assert from "node:assert/strict";
import { PlatformError } from "../../shared/platform/mod.ts";
import { operation, until } from "../../shared/platform/testing/mod.ts";
import { systemClock, systemFiles } from "../../shared/runtime/mod.ts";
import { cutLog, MAX_LOG_BYTES } from "./bounded_log.ts";
import { readLog } from "./read_log.ts";

const ALL = { containerId: "", timestamps: false, follow: false };

async function withLog(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/app.log`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function text(path: string, options: Partial<Parameters<typeof readLog>[1]> = {}): Promise<string> {
  const decoder = new TextDecoder();
  let whole = "";
  for await (const { data } of readLog(path, { ...ALL, ...options }, systemClock(), operation())) {
    whole += decoder.decode(data, { stream: true });
  }
  return whole;
}

Deno.test("a log is what its cut has kept and what came after, or the last lines of both", () =>
  withLog(async (path) => {
    assert.equal(await text(path), "");
    await Deno.writeTextFile(`${path}.1`, "one\ntwo\n");
    await Deno.writeTextFile(path, "three\nfour");
    assert.equal(await text(path), "one\ntwo\nthree\nfour");
    assert.equal(await text(path, { tail: 1 }), "four");
    assert.equal(await text(path, { tail: 3 }), "two\nthree\nfour");
    assert.equal(await text(path, { tail: 9 }), "one\ntwo\nthree\nfour");
    for (const options of [{ sinceMs: 0 }, { timestamps: true }]) {
      await assert.rejects(text(path, options), (error) => error instanceof PlatformError && error.fault === "Invalid");
    }
  }));

Deno.test("who follows a log goes on through a cut, and ends with the log", () =>
  withLog(async (path) => {
    await Deno.writeTextFile(path, "before\n");
    let seen = "";
    const following = (async () => {
      for await (const { data } of readLog(path, { ...ALL, follow: true }, systemClock(), operation())) {
        seen = (seen + new TextDecoder().decode(data)).slice(-100);
      }
    })();
    await until("what was there is read", () => seen === "before\n");
    await Deno.writeTextFile(path, `${"x".repeat(MAX_LOG_BYTES)}\nlast\n`, { append: true });
    await until("what is added is read", () => seen.endsWith("\nlast\n"));
    await cutLog(path, systemFiles());
    await Deno.writeTextFile(path, "after the cut\n", { append: true });
    await until("what comes after the cut is read", () => seen.endsWith("\nafter the cut\n"));
    await Deno.remove(path);
    await following;
  }));
