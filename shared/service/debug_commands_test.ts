import assert from "node:assert/strict";
import { createLogger, createMetrics } from "../telemetry/mod.ts";
import { createDebugCommands } from "./debug_commands.ts";

function process(level: "debug" | "info" | "warn" = "info") {
  const lines: string[] = [];
  const log = createLogger({
    service: "s",
    level,
    clock: { now: () => 0 },
    sink: (line) => void lines.push(JSON.parse(line).message),
  });
  return { lines, log, commands: createDebugCommands(log, createMetrics()) };
}

Deno.test("levels are switched on and off at run time, by topic and for everything", () => {
  const { lines, log, commands } = process("warn");
  const api = log.topic("api").with({ a: 1 });
  const notify = log.topic("notify");
  const speak = (): string[] => {
    lines.length = 0;
    api.debug("api");
    notify.info("notify");
    log.debug("other");
    return [...lines];
  };
  assert.deepEqual(speak(), []);
  assert.equal(commands.setLevels("api", true), "on: api; there are all,api,notify");
  assert.deepEqual(speak(), ["api"]);
  commands.setLevels("notify, all", true);
  assert.deepEqual(speak(), ["api", "notify", "other"]);
  commands.setLevels("all", false);
  assert.deepEqual(speak(), ["api", "notify"]);
  commands.setLevels("api,notify", false);
  assert.deepEqual(speak(), []);
  assert.equal(commands.showLevels(), "on: none; there are all,api,notify");
});

Deno.test("an unknown level changes nothing and says which there are", () => {
  const { log, commands } = process();
  log.topic("api");
  assert.equal(commands.setLevels("api,nope", true), "Unknown level nope; there are all, api");
  assert.deepEqual(log.topics.enabled(), []);
  assert.equal(commands.setLevels(" ", true), "No levels given; there are all, api");
});

Deno.test("commands: their output, JSON, failures as text, and the unknown", async () => {
  const { commands } = process();
  commands.add("show-things", "Shows things.", (args) => ({ args }));
  commands.add("explode", "Fails.", () => {
    throw new Error("boom");
  });
  commands.add("tell", "Tells.", () => ({ password: "hunter2", header: "Bearer hunter2hunter2" }));
  assert.equal(await commands.run("show-things", "x", false), '{"args":"x"}');
  assert.equal(await commands.run("show-things", "x", true), '{\n  "args": "x"\n}');
  assert.equal(await commands.run("explode", "", false), "Failed: boom");
  assert.doesNotMatch(await commands.run("tell", "", false), /hunter2/);
  assert.match(
    await commands.run("nope", "", false),
    /^Unknown command "nope"; there are disable-debug-levels, enable-debug-levels, explode, help, /,
  );
  assert.match(await commands.run("help", "", false), /^show-things {2,}Shows things\.$/m);
  assert.throws(() => commands.add("help", "", () => ""), TypeError);
});
