import assert from "node:assert/strict";
import { RpcError, Status } from "../../shared/rpc/mod.ts";
import { type App, type AppInst, AppInst as AppInstMessage, Liveness } from "../../shared/schema/mod.ts";
import { RegionDouble } from "../../tiers/global/master-controller/testing/region_double.ts";
import { ADMIN_PASSWORD, makeWorld } from "../../tiers/global/master-controller/testing/world.ts";
import { startTestPostgres } from "../master_controller/postgres.ts";
import { person } from "./person.ts";

const DOCUMENT = `
region: local
# What others refer to may stand last: the order is the platform's business.
appinst:
  key:
    app_key: {organization: acme, name: game, version: "1.0"}
    cluster_inst_key: {cloudlet_key: {organization: oper, name: berlin}}
app:
- key: {organization: acme, name: game, version: "1.0"}
  image_path: registry.example/acme/game:1.0
  access_ports: tcp:7777
  default_flavor: {name: small}
- key: {organization: acme, name: chat, version: "2"}
  default_flavor: {name: small}
flavor:
  key: {name: small}
  ram: 1024
  vcpus: 1
  disk: 1
`;

Deno.test("mcctl apply", async (test) => {
  await using postgres = await startTestPostgres();
  const world = await makeWorld(postgres.url);
  const region = await new RegionDouble().start();
  const files: Record<string, string> = { "world.yaml": DOCUMENT };
  const admin = person(world, files);
  const lines = (text: string) => text.trimEnd().split("\n").map((line) => line.replace(/ +/g, " "));
  const apply = async (line: string) => await admin(`apply ${line}`);
  try {
    await admin("login name=mexadmin", ADMIN_PASSWORD);
    await admin(`controller create region=local address=${region.address}`);
    for (const org of ["name=acme type=developer", "name=oper type=operator"]) await admin(`org create ${org}`);
    region.calls.length = 0;
    const changes = () => region.calls.filter(({ method }) => !method.startsWith("Show")).map(({ method }) => method);

    await test.step("a dry run asks for nothing else", async () => {
      const { code, out, error } = await apply("world.yaml --dry-run");
      assert.equal(code, 0, error);
      assert.match(out, /Dry run, nothing was changed; it would be: 4 created/);
      const tried = region.calls.filter(({ method }) => method.startsWith("Create"));
      assert.deepEqual([tried.length, tried.every(({ dryRun }) => dryRun === "true")], [4, true]);
      for (const kind of ["Flavor", "App", "AppInst"]) {
        for (const object of region.list(kind)) region.drop(kind, object);
      }
    });

    await test.step("creates in the order of dependencies, then finds nothing to do", async () => {
      region.calls.length = 0;
      const first = await apply("world.yaml");
      assert.equal(first.code, 0, first.error);
      assert.deepEqual(changes(), ["CreateFlavor", "CreateApp", "CreateApp", "CreateAppInst"]);
      assert.equal(lines(first.out).at(-1), "4 created");
      assert.ok(lines(first.out).includes("created App acme/game/1.0"));
      region.calls.length = 0;
      const again = await apply("world.yaml");
      assert.deepEqual([again.code, lines(again.out).at(-1), changes()], [0, "4 unchanged", []]);
    });

    await test.step("updates exactly what differs", async () => {
      files["world.yaml"] = DOCUMENT.replace("tcp:7777", "tcp:8888");
      region.calls.length = 0;
      const { out } = await apply("world.yaml");
      assert.ok(lines(out).includes("updated App acme/game/1.0 (access_ports)"), out);
      assert.equal(lines(out).at(-1), "1 updated, 3 unchanged");
      const [update] = region.calls.filter(({ method }) => method === "UpdateApp");
      assert.deepEqual((update!.request as App).fields, ["7"]);
    });

    await test.step("what may be set at creation only is refused, and the rest goes on", async () => {
      files["world.yaml"] = DOCUMENT.replace("ram: 1024", "ram: 2048");
      const { code, out } = await apply("world.yaml");
      assert.equal(code, 1);
      assert.match(out, /failed +Flavor small: ram may be set at creation only and differs/);
      assert.equal(lines(out).at(-1), "1 updated, 2 unchanged, 1 failed");
    });

    await test.step("what a show prints can be applied", async () => {
      files["shown.yaml"] = `region: local\napp:\n${(await admin("app show region=local --output yaml")).out}`;
      const { code, out, error } = await apply("shown.yaml");
      assert.deepEqual([code, lines(out).at(-1)], [0, "2 unchanged"], error);
    });

    await test.step("prune deletes what is not named, of the same kind and organization, and not what the platform made", async () => {
      const auto = AppInstMessage.create(region.list("AppInst")[0] as AppInst);
      auto.key.appKey.name = "chat";
      auto.liveness = Liveness.LIVENESS_AUTOPROV;
      region.put("AppInst", auto);
      files["less.yaml"] = DOCUMENT.replace(/- key: {organization: acme, name: chat[^-]*?small}\n/, "");
      region.calls.length = 0;
      const chat = region.list("App").find((app) => (app as App).key.name === "chat")!;
      const tried = await apply("less.yaml --prune --dry-run");
      assert.match(tried.out, /it would be: 1 deleted, 3 unchanged/);
      assert.equal(region.calls.at(-1)!.dryRun, "true");
      // The double takes a dry run in earnest.
      region.put("App", chat);
      const { out } = await apply("less.yaml --prune");
      assert.deepEqual([lines(out).at(-1), region.list("App").length], ["1 deleted, 3 unchanged", 1]);
      assert.equal(region.list("AppInst").length, 2);
    });

    await test.step("a dry run sees through what the run itself would bring or take away", async () => {
      const refuse = (message: string) => ({ after: 0, error: new RpcError(Status.NOT_FOUND, message) });
      files["new.yaml"] = DOCUMENT.replaceAll("game", "quiz").replaceAll("small", "tiny");
      region.failures.set("CreateApp", refuse('Flavor key {"name":"tiny"} not found'));
      const through = await apply("new.yaml --dry-run");
      assert.equal(through.code, 0, through.out);
      region.failures.set("CreateApp", refuse('Flavor key {"name":"huge"} not found'));
      // The double has kept the app.
      files["new.yaml"] = files["new.yaml"].replaceAll("quiz", "trivia");
      const stuck = await apply("new.yaml --dry-run");
      assert.equal(stuck.code, 1);
      assert.match(stuck.out, /failed +App acme\/trivia\/1.0: Flavor key {"name":"huge"} not found/);
      region.failures.clear();
    });

    await test.step("all faults of the documents are told before anything is called", async () => {
      files["bad.yaml"] = `region: local\nflavor: {key: {name: x}, ram: much}\nflavr: {}\n---\napp: {key: {nme: x}}\n`;
      files["twice.yaml"] = `flavor: [{key: {name: x}}, {key: {name: x}}]`;
      files["broken.yaml"] = "flavor: [";
      region.calls.length = 0;
      const { code, error } = await apply("bad.yaml twice.yaml broken.yaml region=local");
      assert.equal(code, 1);
      for (
        const part of [
          /bad.yaml, document 1: flavor: ram/,
          /"flavr".*flavor/,
          /document 2: app: key\.nme/,
          /flavor\[1\]: is the same/,
          /broken.yaml: /,
        ]
      ) assert.match(error, part);
      assert.deepEqual(region.calls, []);
      assert.match((await apply("nothing.yaml")).error, /there is no file nothing.yaml/);
      assert.match((await admin("apply")).error, /apply needs a file/);
      assert.match((await admin("app show region=local --prune")).error, /--prune belongs to apply/);
      assert.match((await admin("app show region=local --dry-run")).error, /--dry-run is for commands that change/);
    });

    await test.step("the outcome as data", async () => {
      const { out } = await apply("world.yaml --output json");
      const outcomes = JSON.parse(out) as { outcome: string; kind: string; key: string }[];
      assert.deepEqual(outcomes.find(({ kind }) => kind === "AppInst"), {
        region: "local",
        kind: "AppInst",
        key: "acme/game/1.0/oper/berlin",
        outcome: "unchanged",
      });
    });
  } finally {
    await region.stop();
    await world.close();
  }
});
