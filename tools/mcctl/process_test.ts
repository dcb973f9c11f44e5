import "reflect-metadata";
import assert from "node:assert/strict";
import * as x509 from "@peculiar/x509";

const ROOT = new URL("../../", import.meta.url);
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 3600 * 1000;

/** An authority, and a certificate of localhost issued by it. */
async function certificate(): Promise<{ ca: string; cert: string; key: string }> {
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
  const authorityKeys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: "CN=Test authority",
    signingAlgorithm: ALGORITHM,
    keys: authorityKeys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: "CN=localhost",
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }])],
  });
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toBase64();
  return {
    ca: authority.toString("pem"),
    cert: cert.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}

Deno.test("mcctl as a process: its permission set, TLS, a password from a pipe, and the token file", async () => {
  const home = await Deno.makeTempDir();
  const { ca, ...tls } = await certificate();
  await Deno.writeTextFile(`${home}/ca.pem`, ca);
  const tokens: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, ...tls, onListen: () => {} }, async (request) => {
    tokens.push(request.headers.get("authorization"));
    const body = await request.json();
    if (request.url.endsWith("/login")) return Response.json(body.password === "hunter2" ? { token: "abc" } : {});
    return new Response(`{"data":{"key":{"name":"x1"},"ram":1024}}\n`);
  });
  const address = `https://localhost:${server.addr.port}`;
  const mcctl = async (args: string[], stdin = "") => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "-P=mcctl",
        `--allow-write=${home}/.mctoken`,
        "tools/mcctl/main.ts",
        ...args,
      ],
      cwd: ROOT,
      env: { HOME: home, TOKEN: "", NO_COLOR: "1", DENO_DIR: await denoDir() },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    return { code, out: new TextDecoder().decode(stdout), error: new TextDecoder().decode(stderr) };
  };
  try {
    const trusted = ["--addr", address, "--ca", `${home}/ca.pem`];
    const login = await mcctl([...trusted, "login", "name=me"], "hunter2\n");
    assert.deepEqual(login, { code: 0, out: `login successful\ntoken saved to ${home}/.mctoken\n`, error: "" });
    assert.equal(await Deno.readTextFile(`${home}/.mctoken`), "abc");
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(`${home}/.mctoken`)).mode! & 0o777, 0o600);
    const show = ["flavor", "show", "region=eu", "--output", "table"];
    const expected = { code: 0, out: "FLAVOR   RAM\nx1       1024\n", error: "" };
    assert.deepEqual(await mcctl([...trusted, ...show]), expected);
    assert.deepEqual(await mcctl(["--addr", address, "--skipverify", ...show]), expected);
    assert.deepEqual(tokens, [null, "Bearer abc", "Bearer abc"]);

    const untrusted = await mcctl(["--addr", address, ...show]);
    assert.equal(untrusted.code, 1);
    assert.match(untrusted.error, /could not reach .*\nTrust its certificate authority with --ca/);
    const nobody = await mcctl([...trusted, "login", "name=me"]);
    assert.equal(nobody.code, 1);
    assert.match(nobody.error, /a password is needed, and there is nobody to ask/);
    assert.equal(tokens.length, 3);
  } finally {
    await server.shutdown();
    await Deno.remove(home, { recursive: true });
  }
});

/** The cache of this runtime, which would be searched below the other home otherwise. */
async function denoDir(): Promise<string> {
  const info = new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: ROOT, stdout: "piped" });
  return JSON.parse(new TextDecoder().decode((await info.output()).stdout)).denoDir;
}
