import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import {
  isForbiddenAddress,
  ManifestError,
  parseModuleSource,
  parseNetTarget,
  parseProcessManifest,
  readProcessManifest,
} from "./mod.ts";

function faults(text: string): Record<string, string> {
  return Object.fromEntries(readProcessManifest(text).issues.map((issue) => [issue.path, issue.rule]));
}

Deno.test("parseProcessManifest reads every part of a manifest", () => {
  const text = `
permissions:
  net: ["api.example.com:443", "10.0.0.5:5432", "[2001:db8::1]:80"]
  env: [TZ]
  read: [scratch]
  write: [scratch]
env: { GREETING: hello, LEVEL: 3 }
memory_mb: 128
`;
  assert.deepEqual(parseProcessManifest(text, { flavorMemoryMb: 128 }), {
    permissions: {
      net: [{ host: "api.example.com", port: 443 }, { host: "10.0.0.5", port: 5432 }, {
        host: "2001:db8::1",
        port: 80,
      }],
      env: ["TZ"],
      readScratch: true,
      writeScratch: true,
    },
    env: { GREETING: "hello", LEVEL: "3" },
    memoryMb: 128,
  });
});

Deno.test("an empty manifest asks for nothing", () => {
  for (const text of ["", "  \n", "{}", "# a comment\n", "permissions: {}"]) {
    const manifest = parseProcessManifest(text);
    assert.deepEqual(manifest.permissions, { net: [], env: [], readScratch: false, writeScratch: false });
  }
});

Deno.test("permissions that no app may have are refused, all in one answer", () => {
  const found = faults(
    "permissions: { run: [sh], ffi: true, sys: [hostname], import: [x.com], net: true, write: [/etc], read: ['*'], hrtime: 1 }\nuser: root",
  );
  assert.deepEqual(Object.keys(found).sort(), [
    "deployment_manifest.permissions.ffi",
    "deployment_manifest.permissions.hrtime",
    "deployment_manifest.permissions.import",
    "deployment_manifest.permissions.net",
    "deployment_manifest.permissions.read[0]",
    "deployment_manifest.permissions.run",
    "deployment_manifest.permissions.sys",
    "deployment_manifest.permissions.write[0]",
    "deployment_manifest.user",
  ]);
  assert.match(found["deployment_manifest.permissions.run"]!, /may not run programs/);
});

Deno.test("network targets on the site's own machine or link are refused in any notation", () => {
  for (
    const target of [
      "localhost:80",
      "app.localhost:80",
      "LOCALHOST.:80",
      "127.0.0.1:80",
      "127.9.9.9:80",
      "[::1]:80",
      "[::]:80",
      "[::ffff:127.0.0.1]:80",
      "[::ffff:7f00:1]:80",
      "[::127.0.0.1]:80",
      "[fe80::1]:80",
      "[FEBF::1]:80",
      "[ff02::1]:80",
      "169.254.169.254:80",
      "0.0.0.0:80",
      "224.0.0.1:80",
      "2130706433:80",
      "0x7f000001:80",
      "127.1:80",
      "0177.0.0.1:80",
      "*:80",
      "*.example.com:443",
      "example.com",
      "example.com:0",
      "example.com:65536",
      ":80",
      "a b.com:80",
      "exa[mple.com:80",
      "-x.com:80",
      "[1.2.3.4]:80",
      "::1:80",
    ]
  ) assert.ok("rule" in parseNetTarget(target), `${target} must be refused`);
  for (
    const target of ["example.com:443", "10.1.2.3:80", "192.168.0.9:1", "[2001:db8::5]:443", "a-b.c_d.example:8080"]
  ) {
    assert.ok("host" in parseNetTarget(target), `${target} must be accepted`);
  }
});

Deno.test("variables of the platform and values of a wrong form are refused without showing the value", () => {
  const { issues } = readProcessManifest(
    "env: { PORT: 1, DENO_DIR: x, NODE_OPTIONS: x, LD_PRELOAD: x, '1A': x, TOKEN: [s3cret] }",
  );
  assert.equal(issues.length, 6);
  assert.ok(!JSON.stringify(issues).includes("s3cret"));
});

Deno.test("memory_mb is a whole number within the flavor", () => {
  for (const value of ["0", "15", "1.5", "-5", "abc", "129", "true"]) {
    assert.throws(() => parseProcessManifest(`memory_mb: ${value}`, { flavorMemoryMb: 128 }), ManifestError, value);
  }
  assert.equal(parseProcessManifest("memory_mb: 64", { flavorMemoryMb: 128 }).memoryMb, 64);
});

Deno.test("broken YAML, aliases, duplicate keys and huge texts are one clear fault each", () => {
  assert.match(faults("permissions: [")["deployment_manifest"]!, /not valid YAML/);
  assert.match(faults("memory_mb: 16\nmemory_mb: 32")["deployment_manifest"]!, /not valid YAML/);
  assert.match(faults("a: &x [1]\nb: *x")["deployment_manifest"]!, /aliases/);
  assert.match(faults("x".repeat(70_000))["deployment_manifest"]!, /characters/);
  assert.match(faults("- 1")["deployment_manifest"]!, /must be a mapping/);
});

Deno.test("property: any YAML value either is a manifest or names faults, and never throws otherwise", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      fc.constantFrom("scratch", "example.com:1", "*", true, null, 64, "TZ"),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom("permissions", "net", "env", "read", "write", "run", "memory_mb", "X"),
        tie("any"),
        { maxKeys: 4 },
      ),
    ),
  })).any;
  fc.assert(fc.property(value, (input) => {
    const { manifest, issues } = readProcessManifest(stringify(input));
    for (const target of manifest.permissions.net) assert.ok(target.port >= 1 && !target.host.includes("*"));
    const text = JSON.stringify(input);
    if (text.includes('"run"') && text.startsWith('{"permissions":{"run"')) assert.ok(issues.length > 0);
  }));
});

Deno.test("property: every mapped form of a forbidden IPv4 address is forbidden too", () => {
  fc.assert(fc.property(fc.ipV4(), (address) => {
    assert.equal(isForbiddenAddress(`::ffff:${address}`), isForbiddenAddress(address));
  }));
});

Deno.test("parseModuleSource takes absolute paths, file URLs and https URLs with a checksum", () => {
  const sum = "AB".repeat(32);
  assert.deepEqual(parseModuleSource("/srv/app.ts"), { kind: "file", path: "/srv/app.ts", sha256: undefined });
  assert.deepEqual(parseModuleSource(`file:///srv/a%20b.mjs#sha256:${sum}`), {
    kind: "file",
    path: "/srv/a b.mjs",
    sha256: sum.toLowerCase(),
  });
  assert.deepEqual(parseModuleSource("https://cdn.example.com/app.js"), {
    kind: "https",
    url: "https://cdn.example.com/app.js",
    sha256: undefined,
  });
});

Deno.test("parseModuleSource refuses everything else", () => {
  for (
    const bad of [
      "",
      "app.ts",
      "./app.ts",
      "http://example.com/app.js",
      "https://localhost/app.js",
      "https://127.0.0.1/app.js",
      "https://0x7f.1/app.js",
      "https://[::1]/app.js",
      "https://[::ffff:127.0.0.1]/app.js",
      "https://user:pw@example.com/app.js",
      "https://example.com/app.wasm",
      "file://host/app.js",
      "/etc/passwd",
      "/a.ts#md5:00",
      "/a.ts#sha256:00",
      "npm:left-pad",
      "data:text/javascript,1",
    ]
  ) assert.throws(() => parseModuleSource(bad), ManifestError, bad);
});
