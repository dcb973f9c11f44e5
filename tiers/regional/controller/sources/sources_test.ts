import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { App, type DeepPartial, ImageType } from "../../../../shared/schema/mod.ts";
import { AppSources, type ImageCheck, registrySecretPath, SourceHosts, SourceReader } from "./mod.ts";
import { parseImage, type SecretReader } from "./registry.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on this machine, which gives each path its answer, and 404 for others. */
async function serve(answers: Record<string, Answer>) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const answer = answers[request.url!.split("?")[0]!];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function text(body: string | Uint8Array, status = 200): Answer {
  return (_, response) => response.writeHead(status).end(body);
}

function sources(hosts: string, imageCheck: ImageCheck = "require", secrets?: SecretReader): AppSources {
  return new AppSources(new SourceReader(SourceHosts.parse(hosts)!, fetch), secrets, imageCheck);
}

function docker(more: DeepPartial<App>): App {
  return App.create({ deployment: "docker", imageType: ImageType.IMAGE_TYPE_DOCKER, ...more });
}

async function faults(asked: AppSources, app: App): Promise<string[]> {
  const { issues, warnings } = await asked.look(app, () => false);
  return [...issues.map(({ path, rule }) => `${path} ${rule}`), ...warnings.map((warning) => `warning: ${warning}`)];
}

Deno.test("hosts are allowed by scheme, name and port, and nothing else is", () => {
  const hosts = SourceHosts.parse("docker.io, registry.example:5000,http://127.0.0.1:80")!;
  const allows = (url: string) => hosts.allows(new URL(url));
  for (
    const url of [
      "https://docker.io/x",
      "https://registry-1.docker.io/v2/",
      "https://auth.docker.io/token",
      "https://registry.example:5000/",
      "http://127.0.0.1/x",
    ]
  ) {
    assert.ok(allows(url), url);
  }
  for (
    const url of [
      "http://docker.io/",
      "https://registry.example/",
      "https://127.0.0.1/",
      "http://127.0.0.1:81/",
      "https://evil-docker.io/",
      "https://docker.io.evil.example/",
      "file:///etc/passwd",
    ]
  ) {
    assert.ok(!allows(url), url);
  }
  assert.equal(hosts.originOf("127.0.0.1:80"), "http://127.0.0.1");
  assert.equal(hosts.originOf("other.example"), undefined);
  assert.ok(SourceHosts.parse("")!.isEmpty);
  for (const wrong of ["a/b", "https://u:p@h", "h?x", "h h"]) assert.equal(SourceHosts.parse(wrong), undefined, wrong);
});

Deno.test("names of images have parts", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  assert.deepEqual(parseImage("docker.io/nginx"), {
    host: "docker.io",
    repository: "library/nginx",
    reference: "latest",
  });
  assert.deepEqual(parseImage("h:5000/a/b:1"), { host: "h:5000", repository: "a/b", reference: "1" });
  assert.deepEqual(parseImage(`h:5000/a:1@${digest}`), { host: "h:5000", repository: "a", reference: digest });
});

Deno.test("images are looked for in their registry, with the credentials kept for it", async () => {
  await using registry = await serve({
    "/v2/acme/open/manifests/1": text(""),
    "/v2/acme/closed/manifests/1": (request, response) => {
      if (request.headers.authorization === "Bearer t0k3n") return void response.end();
      const realm = `http://${request.headers.host}/token`;
      response.writeHead(401, {
        "www-authenticate": `Bearer realm="${realm}",service="reg",scope="repository:acme/closed:pull"`,
      }).end();
    },
    "/token": (request, response) => {
      const basic = `Basic ${btoa("bob:s3cret")}`;
      if (request.headers.authorization !== basic) return void response.writeHead(401).end();
      response.end(JSON.stringify({ token: "t0k3n" }));
    },
    "/v2/acme/broken/manifests/1": text("", 500),
  });
  const secrets = (data: Record<string, string> | undefined): SecretReader => ({
    get: (path) => {
      assert.equal(path, registrySecretPath(registry.host));
      return Promise.resolve(data && { path, version: 1, createdAtMs: 0, data });
    },
  });
  const look = (name: string, data?: Record<string, string>, check: ImageCheck = "require") =>
    faults(sources(registry.url, check, secrets(data)), docker({ imagePath: `${registry.host}/acme/${name}` }));
  assert.deepEqual(await look("open:1"), []);
  assert.deepEqual(await look("open:2"), ["image_path names an image that its registry does not have"]);
  assert.deepEqual(await look("open:2", undefined, "warn"), [
    "warning: image_path names an image that its registry does not have",
  ]);
  assert.deepEqual(await look("open:2", undefined, "off"), []);
  assert.deepEqual(await look("closed:1", { username: "bob", password: "s3cret" }), []);
  assert.ok(registry.seen.some((line) => line === "GET /token?service=reg&scope=repository%3Aacme%2Fclosed%3Apull"));
  assert.deepEqual(await look("closed:1", { token: "t0k3n" }), []);
  const [refused] = await look("closed:1");
  assert.match(refused!, /cannot be checked: 127\.0\.0\.1:\d+ does not let this region in/);
  assert.match((await look("broken:1"))[0]!, /answers with status 500/);
});

Deno.test("nobody but the named hosts is asked, by redirects neither", async () => {
  await using inside = await serve({ "/secret.yaml": text("a: b") });
  await using outside = await serve({
    "/away.yaml": (_, response) => response.writeHead(302, { location: `${inside.url}/secret.yaml` }).end(),
    "/loop.yaml": (_, response) => response.writeHead(302, { location: "/loop.yaml" }).end(),
    "/near.yaml": (_, response) => response.writeHead(307, { location: "/a.yaml" }).end(),
    "/a.yaml": text("a: b"),
  });
  const look = (config: string) =>
    faults(sources(outside.url), docker({ configs: [{ kind: "appAccessCustomization", config }] }));
  assert.deepEqual(await look(`${outside.url}/near.yaml`), []);
  assert.match(
    (await look(`${outside.url}/away.yaml`))[0]!,
    /configs\[0\]\.config cannot be read: .* is not among the hosts/,
  );
  assert.match((await look(`${outside.url}/loop.yaml`))[0]!, /from one place to the next/);
  assert.match((await look(`${inside.url}/secret.yaml`))[0]!, /is not among the hosts/);
  assert.match((await look(`http://u:p@${outside.host}/a.yaml`))[0]!, /not at a plain URL/);
  assert.match((await look(`${outside.url}/none.yaml`))[0]!, /answers with status 404/);
  assert.deepEqual(inside.seen, []);
});

Deno.test("credentials do not follow a redirect to another host", async () => {
  const given: (string | undefined)[] = [];
  await using other = await serve({
    "/x": (request, response) => {
      given.push(request.headers.authorization);
      response.end();
    },
  });
  await using first = await serve({
    "/x": (_, response) => response.writeHead(302, { location: `${other.url}/x` }).end(),
  });
  const reader = new SourceReader(SourceHosts.parse(`${first.url},${other.url}`)!, fetch);
  const headers = { authorization: "Basic c2VjcmV0" };
  const { status } = await reader.request(`${first.url}/x`, { headers, signal: new AbortController().signal });
  assert.equal(status, 200);
  assert.deepEqual(given, [undefined]);
});

Deno.test("files that are too long, late, or unreadable are refused", async () => {
  await using host = await serve({
    "/long.yaml": (_, response) => {
      const send = () => {
        while (response.write("a".repeat(65_536)));
        response.once("drain", send);
      };
      send();
    },
    "/hang.yaml": (_, response) => void response.write("a"),
    "/bad.yaml": text("a: ["),
    "/env.yaml": text("- name: A"),
  });
  const look = (path: string, kind = "appAccessCustomization") =>
    faults(sources(host.url), docker({ configs: [{ kind, config: `${host.url}${path}` }] }));
  assert.match((await look("/long.yaml"))[0]!, /longer than \d+ bytes/);
  assert.match((await look("/bad.yaml"))[0]!, /names a file that is not valid YAML/);
  assert.deepEqual(await look("/env.yaml", "envVarsYaml"), []);
  assert.match((await look("/bad.yaml", "envVarsYaml"))[0]!, /not valid YAML/);
  const reader = new SourceReader(SourceHosts.parse(host.url)!, fetch);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(reader.read(`${host.url}/hang.yaml`, 100, stop.signal), /does not answer in time/);
  await assert.rejects(
    new SourceReader(SourceHosts.parse("http://127.0.0.1:1")!, fetch).read(
      "http://127.0.0.1:1/",
      1,
      new AbortController().signal,
    ),
    /127\.0\.0\.1:1 cannot be reached/,
  );
});

Deno.test("manifests by URL become their text, archives stay where they are", async () => {
  await using host = await serve({ "/m.yaml": text("kind: Pod"), "/a.zip": text("no zip") });
  const asked = sources(host.url);
  const app = App.create({ deployment: "kubernetes", deploymentManifest: `${host.url}/m.yaml` });
  assert.deepEqual(await asked.fetchManifest(app), []);
  assert.equal(app.deploymentManifest, "kind: Pod");
  const absent = App.create({ deployment: "vm", deploymentManifest: `${host.url}/none` });
  assert.match((await asked.fetchManifest(absent))[0]!.rule, /cannot be read: .* status 404/);
  const archive = docker({ deploymentManifest: `${host.url}/a.zip` });
  assert.deepEqual(await asked.fetchManifest(archive), []);
  assert.equal(archive.deploymentManifest, `${host.url}/a.zip`);
  assert.match((await faults(asked, archive))[0]!, /must be an archive of compose files: it is no zip archive/);
});

Deno.test("images of machines must be there, and an OVF's hardware old enough (specification 3.2)", async () => {
  const ovf = (version: number, file: string) =>
    `<?xml version="1.0"?><Envelope><References><File ovf:href="${file}" ovf:id="f"/></References>` +
    `<vssd:VirtualSystemType>vmx-${version}</vssd:VirtualSystemType></Envelope>`;
  await using host = await serve({
    "/a.qcow2": text(""),
    "/disk.vmdk": text(""),
    "/good.ovf": text(ovf(14, "disk.vmdk")),
    "/new.ovf": text(ovf(15, "disk.vmdk")),
    "/torn.ovf": text(ovf(13, "none.vmdk")),
    "/text.ovf": text("text"),
  });
  const look = (imageType: ImageType, path: string) =>
    faults(sources(host.url), App.create({ deployment: "vm", imageType, imagePath: `${host.url}${path}` }));
  const { IMAGE_TYPE_QCOW, IMAGE_TYPE_OVF } = ImageType;
  assert.deepEqual(await look(IMAGE_TYPE_QCOW, "/a.qcow2#md5:00"), []);
  assert.match((await look(IMAGE_TYPE_QCOW, "/b.qcow2#md5:00"))[0]!, /not there/);
  assert.deepEqual(await look(IMAGE_TYPE_OVF, "/good.ovf"), []);
  assert.match((await look(IMAGE_TYPE_OVF, "/new.ovf"))[0]!, /vmx-15, at most vmx-14/);
  assert.match((await look(IMAGE_TYPE_OVF, "/torn.ovf"))[0]!, /none\.vmdk is not there/);
  assert.match((await look(IMAGE_TYPE_OVF, "/text.ovf"))[0]!, /no OVF/);
  assert.match((await look(IMAGE_TYPE_OVF, "/none.ovf"))[0]!, /not there/);
});

Deno.test("charts are looked for where their path leads", async () => {
  const index = `apiVersion: v1
entries:
  redis:
  - apiVersion: v2
    name: hidden
    urls:
    - redis-1.tgz
  "post-gres":
    - name: post-gres
generated: "2026-01-01"
other:
  nginx: 1
`;
  await using host = await serve({
    "/charts/index.yaml": text(index),
    "/json/index.yaml": text(JSON.stringify({ apiVersion: "v1", entries: { redis: [] } })),
    "/page/index.yaml": text("<html></html>"),
    "/charts/redis-1.tgz": text(""),
    "/v2/acme/charts/redis/manifests/1.0": text(""),
    "/v2/acme/charts/redis/tags/list": text("{}"),
  });
  const look = (imagePath: string, check: ImageCheck = "require") =>
    faults(
      sources(host.url, check),
      App.create({ deployment: "helm", imageType: ImageType.IMAGE_TYPE_HELM, imagePath }),
    );
  for (
    const path of [
      `${host.url}/charts:repo/redis`,
      `${host.url}/charts/:repo/post-gres`,
      `${host.url}/json:repo/redis`,
      `${host.url}/charts/redis-1.tgz`,
      `oci://${host.host}/acme/charts/redis:1.0`,
      `${host.host}/acme/charts/redis`,
      "stable/redis",
    ]
  ) {
    assert.deepEqual(await look(path), [], path);
  }
  for (const name of ["nginx", "hidden", "apiVersion", "urls"]) {
    assert.deepEqual(await look(`${host.url}/charts:repo/${name}`), [
      `image_path names chart ${name}, which its repository does not have`,
    ]);
  }
  assert.match((await look(`${host.url}/charts/redis-2.tgz`))[0]!, /names a chart that is not there/);
  assert.match((await look(`oci://${host.host}/acme/charts/redis:2.0`))[0]!, /its registry does not have/);
  assert.match((await look(`${host.host}/acme/charts/other`, "warn"))[0]!, /^warning: .*its registry does not have/);
  assert.match((await look(`${host.url}/page:repo/redis`))[0]!, /cannot be checked: .* has no index of charts there/);
  assert.match((await look(`${host.url}/none:repo/redis`))[0]!, /cannot be checked: .* answers with status 404/);
  assert.match((await look("https://elsewhere.example:repo/redis"))[0]!, /cannot be checked: .* not among the hosts/);
  assert.match((await look("oci://elsewhere.example/redis"))[0]!, /cannot be checked: .* not among the hosts/);
  assert.deepEqual(await look(`${host.url}/charts:repo/nginx`, "off"), []);
  await using none = await serve({});
  const before = none.seen.length;
  assert.deepEqual(await faults(sources("", "warn"), App.create({ imagePath: `${none.url}/x:r/y` })), []);
  assert.equal(none.seen.length, before);
});

Deno.test("modules are looked for at their URL; files of sites are not", async () => {
  await using inside = await serve({ "/app.ts": text("secret") });
  await using host = await serve({
    "/app.ts": text("export {}"),
    "/away.ts": (_, response) => response.writeHead(302, { location: `${inside.url}/app.ts` }).end(),
    "/odd.ts": text("", 503),
  });
  // Modules come by https from hosts that are not this machine, so the name is another one here.
  const named: typeof fetch = (input, init) => fetch(String(input).replace("https://modules.example", host.url), init);
  const look = (imagePath: string, hosts = "modules.example", check: ImageCheck = "require") =>
    faults(
      new AppSources(new SourceReader(SourceHosts.parse(hosts)!, named), undefined, check),
      App.create({ deployment: "process", imageType: ImageType.IMAGE_TYPE_MODULE, imagePath }),
    );
  assert.deepEqual(await look(`https://modules.example/app.ts#sha256:${"0".repeat(64)}`), []);
  assert.deepEqual(await look("https://modules.example/none.ts"), ["image_path names a module that is not there"]);
  assert.deepEqual(await look("https://modules.example/none.ts", "modules.example", "warn"), [
    "warning: image_path names a module that is not there",
  ]);
  assert.match((await look("https://modules.example/odd.ts"))[0]!, /cannot be checked: .* answers with status 503/);
  assert.match((await look("https://modules.example/away.ts"))[0]!, /cannot be checked: .* not among the hosts/);
  assert.deepEqual(inside.seen, []);
  assert.match((await look("https://elsewhere.example/app.ts"))[0]!, /not among the hosts/);
  const seen = host.seen.length;
  for (const path of ["/srv/app.ts", "file:///srv/app.ts"]) assert.deepEqual(await look(path), []);
  assert.equal(host.seen.length, seen);
  await host[Symbol.asyncDispose]();
  assert.match((await look("https://modules.example/app.ts"))[0]!, /modules\.example cannot be reached/);
});

Deno.test("images of a compose file are looked for, each by its service", async () => {
  await using registry = await serve({ "/v2/acme/web/manifests/1": text("") });
  const image = (name: string) => `{image: "${registry.host}/acme/${name}:1"}`;
  const deploymentManifest = `services: {web: ${image("web")}, store: ${image("store")}, other: {image: other}}`;
  const look = (check: ImageCheck) => faults(sources(registry.url, check), docker({ deploymentManifest }));
  assert.deepEqual((await look("require")).sort(), [
    "deployment_manifest.services.other.image cannot be checked: docker.io is not among the hosts that this region asks",
    "deployment_manifest.services.store.image names an image that its registry does not have",
  ]);
  assert.equal((await look("warn")).filter((fault) => fault.startsWith("warning: ")).length, 2);
});
