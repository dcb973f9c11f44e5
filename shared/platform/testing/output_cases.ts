import assert from "node:assert/strict";
import type { CommandOutcome, OutputPiece } from "../mod.ts";
import { type CloudletPlatform, type ObjectRef, PlatformError } from "../mod.ts";
import type { ConformanceCase, PlatformUnderTest } from "./conformance.ts";
import { operation, until } from "./helpers.ts";

const ALL = { containerId: "", timestamps: false, follow: false };
/** Words that are a command on no site. */
const NO_COMMAND = ["/no/such/program"];

async function withApp(
  test: PlatformUnderTest,
  body: (platform: CloudletPlatform, ref: ObjectRef, runtimeIds: readonly string[]) => Promise<void>,
): Promise<void> {
  const platform = await test.open();
  const spec = await test.app(1);
  try {
    if (test.cluster) await platform.clusters!.create(test.cluster, operation());
    const { runtimeIds } = await platform.apps.create(spec, operation());
    await body(platform, { key: spec.key, id: spec.id }, runtimeIds);
  } finally {
    await platform.apps.delete(spec, operation());
    if (test.cluster) await platform.clusters!.delete(test.cluster, operation());
    await platform.close();
  }
}

/** Everything that is written, and how it ends. */
async function read<T>(output: AsyncGenerator<OutputPiece, T>): Promise<{ text: string; outcome: T }> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const next = await output.next();
    if (next.done) return { text, outcome: next.value };
    text += decoder.decode(next.value.data, { stream: true });
  }
}

/** As `read` of something that may throw before there is a generator. */
const attempt = async <T>(start: () => AsyncGenerator<OutputPiece, T>) => await read(start());

const isFault = (...faults: string[]) => (error: unknown): boolean => {
  assert.ok(error instanceof PlatformError, String(error));
  assert.ok(faults.includes(error.fault), `${error.fault}: ${error.message}`);
  return true;
};

/** Rules about what instances write and commands in them, for platforms that can tell. */
export const outputCases: readonly ConformanceCase[] = [
  {
    name: "logs end with what is there, or go on until they are given up",
    run: (test) =>
      withApp(test, async ({ apps }, ref, [runtimeId]) => {
        if (!apps.logs) return;
        const logs = apps.logs;
        const { writes } = test;
        if (writes) {
          await until("the app has written", async () => writes.test((await read(logs(ref, ALL, operation()))).text));
        }
        const { text } = await read(logs(ref, { ...ALL, containerId: runtimeId! }, operation()));
        const { text: last } = await read(logs(ref, { ...ALL, tail: 1 }, operation()));
        assert.ok(last.trimEnd().split("\n").length <= 1, last);
        assert.ok(text.includes(last) || test.pretends, `${JSON.stringify(last)} is in ${JSON.stringify(text)}`);

        const control = new AbortController();
        const following = read(logs(ref, { ...ALL, follow: true }, operation({ signal: control.signal })));
        const reason = new Error("given up");
        control.abort(reason);
        await assert.rejects(following, reason);

        const absent = { key: "another", id: "another" };
        await assert.rejects(attempt(() => logs(absent, ALL, operation())), isFault("NotFound"));
        const containerId = "no-such-container";
        await assert.rejects(attempt(() => logs(ref, { ...ALL, containerId }, operation())), isFault("NotFound"));
      }),
  },
  {
    name: "a reader of logs who leaves is not waited for",
    run: (test) =>
      withApp(test, async ({ apps }, ref) => {
        if (!apps.logs || !test.writes) return;
        const logs = apps.logs;
        await until("the app has written", async () => (await read(logs(ref, ALL, operation()))).text !== "");
        const output = logs(ref, { ...ALL, follow: true }, operation());
        assert.equal((await output.next()).done, false);
        await output.return();
        assert.equal((await output.next()).done, true);
      }),
  },
  {
    name: "a command runs and tells its end, or is refused with the reason",
    run: (test) =>
      withApp(test, async ({ apps }, ref) => {
        if (!apps.exec) return;
        const run = (words: readonly string[]): Promise<{ text: string; outcome: CommandOutcome }> =>
          attempt(() => apps.exec!(ref, { containerId: "", words }, operation()));
        const { commands } = test;
        if (!commands) return void await assert.rejects(run(["echo", "x"]), isFault("Invalid"));
        const { prints, fails } = commands;
        const printed = await run(prints.words);
        assert.deepEqual(printed, { text: prints.text, outcome: { exitCode: 0 } });
        assert.equal((await run(fails.words)).outcome.exitCode, fails.exitCode);
        const absent = await run(NO_COMMAND).catch((error) => {
          assert.ok(isFault("Invalid", "NotFound")(error));
        });
        if (absent) assert.notEqual(absent.outcome.exitCode, 0);
        const containerId = "no-such-container";
        const elsewhere = attempt(() => apps.exec!(ref, { containerId, words: prints.words }, operation()));
        await assert.rejects(elsewhere, isFault("NotFound"));
      }),
  },
];
