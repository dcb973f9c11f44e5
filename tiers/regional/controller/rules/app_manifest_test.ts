import assert from "node:assert/strict";
import fc from "fast-check";
import { readKubernetesManifest } from "../../../../shared/manifest/mod.ts";
import { App, type DeepPartial, Flavor } from "../../../../shared/schema/mod.ts";
import { appOf, faultsOf, SERVICE, withDefaults } from "../testing/app_samples.ts";
import { checkManifestFlavor } from "./app_manifest.ts";
import { Issues } from "./issues.ts";

Deno.test("Kubernetes manifests are made of the app when it has none (specification 3.3)", () => {
  const app = withDefaults(appOf("kubernetes", {
    key: { organization: "AtlasWorks", name: "Rally Go!", version: "1.0.0" },
    accessPorts: "tcp:443,udp:10000-10002,tcp:8080",
    command: "serve --fast",
    configs: [{ kind: "envVarsYaml", config: "- name: MODE\n  value: '7'\n" }],
  }));
  assert.equal(app.deploymentGenerator, "kubernetes-basic");
  const manifest = app.deploymentManifest;
  for (
    const part of [
      "name: rallygo100-tcp",
      "name: rallygo100-udp",
      "kind: Deployment",
      "name: rallygo1.0.0-deployment",
      "name: ghcr.io",
      "- serve\n",
      "name: MODE",
      "type: LoadBalancer",
    ]
  ) assert.ok(manifest.includes(part), `${part} in ${manifest}`);
  const { facts, issues } = readKubernetesManifest(manifest);
  assert.deepEqual(issues, []);
  assert.deepEqual(facts.balanced.map(({ protocol, port }) => `${protocol}:${port}`), [
    "tcp:443",
    "tcp:8080",
    "udp:10000",
    "udp:10001",
    "udp:10002",
  ]);
  const daemon = withDefaults(appOf("kubernetes", { scaleWithCluster: true, internalPorts: true })).deploymentManifest;
  assert.match(daemon, /kind: DaemonSet/);
  assert.match(daemon, /type: ClusterIP/);
  // An app that was shown can be given back as it is.
  assert.deepEqual(withDefaults(App.create(app)), app);
  assert.deepEqual(faultsOf(appOf("kubernetes", { deploymentGenerator: "other" })), ["deployment_generator"]);
  assert.deepEqual(faultsOf(appOf("docker", { deploymentGenerator: "kubernetes-basic" })), ["deployment_generator"]);
});

Deno.test("a generated manifest is sound whatever the app is called", () => {
  const name = fc.stringMatching(/^[0-9a-zA-Z][-_0-9a-zA-Z .&,!]{0,127}$/);
  fc.assert(fc.property(name, name, fc.boolean(), (name, version, scaleWithCluster) => {
    const app = withDefaults(
      appOf("kubernetes", {
        key: { organization: "a", name, version },
        scaleWithCluster,
        accessPorts: "tcp:1,udp:1-3",
      }),
    );
    for (const [, found] of app.deploymentManifest.matchAll(/^ {2}name: (.*)$/gm)) {
      assert.match(found!, /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/);
    }
  }));
});

const PODS = (kind: string, gpus: number) =>
  `{apiVersion: apps/v1, kind: ${kind}, metadata: {name: d}, spec: {template: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: ${gpus}}}}]}}}}`;

Deno.test("own Kubernetes manifests must expose the ports, and fit the flavor (specification 3.3)", () => {
  const check = (deploymentManifest: string, more: DeepPartial<App> = {}) =>
    faultsOf(appOf("kubernetes", { deploymentManifest, ...more }));
  assert.deepEqual(check(SERVICE("LoadBalancer", "TCP", 8080)), []);
  assert.deepEqual(check(SERVICE("LoadBalancer", "UDP", 8080)), ["deployment_manifest"]);
  assert.deepEqual(check(SERVICE("LoadBalancer", "TCP", 8081)), ["deployment_manifest"]);
  assert.deepEqual(check(SERVICE("ClusterIP", "TCP", 8080)), ["deployment_manifest"]);
  assert.deepEqual(check(SERVICE("ClusterIP", "TCP", 8080), { internalPorts: true }), []);
  const range = { accessPorts: "tcp:80-81" };
  const both = `${SERVICE("LoadBalancer", "TCP", 80)}\n---\n${SERVICE("LoadBalancer", "TCP", 81)}`;
  assert.deepEqual(check(both, range), []);
  assert.deepEqual(check(SERVICE("LoadBalancer", "TCP", 80), range), ["deployment_manifest"]);
  const none = { accessPorts: "" };
  for (
    const wrong of ["a: [", "text", "{kind: Pod}", "- a", "# nothing", "{apiVersion: v1, kind: Pod, metadata: {}}"]
  ) {
    assert.ok(check(wrong, none).includes("deployment_manifest"), wrong);
  }
  assert.deepEqual(check(`${PODS("Deployment", 0)}`.replace("name: d", "name: {{ .Name }}"), none), []);
  const angled = PODS("Deployment", 0).replace("name: d", "name: [[ .Name ]]");
  assert.deepEqual(check(angled, none), ["deployment_manifest"]);
  assert.deepEqual(check(angled, { ...none, templateDelimiter: "[[ ]]" }), []);
  assert.deepEqual(check(PODS("Deployment", 0), { ...none, scaleWithCluster: true }), ["deployment_manifest"]);
  assert.deepEqual(check(PODS("DaemonSet", 0), { ...none, scaleWithCluster: true }), []);

  const gpuFaults = (count: number, optResMap: Record<string, string>) => {
    const app = withDefaults(appOf("kubernetes", { ...none, deploymentManifest: PODS("Deployment", count) }));
    const flavor = Object.assign(Flavor.create({ key: { name: "f" } }), { optResMap });
    const issues = new Issues();
    checkManifestFlavor(app, flavor, issues);
    return issues.list.map(({ path }) => path);
  };
  assert.deepEqual(gpuFaults(0, {}), []);
  assert.deepEqual(gpuFaults(1, {}), ["deployment_manifest"]);
  assert.deepEqual(gpuFaults(2, { gpu: "vgpu:nvidia-63:2" }), []);
  assert.deepEqual(gpuFaults(2, { gpu: "pci:1" }), ["deployment_manifest"]);
});

Deno.test("manifests of the other deployments (specification 3.3)", () => {
  const check = (deployment: string, deploymentManifest: string) => faultsOf(appOf(deployment, { deploymentManifest }));
  assert.deepEqual(check("helm", "a: b"), ["deployment_manifest"]);
  assert.deepEqual(check("vm", "#cloud-config\nusers: []"), []);
  assert.deepEqual(check("vm", "#!/bin/sh"), ["deployment_manifest"]);
  const compose = (ports: string, image = "acme/web:1") => `services: {web: {image: "${image}", ports: [${ports}]}}`;
  assert.deepEqual(check("docker", compose("8080:80")), []);
  assert.deepEqual(check("docker", compose("80")), ["deployment_manifest"]);
  assert.deepEqual(check("docker", compose("8080/udp")), ["deployment_manifest"]);
  assert.deepEqual(check("docker", compose("8080", "UPPER")), ["deployment_manifest.services.web.image"]);
  assert.deepEqual(check("docker", "services: {web: {image: a, privileged: true}}"), [
    "deployment_manifest.services.web.privileged",
  ]);
  assert.deepEqual(faultsOf(appOf("docker", { deploymentManifest: compose("8080"), command: "x" })), ["command"]);
  assert.deepEqual(check("docker", "x".repeat(300_000)), ["deployment_manifest"]);
  assert.deepEqual(check("process", "permissions: { run: true }"), ["deployment_manifest.permissions.run"]);
});
