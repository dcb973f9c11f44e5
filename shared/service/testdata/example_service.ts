import { defineOptions, runService } from "../mod.ts";

await runService({
  name: "example",
  description: "A service for the tests of its own foundation.",
  version: "1.2.3",
  options: defineOptions({
    fault: {
      kind: "enum",
      values: ["none", "start", "later", "rejection", "stuck", "slow"],
      default: "none",
      description: "What goes wrong.",
    },
    password: { kind: "string", secret: true, description: "A secret." },
  }),
  start(ctx) {
    ctx.onClose(
      "everything",
      () => ctx.config.fault === "stuck" ? new Promise(() => {}) : ctx.log.info("closed everything"),
    );
    if (ctx.config.fault === "start") throw new Error("Cannot reach the\ndatabase", { cause: new Error("refused") });
    if (ctx.config.fault === "slow") {
      ctx.log.info("waiting for something");
      return new Promise(() => {});
    }
    if (ctx.config.fault === "later") ctx.clock.setTimer(() => ctx.fail("the lease was lost"), 10);
    if (ctx.config.fault === "rejection") ctx.clock.setTimer(() => void Promise.reject(new Error("oops")), 10);
  },
});
