import type { Argument, ArgumentType } from "./arguments.ts";
import type { Command } from "./commands.ts";

const INTEGER: ArgumentType = { kind: "integer" };

function arg(name: string, doc: string, more: Partial<Argument> = {}): Argument {
  return {
    name,
    aliases: [],
    path: more.path ?? [name],
    type: more.type ?? { kind: "string" },
    doc,
    required: more.required ?? false,
    secret: false,
  };
}

const RANGE = [
  arg("limit", "Most rows of each series, the newest ones.", { type: INTEGER }),
  arg("numsamples", "Rows of each series, evenly spread over the time.", { type: INTEGER }),
  arg("starttime", "From this time on, as 2006-01-02T15:04:05Z."),
  arg("endtime", "Until this time."),
  arg("startage", "From so long ago on, e.g. 1h30m."),
  arg("endage", "Until so long ago."),
];

function keyArgs(root: string, paths: Readonly<Record<string, readonly [path: string, doc: string]>>): Argument[] {
  return Object.entries(paths).map(([name, [path, doc]]) => arg(name, doc, { path: [root, ...path.split(".")] }));
}

const CLOUDLET = "cluster_inst_key.cloudlet_key";
const APPINST = keyArgs("appinst", {
  apporg: ["app_key.organization", "Organization of the app."],
  appname: ["app_key.name", "Name of the app."],
  appvers: ["app_key.version", "Version of the app."],
  cluster: ["cluster_inst_key.cluster_key.name", "Name of the cluster."],
  clusterorg: ["cluster_inst_key.organization", "Organization of the cluster."],
  cloudlet: [`${CLOUDLET}.name`, "Name of the cloudlet."],
  cloudletorg: [`${CLOUDLET}.organization`, "Organization of the cloudlet."],
});
const CLUSTERINST = keyArgs("clusterinst", {
  cluster: ["cluster_key.name", "Name of the cluster."],
  clusterorg: ["organization", "Organization of the cluster."],
  cloudlet: ["cloudlet_key.name", "Name of the cloudlet."],
  cloudletorg: ["cloudlet_key.organization", "Organization of the cloudlet."],
});
const CLOUDLET_KEY = keyArgs("cloudlet", {
  cloudlet: ["name", "Name of the cloudlet."],
  cloudletorg: ["organization", "Organization of the cloudlet."],
});
const DEVICE = [
  arg("devicecarrier", "Carrier of the devices."),
  arg("datanetworktype", "Kind of their network."),
  arg("devicemodel", "Model of the devices."),
  arg("deviceos", "Operating system of the devices."),
  arg("signalstrength", "Strength of their signal."),
  arg("locationtile", "Tile of the map in which they are."),
];

function selector(words: string): Argument {
  return arg("selector", `What is asked for: ${words}.`, { required: true });
}

function command(group: string, verb: string, doc: string, args: readonly Argument[]): Command {
  return {
    group,
    verb,
    doc,
    section: "Metrics",
    args: [...args, ...RANGE],
    regional: true,
    lists: true,
    path: `auth/${group === "metrics" ? "metrics" : "events"}/${verb}`,
    body: (json, region) => ({ ...json, region }),
  };
}

/** Commands about metrics, and about what happened to objects (mc spec 1.9, 1.10). */
export function metricsCommands(): Command[] {
  return [
    command("metrics", "clientapiusage", "Show calls of devices, by app and method.", [
      selector("api"),
      ...APPINST,
      arg("method", "RegisterClient, FindCloudlet, PlatformFindCloudlet or VerifyLocation."),
      arg("dmecloudlet", "Cloudlet of the matching engine."),
      arg("dmecloudletorg", "Organization of that cloudlet."),
    ]),
    command("metrics", "clientappusage", "Show latencies and sessions of an app's devices.", [
      selector("latency or deviceinfo"),
      ...APPINST,
      ...DEVICE,
    ]),
    command("metrics", "clientcloudletusage", "Show latencies and sessions of the devices on a cloudlet.", [
      selector("latency or deviceinfo"),
      ...CLOUDLET_KEY,
      ...DEVICE,
    ]),
    command("billingevents", "app", "Show what happened to app instances.", APPINST),
    command("billingevents", "cluster", "Show what happened to clusters.", CLUSTERINST),
    command("billingevents", "cloudlet", "Show what happened to cloudlets.", CLOUDLET_KEY),
  ];
}
