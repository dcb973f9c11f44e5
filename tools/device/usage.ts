import { deviceOptions } from "./options.ts";

const VALUES: Record<string, string> = {
  app: "ORG/NAME/VERSION",
  at: "LAT,LON",
  route: "FILE|PLACES",
  carrier: "NAME",
  count: "N",
  interval: "DURATION",
  output: "text|json",
  data: "DIR",
  region: "NAME",
  dme: "URL",
  ca: "FILE",
};

/** The page that `--help` prints. */
export function usageText(): string {
  const options = Object.entries(deviceOptions).map(([name, spec]) => {
    const flag = `--${name}${VALUES[name] === undefined ? "" : ` ${VALUES[name]}`}`;
    return `  ${flag.padEnd(24)}${spec.description}`;
  });
  return [
    "device — a simulated device: registers, finds the nearest instance of an app and connects to it",
    "",
    "  deno task device --app ORG/NAME/VERSION --at LAT,LON",
    '  deno task device --app ORG/NAME/VERSION --route "52.52,13.40 53.55,9.99" --count 0 --interval 2s',
    "",
    ...options,
    "",
    "Exit code: 0 when a back-end was reached at every place, 1 when not, 2 when it could not start or was refused.",
    "",
  ].join("\n");
}
