import { defineOptions } from "../../shared/service/mod.ts";

/** The simulator's options. */
export const deviceOptions = defineOptions({
  app: {
    kind: "string",
    pattern: /^[^/]+\/[^/]+\/[^/]+$/,
    form: "ORGANIZATION/NAME/VERSION",
    description: "The app that the device runs: ORGANIZATION/NAME/VERSION.",
  },
  at: { kind: "string", description: "Where the device is: LATITUDE,LONGITUDE in degrees, such as 52.52,13.405." },
  route: {
    kind: "string",
    description:
      'Where it goes, in place of --at: a file of LATITUDE,LONGITUDE lines, or such places as text "52.5,13.4 53.6,10.0".',
  },
  carrier: {
    kind: "string",
    default: "",
    description: "Operator of the device's subscription, by organization or code; without it any operator will do.",
  },
  count: {
    kind: "int",
    default: 1,
    min: 0,
    description: "How often the place or route is gone through; 0 is endlessly.",
  },
  interval: { kind: "duration", default: "1s", description: "How long the device stays at a place." },
  output: {
    kind: "enum",
    values: ["text", "json"],
    default: "text",
    description: "A line for people, or one JSON object a line, for each place.",
  },
  grpc: { kind: "bool", default: false, description: "Call the matching engine by gRPC in place of REST." },
  data: {
    kind: "path",
    default: "data",
    description: "Data folder of a running platform; its up.json tells the rest.",
  },
  region: { kind: "string", description: "Region of that platform; without it the first one." },
  dme: {
    kind: "string",
    description:
      "A matching engine in place of the running platform's: https://HOST:PORT, with --grpc HOST:PORT (http: or --no-tls without encryption).",
  },
  tls: { kind: "bool", default: true, description: "With --dme and --grpc: whether the connection is encrypted." },
  ca: {
    kind: "path",
    description: "PEM file of the roots to trust; default: those of the running platform, or the system's.",
  },
  help: { kind: "bool", default: false, description: "Print this page and end." },
});
