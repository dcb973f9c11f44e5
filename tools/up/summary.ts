import type { UpInfo } from "./info.ts";
import type { UpConfig } from "./options.ts";

/** How people without an installed runtime call it. */
const COMMAND = "npx --yes deno@2.8.2 task -q";

/** What people see once everything is ready. */
export function summary(info: UpInfo, config: UpConfig, seconds: number, folder: string): string {
  const regions = Object.entries(info.regions).map(([region, { controller, dme }]) =>
    `  region ${
      region.padEnd(12)
    } DME ${dme.rest} (REST), ${dme.grpc} (gRPC); controller ${controller.grpc} (mutual TLS)`
  );
  const data = folder === "data" ? "" : ` --data ${folder}`;
  const up = folder === "data" ? "" : ` --up ${folder}/up.json`;
  const region = Object.keys(info.regions)[0]!;
  const tries = config.demo
    ? [
      `${COMMAND} mcctl${up} appinst show region=${region}`,
      `${COMMAND} device${data} --app hyperion/scoreboard/1.0 --at 48.14,11.58`,
    ]
    : [`${COMMAND} mcctl${up} org create name=acme type=developer`, `${COMMAND} mcctl${up} --help`];
  return [
    "",
    `Archipelago is up, after ${seconds.toFixed(1)} s, with ${info.services.length} services.`,
    "",
    `  master controller   ${info.masterController.rest}`,
    ...regions,
    `  administrator       ${info.admin.name}, password in ${folder}/admin-password`,
    `  certificates        ${folder}/ca.pem is the root to trust`,
    "",
    "Try, in another terminal:",
    "",
    `  ${COMMAND} mcctl${up} login name=${info.admin.name} password="$(cat ${folder}/admin-password)"`,
    ...tries.map((command) => `  ${command}`),
    "",
    "Ctrl-C stops everything.",
  ].join("\n");
}
