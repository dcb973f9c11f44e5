import assert from "node:assert/strict";
import fc from "fast-check";
import {
  App,
  AppInst,
  AutoScalePolicy,
  Cloudlet,
  CloudletPoolMember,
  Flavor,
  type MessageDescriptor,
  messages,
  regionServices,
  TrustPolicy,
  TrustPolicyException,
} from "../../shared/schema/mod.ts";
import { type Argument, messageArguments } from "./arguments.ts";
import { allCommands, commandName } from "./commands.ts";
import { UsageError } from "./failure.ts";
import { findArgument, parseArguments } from "./parse_arguments.ts";

const APP = messageArguments(App.descriptor, "create", ["apporg", "appname", "appvers"]);
const KEY = ["apporg=acme", "appname=alpha", "appvers=1.1"];
const KEY_JSON = { organization: "acme", name: "alpha", version: "1.1" };

/** A command's arguments that the schema at hand does not have: lists of structs. */
const CONFIGS: Argument[] = [
  {
    name: "configs",
    aliases: [],
    path: ["configs"],
    doc: "",
    required: false,
    secret: false,
    type: {
      kind: "structs",
      fields: ["kind", "config"].map((name): Argument => ({
        name,
        aliases: [],
        path: [name],
        type: { kind: "string" },
        doc: "",
        required: false,
        secret: false,
      })),
    },
  },
];

function names(args: readonly Argument[]): string[] {
  return args.map((arg) => arg.name);
}

Deno.test("messageArguments: short names, and lower-case paths without underscores", () => {
  assert.deepEqual(names(APP).slice(0, 5), ["apporg", "appname", "appvers", "imagepath", "imagetype"]);
  assert.ok(names(APP).includes("defaultflavor"));
  assert.ok(!names(APP).includes("createdat") && !names(APP).includes("fields"));
  const instance = names(messageArguments(AppInst.descriptor, "create", []));
  assert.deepEqual(instance.slice(0, 9), [
    "apporg",
    "appname",
    "appvers",
    "cluster",
    "cloudletorg",
    "cloudlet",
    "federatedorg",
    "clusterorg",
    "flavor",
  ]);
  assert.ok(names(messageArguments(Cloudlet.descriptor, "create", [])).includes("location.latitude"));
});

Deno.test("messageArguments: a command may ask for a part of the key by its last name", () => {
  const create = messageArguments(Flavor.descriptor, "create", ["name", "ram", "vcpus", "disk"]);
  assert.deepEqual(names(create), ["name", "ram", "vcpus", "disk", "optresmap"]);
  assert.equal(findArgument(create, "flavor"), create[0]);
  const show = messageArguments(Flavor.descriptor, "show", []);
  assert.equal(findArgument(show, "name"), show[0]);
  assert.equal(findArgument(show, "key.name"), show[0]);
});

Deno.test("messageArguments: update takes the key and what may change, delete only the key, show what is shown", () => {
  const update = names(messageArguments(Cloudlet.descriptor, "update", []));
  assert.ok(update.includes("cloudlet") && update.includes("numdynamicips") && !update.includes("platformtype"));
  assert.deepEqual(names(messageArguments(Cloudlet.descriptor, "delete", [])), [
    "cloudletorg",
    "cloudlet",
    "federatedorg",
    "crmoverride",
  ]);
  const refresh = names(messageArguments(AppInst.descriptor, "refresh", []));
  assert.ok(["appname", "crmoverride", "forceupdate", "updatemultiple"].every((name) => refresh.includes(name)));
  assert.ok(!refresh.includes("dedicatedip") && !refresh.includes("fields"));
  assert.ok(!names(messageArguments(AppInst.descriptor, "create", [])).includes("forceupdate"));
  const show = names(messageArguments(Cloudlet.descriptor, "show", []));
  assert.ok(show.includes("state") && !show.includes("deleteprepare"));
});

Deno.test("messageArguments: no message has two arguments of one name", () => {
  for (const type of messages) {
    for (const choice of ["create", "update", "delete", "show"] as const) {
      const found = names(messageArguments(type.descriptor, choice, []));
      assert.equal(new Set(found).size, found.length, type.name);
    }
  }
});

Deno.test("commands: every call of the region's API has one, and its required arguments exist", () => {
  const commands = allCommands();
  assert.equal(new Set(commands.map(commandName)).size, commands.length);
  for (const method of regionServices.flatMap((service) => Object.values(service.methods))) {
    const command = commands.find((command) => command.path === `auth/ctrl/${method.name}`)!;
    for (const name of method.api!.requiredArgs) {
      assert.ok(findArgument(command.args, name)?.required, `${method.name}: ${name}`);
    }
  }
});

Deno.test("parseArguments makes the request's object", () => {
  const words = [...KEY, "defaultflavor=x1.small", "internalports=true", `command="run it"`, "accessports=tcp:1"];
  assert.deepEqual(parseArguments(APP, words).json, {
    key: KEY_JSON,
    default_flavor: { name: "x1.small" },
    internal_ports: true,
    command: "run it",
    access_ports: "tcp:1",
  });
});

Deno.test("parseArguments: lists by repetition, maps, numbers, empty lists", () => {
  const args = messageArguments(Cloudlet.descriptor, "create", []);
  const words = [
    "allianceorgs=a",
    "allianceorgs=b",
    "envvar=A=1",
    "envvar=B=x=y",
    "location.latitude=-1.5",
    "numdynamicips=3",
  ];
  assert.deepEqual(parseArguments(args, words).json, {
    alliance_orgs: ["a", "b"],
    env_var: { A: "1", B: "x=y" },
    location: { latitude: -1.5 },
    num_dynamic_ips: 3,
  });
  assert.deepEqual(parseArguments(args, ["allianceorgs:empty=true"]).json, { alliance_orgs: [] });
});

Deno.test("parseArguments: struct lists", () => {
  const words = ["configs:0.kind=env", "configs:1.kind=helm", "configs:0.config=a: b"];
  assert.deepEqual(parseArguments(CONFIGS, words).json, {
    configs: [{ kind: "env", config: "a: b" }, { kind: "helm" }],
  });
  for (const word of ["configs=x", "configs:0.kin=x", "configs:x.kind=y", "configs:9999999.kind=x"]) {
    assert.throws(() => parseArguments(CONFIGS, [word]), UsageError);
  }
});

Deno.test("parseArguments: names in any case, the full path, and an empty value that clears", () => {
  assert.deepEqual(parseArguments(APP, [...KEY, "ImagePath=", "key.apporg=x"].slice(0, 4)).json["image_path"], "");
  assert.deepEqual(parseArguments(APP, ["key.organization=acme", ...KEY.slice(1)]).json, { key: KEY_JSON });
});

for (
  const [words, message] of [
    [["x"], /^arg "x" not name=val format$/],
    [["=x"], /^arg "=x" not name=val format$/],
    [["apporg=a", "appnme=b"], /^invalid args: appnme; did you mean "appname"\?$/],
    [["one=a", "two=b"], /^invalid args: one, two/],
    [["apporg=a"], /^missing required args: appname, appvers$/],
    [[...KEY, "apporg=b"], /^arg apporg is given twice$/],
    [[...KEY, "internalports=1"], /^arg internalports must be true or false, got "1"$/],
    [[...KEY, "imagepath:empty=true"], /^invalid args: imagepath:empty/],
  ] as [string[], RegExp][]
) {
  Deno.test(`parseArguments refuses ${words.join(" ")}`, () => {
    assert.throws(() => parseArguments(APP, words), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("parseArguments refuses numbers that are none, naming argument and value", () => {
  const args = messageArguments(Cloudlet.descriptor, "create", []);
  for (
    const word of [
      "numdynamicips=1.5",
      "numdynamicips=",
      "numdynamicips=9007199254740993",
      "location.latitude=north",
      "envvar=A",
    ]
  ) {
    const [name] = word.split("=");
    assert.throws(
      () => parseArguments(args, [word]),
      (error) => error instanceof UsageError && error.message.includes(name!),
    );
  }
});

Deno.test("parseArguments of anything gives an object or a UsageError", () => {
  const words = fc.array(
    fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom("apporg", "__proto__", "configs:0.kind"), fc.string()).map((p) => p.join("=")),
    ),
  );
  fc.assert(fc.property(words, (words) => {
    for (const known of [APP, CONFIGS]) {
      try {
        parseArguments(known, words);
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
      }
    }
  }));
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

Deno.test("messageArguments: a message names parts of its key as its command needs them", () => {
  const created = ({ descriptor }: { descriptor: MessageDescriptor }) =>
    names(messageArguments(descriptor, "create", []));
  assert.deepEqual(created(TrustPolicy).slice(0, 2), ["cloudletorg", "name"]);
  assert.deepEqual(created(AutoScalePolicy).slice(0, 3), ["clusterorg", "name", "minnodes"]);
  assert.deepEqual(created(TrustPolicyException).slice(0, 6), [
    ...["apporg", "appname", "appvers", "cloudletpoolorg", "cloudletpoolname", "name"],
  ]);
  assert.deepEqual(created(CloudletPoolMember), ["org", "pool", "cloudletorg", "cloudlet", "federatedorg"]);
});
