import assert from "node:assert/strict";
import fc from "fast-check";
import { App, type DeepPartial, dme, Flavor, ImageType, VmAppOsType } from "../../../../shared/schema/mod.ts";
import { checkApp, defaultApp } from "./app.ts";
import { type AppUpdate, updateOfApp } from "./app_update.ts";
import { Issues } from "./issues.ts";
import { defaultServerless } from "./serverless.ts";

const PLACES = { registryFqdn: "registry.example", artifactoryFqdn: "" };

function stored(deployment: string, more: DeepPartial<App> = {}): App {
  const app = App.create({
    key: { organization: "AtlasWorks", name: "Echo", version: "1.0" },
    imagePath: deployment === "vm" ? `https://h/a.qcow2#md5:${"0".repeat(32)}` : "ghcr.io/acme/echo:1",
    imageType: deployment === "vm" ? ImageType.IMAGE_TYPE_QCOW : ImageType.IMAGE_TYPE_DOCKER,
    accessPorts: "tcp:8080",
    defaultFlavor: { name: "small" },
    revision: "r1",
    deployment,
    ...more,
  });
  defaultApp(app, PLACES);
  defaultServerless(app, Flavor.create({ key: { name: "small" }, vcpus: 1, ram: 1024 }));
  const issues = new Issues();
  checkApp(app, issues);
  assert.deepEqual(issues.list, []);
  return app;
}

function update(before: App, fields: string[], more: DeepPartial<App> = {}): AppUpdate {
  return updateOfApp(before, App.create({ key: before.key, fields, ...more }), PLACES);
}

function sound(before: App, fields: string[], more: DeepPartial<App> = {}): AppUpdate {
  const result = update(before, fields, more);
  assert.deepEqual(result.issues.list, []);
  return result;
}

function faults(before: App, fields: string[], more: DeepPartial<App> = {}): string[] {
  return update(before, fields, more).issues.list.map(({ path }) => path);
}

const MANIFEST = (port: number) =>
  `{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: LoadBalancer, ports: [{port: ${port}}]}}`;

Deno.test("an update without a mask, of fields of the platform, or of fixed ones is refused", () => {
  const app = stored("docker");
  assert.deepEqual(faults(app, []), ["fields"]);
  assert.deepEqual(faults(app, ["35", "20", "99"]), ["created_at", "del_opt", "99"]);
  assert.deepEqual(sound(app, ["2.2"], { key: { name: "Other" } }).changed, []);
  assert.deepEqual(sound(app, ["7"], { accessPorts: "tcp:8080" }).changed, []);
});

Deno.test("generated manifests are made anew, own ones must be given again when ports change", () => {
  const generated = stored("kubernetes");
  const moved = sound(generated, ["7"], { accessPorts: "tcp:9090" });
  assert.match(moved.app.deploymentManifest, /port: 9090/);
  assert.equal(moved.app.deploymentGenerator, "kubernetes-basic");
  assert.match(sound(generated, ["4"], { imagePath: "nginx" }).app.deploymentManifest, /image: docker.io\/nginx/);

  const own = sound(generated, ["16"], { deploymentManifest: MANIFEST(8080) }).app;
  assert.equal(own.deploymentGenerator, "");
  assert.deepEqual(faults(own, ["7"], { accessPorts: "tcp:9090" }), ["deployment_manifest", "deployment_manifest"]);
  const both = sound(own, ["7", "16"], { accessPorts: "tcp:9090", deploymentManifest: MANIFEST(9090) });
  assert.equal(both.app.deploymentManifest, MANIFEST(9090));
  const given = sound(own, ["16"], { deploymentManifest: "" }).app;
  assert.equal(given.deploymentGenerator, "kubernetes-basic");
  assert.match(given.deploymentManifest, /kind: Deployment/);

  const machine = stored("vm", { deploymentManifest: "#cloud-config" });
  assert.equal(sound(machine, ["7"], { accessPorts: "tcp:9" }).app.deploymentManifest, "#cloud-config");
});

Deno.test("another deployment takes the old one's manifest along", () => {
  const changed = sound(stored("kubernetes"), ["15"], { deployment: "docker" }).app;
  assert.deepEqual([changed.deploymentManifest, changed.deploymentGenerator], ["", ""]);
  const back = sound(changed, ["15"], { deployment: "kubernetes" }).app;
  assert.equal(back.deploymentGenerator, "kubernetes-basic");
  assert.deepEqual(faults(stored("kubernetes"), ["15"], { deployment: "process" }), ["image_path"]);
  const helm = sound(stored("kubernetes"), ["15", "4"], { deployment: "helm", imagePath: "stable/echo" }).app;
  assert.deepEqual([helm.imageType, helm.deploymentManifest], [ImageType.IMAGE_TYPE_HELM, ""]);
});

Deno.test("a revision follows every change but that of alert policies", () => {
  const app = stored("docker");
  assert.equal(sound(app, ["37"], { trusted: true }).needsRevision, true);
  assert.equal(sound(app, ["24"], { revision: "r2" }).needsRevision, false);
  assert.equal(sound(app, ["42"], { alertPolicies: ["a"] }).needsRevision, false);
  assert.equal(sound(app, ["42", "37"], { alertPolicies: ["a"], trusted: true }).needsRevision, true);
});

Deno.test("what instances freeze (specification 3.3)", () => {
  const app = stored("docker");
  assert.deepEqual(sound(app, ["7"], { accessPorts: "tcp:1" }).frozen, ["access_ports"]);
  assert.deepEqual(sound(app, ["34"], { skipHcPorts: "all" }).frozen, ["skip_hc_ports"]);
  assert.deepEqual(sound(app, ["15"], { deployment: "kubernetes" }).frozen, ["deployment"]);
  assert.deepEqual(sound(app, ["4", "13"], { imagePath: "nginx", command: "x" }).frozen, []);
  assert.deepEqual(sound(app, ["7"], { accessPorts: "tcp:8080" }).frozen, []);
  const file = (name: string) => `services: {${name}: {image: a, ports: ["8080"]}}`;
  assert.deepEqual(sound(app, ["16"], { deploymentManifest: file("a") }).frozen, ["deployment_manifest"]);
  const compose = stored("docker", { deploymentManifest: file("a") });
  assert.deepEqual(sound(compose, ["16"], { deploymentManifest: file("b") }).frozen, []);
  assert.deepEqual(sound(compose, ["37"], { trusted: true }).frozen, []);
  assert.deepEqual(sound(compose, ["16"], { deploymentManifest: "https://h/a.zip" }).frozen, ["deployment_manifest"]);
  const machine = stored("vm");
  const os = VmAppOsType.VM_APP_OS_LINUX;
  assert.deepEqual(sound(machine, ["37", "41"], { trusted: true, vmAppOsType: os }).frozen, []);
  assert.deepEqual(sound(machine, ["14"], { annotations: "x" }).frozen, ["annotations"]);
});

Deno.test("what belongs together changes together", () => {
  const serverless = stored("kubernetes", { allowServerless: true });
  assert.equal(serverless.serverlessConfig!.vcpus, "1");
  assert.equal(sound(serverless, ["39"], {}).app.serverlessConfig, undefined);
  assert.deepEqual(faults(serverless, ["39", "40.2"], { serverlessConfig: { ram: 5 } }), ["serverless_config"]);
  assert.equal(
    sound(serverless, ["40.1"], { serverlessConfig: { vcpus: "0.25" } }).app.serverlessConfig!.vcpus,
    "0.25",
  );

  const low = dme.QosSessionProfile.QOS_LOW_LATENCY;
  const qos = stored("docker", { qosSessionProfile: low, qosSessionDuration: 5e9 });
  assert.equal(sound(qos, ["43"], {}).app.qosSessionDuration, 0);
  assert.deepEqual(faults(qos, ["43", "44"], { qosSessionDuration: 1 }), ["qos_session_duration"]);
  // A request without a profile in its mask keeps the duration.
  assert.equal(sound(qos, ["37"], { trusted: true }).app.qosSessionDuration, 5e9);
  assert.deepEqual(sound(stored("docker"), ["28"], { autoProvPolicy: "p" }).app.autoProvPolicies, ["p"]);
});

/** Requests of which many are sound, some are not, and all may name any field. */
const request = fc.record({
  imagePath: fc.constantFrom("nginx", "ghcr.io/acme/echo:2", "stable/chart", "BAD"),
  accessPorts: fc.constantFrom("", "tcp:1", "tcp:1,udp:2-9", "tcp:22"),
  skipHcPorts: fc.constantFrom("", "all", "tcp:1"),
  deployment: fc.constantFrom("docker", "kubernetes", "kubernetes", "helm", "none"),
  deploymentManifest: fc.constantFrom("", "", MANIFEST(1), "services: {}"),
  deploymentGenerator: fc.constantFrom("", "kubernetes-basic"),
  command: fc.constantFrom("", "run it"),
  annotations: fc.string(),
  trusted: fc.boolean(),
  internalPorts: fc.boolean(),
  scaleWithCluster: fc.boolean(),
  allowServerless: fc.boolean(),
  serverlessConfig: fc.constantFrom(undefined, { vcpus: "0.5", ram: 20, minReplicas: 1 }),
  qosSessionProfile: fc.constantFrom(0, 1),
  qosSessionDuration: fc.constantFrom(0, 1e9),
  alertPolicies: fc.subarray(["a", "b"]),
  autoProvPolicy: fc.constantFrom("", "c"),
  revision: fc.constantFrom("", "r2"),
});
const NUMBERS = [
  "4",
  "7",
  "13",
  "14",
  "15",
  "16",
  "17",
  "22",
  "23",
  "24",
  "28",
  "34",
  "37",
  "39",
  "40",
  "42",
  "43",
  "44",
];

Deno.test("an update touches what its mask names, and is the same when it is made twice", () => {
  const apps = [stored("docker"), stored("kubernetes"), stored("kubernetes", { deploymentManifest: MANIFEST(8080) })];
  let sound = 0;
  fc.assert(
    fc.property(fc.constantFrom(...apps), request, fc.subarray(NUMBERS, { minLength: 1 }), (before, parts, fields) => {
      const given = App.create({ ...parts, key: before.key, fields });
      const snapshot = App.create(before);
      const first = updateOfApp(before, given, PLACES);
      assert.deepEqual(before, snapshot, "the app as it was is not changed");
      for (const field of App.descriptor.fields) {
        // These follow from others.
        if (/^(deployment|image|access_type|auto_prov|serverless|qos)/.test(field.name)) continue;
        if (fields.includes(String(field.number))) continue;
        const property = field.property as keyof App;
        assert.deepEqual(first.app[property], before[property], field.name);
      }
      if (first.issues.list.length > 0) return;
      sound++;
      const second = updateOfApp(first.app, given, PLACES);
      assert.deepEqual([second.issues.list, second.changed], [[], []]);
    }),
    { numRuns: 1000 },
  );
  assert.ok(sound > 50, `only ${sound} of the updates were sound`);
});
