import assert from "node:assert/strict";
import fc from "fast-check";
import { formatPortList, readPortList } from "../../../../shared/ports/mod.ts";
import {
  type App,
  type DeepPartial,
  dme,
  Flavor,
  ImageType,
  SecurityRule,
  ServerlessConfig,
  VmAppOsType,
} from "../../../../shared/schema/mod.ts";
import { app as processApp, appOf, faultsOf, NOWHERE, SERVICE, SUM, withDefaults } from "../testing/app_samples.ts";
import { checkApp, defaultApp, revisionStamp } from "./app.ts";
import { Issues } from "./issues.ts";
import { defaultServerless } from "./serverless.ts";

Deno.test("an app of any deployment is taken, and all faults of one are told together", () => {
  for (const deployment of ["kubernetes", "helm", "docker", "vm", "process"]) withDefaults(appOf(deployment));
  const several = faultsOf(processApp({
    key: { organization: "AtlasWorks", name: "/", version: "1" },
    accessPorts: "tcp:22,foo",
    deploymentManifest: "permissions: { run: true }",
    revision: "no spaces",
    requiredOutboundConnections: [{ protocol: "x" }],
    configs: [{ kind: "x", config: "" }],
  }));
  assert.deepEqual(
    new Set(several.map((path) => path.replace(/[[.].*/, ""))),
    new Set([
      "key",
      "access_ports",
      "deployment_manifest",
      "configs",
      "required_outbound_connections",
      "revision",
    ]),
  );
});

Deno.test("forms of images and deployments imply each other (specification 3.2)", () => {
  const implied = (imageType: ImageType, deployment: string) => {
    const app = appOf(deployment, { imageType, deployment: "" });
    defaultApp(app, NOWHERE);
    return app.deployment;
  };
  assert.equal(implied(ImageType.IMAGE_TYPE_DOCKER, "docker"), "kubernetes");
  assert.equal(implied(ImageType.IMAGE_TYPE_QCOW, "vm"), "vm");
  assert.equal(implied(ImageType.IMAGE_TYPE_HELM, "helm"), "helm");
  assert.equal(implied(ImageType.IMAGE_TYPE_MODULE, "process"), "process");
  assert.equal(implied(ImageType.IMAGE_TYPE_OVF, "vm"), "");
  const form = (deployment: string) => withDefaults(appOf(deployment, { imageType: 0 })).imageType;
  assert.equal(form("docker"), ImageType.IMAGE_TYPE_DOCKER);
  assert.equal(form("kubernetes"), ImageType.IMAGE_TYPE_DOCKER);
  assert.equal(form("helm"), ImageType.IMAGE_TYPE_HELM);
  assert.equal(form("process"), ImageType.IMAGE_TYPE_MODULE);
  assert.deepEqual(faultsOf(appOf("vm", { imageType: 0 })), ["image_type"]);
  assert.deepEqual(faultsOf(processApp({ deployment: "" })), ["deployment"]);
  assert.deepEqual(faultsOf(processApp({ deployment: "heroku" })), ["deployment"]);
  assert.deepEqual(faultsOf(processApp({ deployment: "toString" })), ["deployment"]);

  const D = ImageType.IMAGE_TYPE_DOCKER, Q = ImageType.IMAGE_TYPE_QCOW, H = ImageType.IMAGE_TYPE_HELM;
  const O = ImageType.IMAGE_TYPE_OVF, M = ImageType.IMAGE_TYPE_MODULE;
  const fits: Record<string, readonly ImageType[]> = {
    kubernetes: [D],
    docker: [D],
    vm: [Q, O],
    helm: [H],
    process: [M],
  };
  for (const [deployment, images] of Object.entries(fits)) {
    for (const imageType of [D, Q, H, O, M]) {
      const refused = faultsOf(appOf(deployment, { imageType })).includes("image_type");
      assert.equal(refused, !images.includes(imageType), `${deployment} ${imageType}`);
    }
  }
});

Deno.test("images that are not named are where the region keeps them (specification 3.2)", () => {
  const places = { registryFqdn: "registry.example:5000", artifactoryFqdn: "https://files.example/artifactory/" };
  const key = { organization: "AtlasWorks", name: "Rally Go!", version: "1.0.0" };
  const place = (deployment: string, more: DeepPartial<App> = {}) =>
    withDefaults(appOf(deployment, { key, imagePath: "", ...more }), places).imagePath;
  assert.equal(place("kubernetes"), "registry.example:5000/atlasworks/images/rallygo:1.0.0");
  assert.equal(place("helm"), "registry.example:5000/atlasworks/images/rallygo");
  assert.equal(
    place("vm", { md5sum: SUM }),
    `https://files.example/artifactory/repo-AtlasWorks/Rally%20Go!.qcow2#md5:${SUM}`,
  );
  assert.equal(place("docker", { deploymentManifest: 'services: {a: {image: b, ports: ["8080"]}}' }), "");
  for (const deployment of ["kubernetes", "docker", "helm", "vm", "process"]) {
    assert.deepEqual(faultsOf(appOf(deployment, { imagePath: "" })), ["image_path"], deployment);
  }
  assert.deepEqual(faultsOf(appOf("vm", { imagePath: "" }), places), ["image_path"]);
});

Deno.test("places of images follow the rules of their form (specification 3.2)", () => {
  const check = (deployment: string, imagePath: string, more: DeepPartial<App> = {}) =>
    faultsOf(appOf(deployment, { imagePath, ...more }));
  const sum = `#md5:${SUM}`;
  assert.equal(withDefaults(appOf("docker", { imagePath: "https://nginx" })).imagePath, "docker.io/nginx");
  assert.deepEqual(check("docker", "docker.io/UPPER"), ["image_path"]);
  for (const path of [`http://h/a.img${sum}`, `https://h/a.b/c.qcow2${sum}${SUM}`]) {
    assert.deepEqual(check("vm", path), []);
  }
  for (
    const path of [
      "https://h/a.qcow2",
      `https://h/a${sum}`,
      `https://h/a.qcow2#md5:12`,
      `ftp://h/a.qcow2${sum}`,
      "a.qcow2",
      `https://u:p@h/a.qcow2${sum}`,
    ]
  ) assert.deepEqual(check("vm", path), ["image_path"], path);
  assert.equal(
    withDefaults(appOf("vm", { imagePath: "https://h/a.qcow2", md5sum: SUM })).imagePath,
    `https://h/a.qcow2${sum}`,
  );
  assert.deepEqual(check("vm", `https://h/a.qcow2${sum}`, { md5sum: "12" }), ["md5sum"]);
  const ovf = { imageType: ImageType.IMAGE_TYPE_OVF };
  assert.deepEqual(check("vm", "https://h/a.ovf", ovf), []);
  assert.deepEqual(check("vm", "https://h/a.ova", ovf), ["image_path"]);
  for (const path of ["chart", "-o/chart", "a b/c"]) assert.deepEqual(check("helm", path), ["image_path"], path);
  assert.deepEqual(check("process", "http://example.com/a.js"), ["image_path"]);
  assert.deepEqual(check("docker", `h.example/${"a".repeat(1100)}`), ["image_path"]);
});

Deno.test("configuration files have the kind of their deployment and can be read (specification 3.5)", () => {
  const check = (deployment: string, kind: string, config: string, more: DeepPartial<App> = {}) =>
    faultsOf(appOf(deployment, { configs: [{ kind, config }], ...more }));
  assert.deepEqual(check("kubernetes", "envVarsYaml", "- name: A\n  value: b"), []);
  assert.deepEqual(check("kubernetes", "envVarsYaml", "- name: A\n  valueFrom: {fieldRef: {fieldPath: p}}"), []);
  assert.deepEqual(check("helm", "helmCustomizationYaml", "a: {{ .Ip }}"), []);
  assert.deepEqual(check("helm", "helmCustomizationYaml", "a: [[ .Ip"), ["configs[0].config"]);
  assert.deepEqual(check("helm", "helmCustomizationYaml", "a: <<.Ip>>", { templateDelimiter: "<< >>" }), []);
  for (const deployment of ["docker", "vm", "helm", "kubernetes"]) {
    assert.deepEqual(check(deployment, "appAccessCustomization", "a: b"), []);
  }
  assert.deepEqual(check("helm", "envVarsYaml", "- name: A"), ["configs[0].kind"]);
  assert.deepEqual(check("docker", "helmCustomizationYaml", "a: b"), ["configs[0].kind"]);
  assert.deepEqual(check("docker", "other", "a: b"), ["configs[0].kind"]);
  for (
    const wrong of ["", "a: [", "a: b", "- x", "- name: 1 2", "- {name: A, value: {b: c}}", "- &a {name: A}\n- *a"]
  ) {
    assert.deepEqual(check("kubernetes", "envVarsYaml", wrong), ["configs[0].config"], wrong);
  }
  assert.deepEqual(check("helm", "helmCustomizationYaml", "x".repeat(70_000)), ["configs[0].config"]);
});

Deno.test("commands, delimiters and what belongs to one deployment only (specification 3.3)", () => {
  assert.deepEqual(faultsOf(appOf("vm", { command: "sh" })), ["command"]);
  assert.deepEqual(faultsOf(appOf("process", { command: "sh" })), ["command"]);
  assert.deepEqual(faultsOf(appOf("docker", { command: "x".repeat(5000) })), ["command"]);
  assert.deepEqual(faultsOf(appOf("docker", { scaleWithCluster: true })), ["scale_with_cluster"]);
  assert.deepEqual(faultsOf(appOf("docker", { vmAppOsType: VmAppOsType.VM_APP_OS_LINUX })), ["vm_app_os_type"]);
  assert.deepEqual(faultsOf(appOf("vm", { vmAppOsType: VmAppOsType.VM_APP_OS_LINUX })), []);
  for (const templateDelimiter of ["{{", "a b c", "a  b", " b", "a "]) {
    assert.deepEqual(faultsOf(appOf("docker", { templateDelimiter })), ["template_delimiter"], templateDelimiter);
  }
  assert.deepEqual(faultsOf(appOf("docker", { templateDelimiter: "[[ ]]" })), []);
  assert.deepEqual(faultsOf(processApp({ officialFqdn: "a.example,-bad-" })), ["official_fqdn"]);
  assert.deepEqual(faultsOf(processApp({ androidPackageName: "nodots" })), ["android_package_name"]);
  assert.deepEqual(faultsOf(processApp({ accessType: 1 })), ["access_type"]);
  assert.deepEqual(faultsOf(processApp({ authPublicKey: "x" })), ["auth_public_key"]);
  assert.equal(withDefaults(processApp()).accessType, 2);
});

Deno.test("ports that are not probed are some of the access ports (specification 3.1)", () => {
  const check = (skipHcPorts: string) => faultsOf(appOf("docker", { accessPorts: "tcp:80-85,udp:90", skipHcPorts }));
  for (const sound of ["all", "tcp:80", "tcp:80-85", ""]) assert.deepEqual(check(sound), [], sound);
  for (const wrong of ["udp:90", "tcp:85-86", "tcp:90", "x"]) assert.notDeepEqual(check(wrong), [], wrong);
  assert.deepEqual(faultsOf(appOf("kubernetes", { accessPorts: "udp:2000-3000" })), ["access_ports[0]"]);
  assert.deepEqual(faultsOf(appOf("docker", { accessPorts: "udp:2000-3000" })), []);
});

Deno.test("port lists read back as they are written", () => {
  const entry = fc.record({
    protocol: fc.constantFrom("tcp", "udp", "TCP"),
    port: fc.integer({ min: 1, max: 65_535 }),
    more: fc.nat(20),
    zeros: fc.nat(3),
    note: fc.constantFrom("", ":tls", ":nginx", ":maxpktsize=1500", ":maxpktsize=1499", ":", ":tls=1", ":x"),
  }).map(({ protocol, port, more, zeros, note }) =>
    `${protocol}:${"0".repeat(zeros)}${port}${more === 0 ? "" : `-${port + more}`}${note}`
  );
  fc.assert(fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (entries) => {
    const { ports, issues } = readPortList(entries.join(","));
    if (issues.length > 0) return;
    assert.equal(ports.length, entries.length);
    const again = readPortList(formatPortList(ports));
    assert.deepEqual(again, { ports, issues: [] });
    for (const port of ports) {
      assert.ok(port.endPort === 0 || (port.endPort > port.port && port.endPort <= 65_535));
      for (const reserved of [22, 53, 20800]) {
        const inside = port.port <= reserved && reserved <= (port.endPort || port.port);
        assert.ok(!inside || (port.protocol === "udp" && reserved !== 53), formatPortList(ports));
      }
      assert.ok(!port.tls || port.protocol === "tcp");
      assert.ok(!(port.nginx || port.maxPacketBytes) || port.protocol === "udp");
    }
  }));
});

Deno.test("what a list of any text says is taken or refused, and never thrown", () => {
  const piece = fc.constantFrom("tcp", "udp", ":", "-", ",", "=", "0", "7", "65536", "tls", "nginx", "maxpktsize", " ");
  fc.assert(fc.property(fc.array(piece, { maxLength: 30 }).map((parts) => parts.join("")), (text) => {
    const { issues } = readPortList(text);
    const grammar =
      /^((tcp|udp):0*\d{1,5}(-0*\d{1,5})?(:(tls|nginx|maxpktsize=\d+))*)(,(tcp|udp):0*\d{1,5}(-0*\d{1,5})?(:(tls|nginx|maxpktsize=\d+))*)*$/;
    if (text !== "" && !grammar.test(text)) assert.notEqual(issues.length, 0, text);
  }));
});

Deno.test("serverless apps (specification 3.3)", () => {
  const serverless = (more: DeepPartial<App> = {}, deployment = "kubernetes") =>
    appOf(deployment, { allowServerless: true, ...more });
  assert.deepEqual(faultsOf(serverless()), []);
  assert.deepEqual(faultsOf(serverless({}, "docker")), ["allow_serverless"]);
  assert.deepEqual(faultsOf(serverless({ scaleWithCluster: true })), ["allow_serverless"]);
  assert.deepEqual(
    faultsOf(serverless({ deploymentManifest: SERVICE("LoadBalancer", "TCP", 8080) })),
    ["allow_serverless"],
  );
  assert.deepEqual(faultsOf(appOf("kubernetes", { serverlessConfig: { ram: 1 } })), ["serverless_config"]);
  assert.deepEqual(faultsOf(serverless({ serverlessConfig: { vcpus: "0.1234" } })), ["serverless_config.vcpus"]);
  assert.deepEqual(faultsOf(serverless({ serverlessConfig: { vcpus: "-1" } })), ["serverless_config.vcpus"]);
  const app = withDefaults(serverless({ serverlessConfig: { vcpus: "00.500" } }));
  assert.equal(app.serverlessConfig!.vcpus, "0.5");
  const flavor = Flavor.create({ key: { name: "small" }, vcpus: 2, ram: 1024 });
  defaultServerless(app, flavor);
  assert.deepEqual(app.serverlessConfig, ServerlessConfig.create({ vcpus: "0.5", ram: 1024, minReplicas: 1 }));
  const open = withDefaults(serverless());
  defaultServerless(open, flavor);
  assert.deepEqual(open.serverlessConfig, ServerlessConfig.create({ vcpus: "2", ram: 1024, minReplicas: 1 }));
});

Deno.test("quality of service, outbound connections and policies (specification 3.3)", () => {
  const low = dme.QosSessionProfile.QOS_LOW_LATENCY;
  assert.deepEqual(faultsOf(processApp({ qosSessionDuration: 1e9 })), ["qos_session_duration"]);
  assert.deepEqual(faultsOf(processApp({ qosSessionProfile: low, qosSessionDuration: 1e9 })), []);
  assert.deepEqual(faultsOf(processApp({ qosSessionProfile: low, qosSessionDuration: -1 })), ["qos_session_duration"]);
  const connection = SecurityRule.create({ protocol: "udp", portRangeMin: 53, remoteCidr: "1.1.1.1/32" });
  const app = withDefaults(processApp({ requiredOutboundConnections: [connection] }));
  assert.deepEqual(app.requiredOutboundConnections, [{ ...connection, protocol: "UDP", portRangeMax: 53 }]);
  const policies = (more: DeepPartial<App>, deployment = "docker") => faultsOf(appOf(deployment, more));
  assert.deepEqual(policies({ autoProvPolicies: ["a", "b"] }), []);
  assert.deepEqual(policies({ autoProvPolicies: ["a", "b", "a"] }), ["auto_prov_policies[2]"]);
  assert.deepEqual(policies({ alertPolicies: ["a", ""] }), ["alert_policies[1]"]);
  assert.deepEqual(policies({ autoProvPolicies: ["a"] }, "vm"), ["auto_prov_policies"]);
  const old = withDefaults(appOf("docker", { autoProvPolicy: "b", autoProvPolicies: ["a"] }));
  assert.deepEqual([old.autoProvPolicy, old.autoProvPolicies], ["", ["a", "b"]]);
  assert.deepEqual(withDefaults(appOf("docker", { autoProvPolicy: "a", autoProvPolicies: ["a"] })).autoProvPolicies, [
    "a",
  ]);
});

Deno.test("a revision is the moment, and another one each time", () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  assert.equal(revisionStamp(now), "2026-01-02T030405");
  assert.equal(revisionStamp(now, "2026-01-02T030405"), "2026-01-02T030406");
  assert.equal(revisionStamp(now, "mine"), "2026-01-02T030405");
});

Deno.test("a private key is refused as public key, and not repeated", async () => {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const pem = async (format: "pkcs8" | "spki", key: CryptoKey, label: string) => {
    const der = new Uint8Array(await crypto.subtle.exportKey(format, key));
    return `-----BEGIN ${label}-----\n${btoa(String.fromCharCode(...der))}\n-----END ${label}-----\n`;
  };
  withDefaults(processApp({ authPublicKey: await pem("spki", pair.publicKey, "PUBLIC KEY") }));
  const app = processApp({ authPublicKey: await pem("pkcs8", pair.privateKey, "PRIVATE KEY") });
  defaultApp(app, NOWHERE);
  const issues = new Issues();
  checkApp(app, issues);
  assert.deepEqual(issues.list.map(({ path, value }) => [path, value]), [["auth_public_key", ""]]);
});
