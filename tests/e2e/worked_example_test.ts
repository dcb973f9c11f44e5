// The page docs/worked-example.md, command by command, against a real platform.
import assert from "node:assert/strict";
import { startPlatform } from "./support/platform.ts";
import { repository } from "./support/processes.ts";

interface Step {
  readonly commands: readonly string[];
  /** Lines that must be printed, in any place. */
  readonly expected: readonly string[];
}

/** The commands of the page, each group with what it is to print. */
function stepsOf(page: string): Step[] {
  const steps: { commands: string[]; expected: string[] }[] = [];
  for (const [, language, body] of page.matchAll(/^```(sh|text)\n([^]*?)^```$/gm)) {
    const lines = body!.trimEnd().split("\n");
    if (language === "sh") steps.push({ commands: lines, expected: [] });
    else steps.at(-1)!.expected.push(...lines);
  }
  return steps;
}

Deno.test("the worked example does what its page says", async (test) => {
  const steps = stepsOf(await Deno.readTextFile(`${repository()}/docs/worked-example.md`));
  assert.ok(steps.length >= 12);
  const platform = await startPlatform();
  const home = await Deno.makeTempDir();
  const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  // The page speaks of the folder of a platform that was started without options.
  const toHere = (command: string) =>
    command.replaceAll("deno task -q mcctl", `${Deno.execPath()} task -q mcctl --up ${platform.data}/up.json`)
      .replaceAll("data/admin-password", `${platform.data}/admin-password`);
  try {
    for (const { commands, expected } of steps) {
      let printed = "";
      for (const command of commands) {
        await test.step(command.slice(0, 100), async () => {
          const fails = command.startsWith("! ");
          const { code, stdout, stderr } = await new Deno.Command("sh", {
            args: ["-c", toHere(command.replace(/^! /, ""))],
            cwd: repository(),
            // The token lies in the home folder; what is cached stays where it is.
            env: { HOME: home, DENO_DIR: denoDir, NO_COLOR: "1" },
          }).output();
          const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
          printed += text;
          assert.equal(code !== 0, fails, text);
        });
      }
      for (const line of expected) assert.ok(printed.includes(line.trim()), `"${line}" in:\n${printed}`);
    }
  } finally {
    await platform.stop();
    await Deno.remove(home, { recursive: true });
  }
});
