import assert from "node:assert/strict";
import { run } from "./run.ts";
import { fakeIo } from "./testing/fake_io.ts";

const ADDRESS = ["--addr", "https://mc.example"];
const BERLIN = { key: { organization: "northtel", name: "berlin" }, state: "Ready", num_dynamic_ips: 4 };
const COLOGNE = { key: { organization: "westtel", name: "cologne" }, state: "Creating", errors: ["a\u001b[31mred"] };
const SHOW = `${JSON.stringify({ data: BERLIN })}\n${JSON.stringify({ data: COLOGNE })}\n`;
const TOKEN = { TOKEN: "t0k3n" };

function line(text: string): string[] {
  return text.split(" ");
}

Deno.test("region commands send the wrapped object with the token", async () => {
  const io = fakeIo({ environment: TOKEN, reply: { body: `{"message":"ok"}` } });
  const words = line("flavor create region=eu name=x1 ram=1024 vcpus=1 disk=2");
  assert.equal(await run([...ADDRESS, ...words], io), 0);
  assert.deepEqual(io.posted, [{
    url: "https://mc.example/api/v1/auth/ctrl/CreateFlavor",
    body: { region: "eu", flavor: { key: { name: "x1" }, ram: 1024, vcpus: 1, disk: 2 } },
    token: "t0k3n",
  }]);
  assert.equal(io.output(), "ok\n");
});

Deno.test("texts of apps come from files, in lists of structures, maps and by themselves", async () => {
  const files = { "m.yaml": "kind: Service\n", "env.yaml": '"quoted"' };
  const io = fakeIo({ environment: TOKEN, reply: { body: `{"message":"ok"}` }, files });
  const words = line(
    "app create region=eu apporg=acme appname=a appvers=1 deploymentmanifest=@m.yaml configs:0.kind=envVarsYaml " +
      "configs:0.config=@env.yaml configs:1.config=@@x annotations='@@' serverlessconfig.vcpus=0.5 " +
      "requiredoutboundconnections:0.protocol=tcp requiredoutboundconnections:0.portrangemin=443 " +
      "autoprovpolicies=p1 autoprovpolicies=p2 trusted=true qossessionduration=1h",
  );
  assert.equal(await run([...ADDRESS, ...words], io), 0, io.errors());
  assert.deepEqual(io.posted[0]!.body, {
    region: "eu",
    app: {
      key: { organization: "acme", name: "a", version: "1" },
      deployment_manifest: "kind: Service\n",
      configs: [{ kind: "envVarsYaml", config: '"quoted"' }, { config: "@x" }],
      annotations: "@",
      serverless_config: { vcpus: 0.5 },
      required_outbound_connections: [{ protocol: "tcp", port_range_min: 443 }],
      auto_prov_policies: ["p1", "p2"],
      trusted: true,
      qos_session_duration: "1h",
    },
  });
  const env = line("cloudlet update region=eu cloudletorg=o cloudlet=c envvar=A=@m.yaml envvar=B=@@b");
  assert.equal(await run([...ADDRESS, ...env], io), 0, io.errors());
  const { cloudlet } = io.posted[1]!.body as { cloudlet: { env_var: unknown } };
  assert.deepEqual(cloudlet.env_var, { A: "kind: Service\n", B: "@b" });
  const absent = fakeIo({ environment: TOKEN });
  const update = line("app update region=eu apporg=acme appname=a appvers=1 deploymentmanifest=@none.yaml");
  assert.equal(await run([...ADDRESS, ...update], absent), 1);
  assert.match(absent.errors(), /arg deploymentmanifest: there is no file none\.yaml; .* with @@/);
  assert.deepEqual(absent.posted, []);
});

Deno.test("shows print YAML when piped, a table on a terminal, JSON when wanted", async () => {
  const output = async (isTerminal: boolean, ...flags: string[]) => {
    const io = fakeIo({ isTerminal, reply: { body: SHOW } });
    assert.equal(await run([...ADDRESS, ...line("cloudlet show region=eu"), ...flags], io), 0);
    return io.output();
  };
  assert.ok((await output(false)).startsWith("- key:\n    organization: northtel\n    name: berlin\n"));
  assert.deepEqual((await output(true)).split("\n").map((row) => row.split(/\s{2,}/)), [
    ["CLOUDLETORG", "CLOUDLET", "STATE", "NUMDYNAMICIPS", "ERRORS"],
    ["northtel", "berlin", "Ready", "4"],
    ["westtel", "cologne", "Creating", "a [31mred"],
    [""],
  ]);
  assert.deepEqual(JSON.parse(await output(true, "--output", "json")), [BERLIN, COLOGNE]);
  assert.deepEqual(
    (await output(true, "--output-format=json-compact")).trim().split("\n").map((row) => JSON.parse(row)),
    [
      BERLIN,
      COLOGNE,
    ],
  );
  const gathered = await output(true, "--output=json-compact", "--output-stream", "false");
  assert.deepEqual(JSON.parse(gathered), [BERLIN, COLOGNE]);
});

Deno.test("an empty list prints nothing, or an empty JSON list", async () => {
  const io = fakeIo();
  assert.equal(await run([...ADDRESS, ...line("cloudlet show region=eu")], io), 0);
  assert.equal(io.output(), "");
  assert.equal(await run([...ADDRESS, ...line("cloudlet show region=eu --output json")], io), 0);
  assert.equal(io.output(), "[]\n");
});

Deno.test("progress is printed as it arrives, and a failure after it exits with 1", async () => {
  const seen: string[] = [];
  const io = fakeIo({
    reply: {
      body: [
        `{"data":{"message":"Creating"}}\n{"da`,
        `ta":{"message":"Waiting"}}\n`,
        `{"result":{"message":"Timed out","code":400}}\n`,
      ],
    },
  });
  const out = io.out.bind(io);
  io.out = (text) => {
    seen.push(text);
    out(text);
  };
  const words = line("appinst create region=eu apporg=a appname=b appvers=c cloudletorg=d cloudlet=e");
  assert.equal(await run([...ADDRESS, ...words], io), 1);
  assert.deepEqual(seen, ["Creating\n", "Waiting\n"]);
  assert.equal(io.errors(), "Error: Bad Request (400), Timed out\n");
});

Deno.test("login asks for the password, saves the token and never prints a secret", async () => {
  const io = fakeIo({ secrets: ["hunter2"], reply: { body: `{"token":"abc.def"}` } });
  assert.equal(await run([...ADDRESS, "--debug", "login", "name=me"], io), 0);
  assert.deepEqual(io.posted[0], {
    url: "https://mc.example/api/v1/login",
    body: { username: "me", password: "hunter2" },
  });
  assert.equal(io.files.get("/home/me/.mctoken"), "abc.def");
  assert.equal(io.output(), "login successful\ntoken saved to /home/me/.mctoken\n");
  assert.doesNotMatch(io.errors() + io.output(), /hunter2|abc\.def/);
  assert.match(io.errors(), /"password":"\*\*\*"/);
});

Deno.test("--debug prints a curl command without the token", async () => {
  const io = fakeIo({ environment: TOKEN, files: { "ca.pem": "PEM" } });
  const words = [...line("cloudlet show region=eu --debug --ca ca.pem"), "physicalname=it's"];
  assert.equal(await run([...ADDRESS, ...words], io), 0);
  const body = `'{"region":"eu","cloudlet":{"physical_name":"it'\\''s"}}'`;
  assert.equal(
    io.errors(),
    `curl -X POST -H "Content-Type: application/json" -H "Authorization: Bearer \${TOKEN}" --cacert ca.pem ` +
      `-d ${body} https://mc.example/api/v1/auth/ctrl/ShowCloudlet\n`,
  );
});

Deno.test("user create asks for the password twice", async () => {
  const words = [...ADDRESS, ...line("user create name=me email=me@example.com")];
  const good = fakeIo({ secrets: ["hunter2", "hunter2"], reply: { body: `{"Message":"User created"}` } });
  assert.equal(await run(words, good), 0);
  assert.deepEqual(good.posted[0]!.body, {
    Name: "me",
    Email: "me@example.com",
    Passhash: "hunter2",
    verify: { email: "me@example.com" },
  });
  assert.equal(good.output(), "User created\n");
  const bad = fakeIo({ secrets: ["hunter2", "hunter3"] });
  assert.equal(await run(words, bad), 1);
  assert.deepEqual([bad.posted, bad.errors()], [[], "Error: the two entries differ\n"]);
});

Deno.test("user newpass asks for the current and the new password", async () => {
  const io = fakeIo({
    environment: TOKEN,
    secrets: ["old", "new", "new"],
    reply: { body: `{"message":"password updated"}` },
  });
  assert.equal(await run([...ADDRESS, ...line("user newpass")], io), 0);
  assert.deepEqual(io.posted[0]!.body, { currentpassword: "old", password: "new" });
});

Deno.test("the platform's file gives address, CA and, when it is the only one, the region", async () => {
  const up = (regions: object) =>
    JSON.stringify({ version: 1, ca: "ca.pem", masterController: { rest: "https://localhost:9900/" }, regions });
  const io = fakeIo({ files: { "data/up.json": up({ local: {} }), "data/ca.pem": "PEM" } });
  assert.equal(await run(line("flavor show"), io), 0);
  assert.deepEqual(io.posted[0], {
    url: "https://localhost:9900/api/v1/auth/ctrl/ShowFlavor",
    body: { region: "local", flavor: {} },
    ca: "PEM",
  });
  io.files.set("data/up.json", up({ eu: {}, us: {} }));
  assert.equal(await run(line("flavor show"), io), 1);
  assert.match(io.errors(), /missing required args: region/);
  assert.equal(await run(line("flavor show --up elsewhere/up.json"), io), 1);
  assert.match(io.errors(), /there is no file elsewhere\/up\.json/);
  io.files.set("data/up.json", `{"version":2}`);
  assert.equal(await run(line("flavor show region=eu"), io), 1);
  assert.match(io.errors(), /data\/up\.json is not of version 1/);
});

Deno.test("the file of another platform is not used for an address that was given", async () => {
  const up = { version: 1, ca: "ca.pem", masterController: { rest: "https://localhost:9900" }, regions: { local: {} } };
  const io = fakeIo({ files: { "data/up.json": JSON.stringify(up), "data/ca.pem": "PEM" } });
  assert.equal(await run([...ADDRESS, ...line("flavor show")], io), 1);
  assert.equal(await run(line("flavor show --addr https://localhost:9900"), io), 0);
  assert.equal(io.posted[0]!.ca, "PEM");
});

Deno.test("--data and --datafile take the request as JSON or YAML", async () => {
  const io = fakeIo({ files: { "a.yaml": "region: eu\nflavor:\n  key: {name: x1}\n  ram: 5\n" } });
  assert.equal(await run([...ADDRESS, ...line("flavor show --datafile a.yaml")], io), 0);
  assert.deepEqual(io.posted[0]!.body, { region: "eu", flavor: { key: { name: "x1" }, ram: 5 } });
  assert.equal(await run([...ADDRESS, "flavor", "show", "region=us", "--data", `{"flavor":{"ram":5}}`], io), 0);
  assert.deepEqual(io.posted[1]!.body, { region: "us", flavor: { ram: 5 } });
  for (const flags of [["--data", "{"], ["--data", "[]"], ["--datafile", "missing"], ["--data", "{}", "ram=5"]]) {
    assert.equal(await run([...ADDRESS, "flavor", "show", "region=us", ...flags], io), 1, flags.join(" "));
  }
  assert.equal(io.posted.length, 2);
});

const FAILURES: [number, string, RegExp][] = [
  [400, "No bearer token found", /Error: Bad Request \(400\), No bearer token found\nLog in first: mcctl login/],
  [400, "Token is expired by 3m", /Log in first/],
  [401, "Invalid or expired jwt", /Error: Unauthorized \(401\), Invalid or expired jwt\nLog in first/],
  [400, `Region "us" not found`, /mcctl controller show/],
  [403, "Forbidden", /Error: Forbidden \(403\), Forbidden\nYour roles: mcctl role assignment/],
  [511, "Missing OTP", /totp=<code>/],
  [429, "rejected", /Try again/],
  [400, `App key {"name":"x"} already exists`, /These exist: mcctl app show/],
  [400, `Flavor key {"name":"x"} not found`, /These exist: mcctl flavor show/],
];

for (const [status, message, expected] of FAILURES) {
  Deno.test(`failures name the next step: ${message}`, async () => {
    const io = fakeIo({ reply: { status, body: JSON.stringify({ message }) } });
    assert.equal(await run([...ADDRESS, ...line("app show region=us")], io), 1);
    assert.match(io.errors(), expected);
    assert.equal(io.output(), "");
  });
}

Deno.test("failures of the network and of broken replies are one clear error", async () => {
  const errors = async (reply: Parameters<typeof fakeIo>[0]) => {
    const io = fakeIo(reply);
    assert.equal(await run([...ADDRESS, ...line("app show region=us")], io), 1);
    return io.errors();
  };
  assert.match(
    await errors({ reply: { failure: "Connection refused" } }),
    /could not reach https:\/\/mc\.example.*\nIs the platform running\?/,
  );
  assert.match(
    await errors({ reply: { failure: "invalid peer certificate: UnknownIssuer" } }),
    /\nTrust its certificate authority/,
  );
  assert.match(await errors({ reply: { body: `{"data":` } }), /the reply broke off/);
  assert.match(await errors({ reply: { status: 502, body: "<html>" } }), /Error: .* \(502\), no further reason/);
});

const USAGE: [string, RegExp][] = [
  ["", /no command given/],
  ["ap show", /unknown command "ap"; did you mean "app"\?/],
  ["app shwo", /unknown command "app shwo"; did you mean "show"\?/],
  ["app region=x", /app needs a verb/],
  ["app show --outptu json", /unknown flag --outptu; did you mean "--output"\?/],
  ["app show --output xml", /--output must be one of table, json, json-compact, yaml, got "xml"/],
  ["app show --output", /--output needs a value/],
  ["app show --debug=1", /--debug takes no value/],
  ["app show --addr ftp://x", /--addr must be an http or https URL/],
  ["flavor create", /missing required args: region, name, ram, vcpus, disk/],
  [
    "app create region=eu apporg=a appname=b appvers=c imagetype=tape",
    /arg imagetype must be one of Unknown, Docker, .*"tape"/,
  ],
  ["completion zsh", /completion is for bash, not zsh/],
];

for (const [text, expected] of USAGE) {
  Deno.test(`usage errors send nothing: mcctl ${text}`, async () => {
    const io = fakeIo();
    assert.equal(await run(text === "" ? [] : line(text), io), 1);
    assert.match(io.errors(), expected);
    assert.deepEqual(io.posted, []);
  });
}

Deno.test("help exists at every level", async () => {
  const help = async (text: string) => {
    const io = fakeIo();
    assert.equal(await run(line(text), io), 0, text);
    assert.deepEqual(io.posted, []);
    return io.output();
  };
  assert.match(await help("--help"), /appinst +create, delete, update, refresh, show/);
  assert.match(await help("app --help"), /create +Create an app\./);
  assert.equal(await help("app"), await help("app --help"));
  assert.match(await help("app create -h"), /apporg= +Developer organization that owns the app\./);
  assert.equal(await help("help app create"), await help("app create --help"));
  assert.match(await help("login --help"), /password= +Password; asked for/);
  assert.match(await help("version"), /^mcctl \d+\.\d+\.\d+\n$/);
});

const PIECES = [
  {},
  { data: btoa("first li") },
  { data: btoa("ne\n\u001b[31mred\n") },
  { data: btoa("oh\n"), source: "ExecStderr" },
];
const written = (...last: unknown[]) => [...PIECES, ...last].map((data) => `${JSON.stringify({ data })}\n`).join("");
const INSTANCE = "apporg=acme appname=a appvers=1 cloudletorg=o cloudlet=c";

Deno.test("what an instance writes is printed as it is, and cannot steer a terminal", async () => {
  const reply = { body: written({ ended: true }) };
  const io = fakeIo({ environment: TOKEN, reply });
  assert.equal(await run([...ADDRESS, ...line(`appinst logs region=eu ${INSTANCE} tail=5 --follow`)], io), 0);
  const { url, body } = io.posted[0]!;
  assert.match(url, /StreamLogs$/);
  assert.deepEqual((body as { execrequest: { log: unknown } }).execrequest.log, { tail: 5, follow: true });
  assert.equal(io.output(), "first line\n\u001b[31mred\n");
  assert.equal(io.errors(), "oh\n");
  const terminal = fakeIo({ environment: TOKEN, reply, isTerminal: true });
  assert.equal(await run([...ADDRESS, ...line(`appinst logs region=eu ${INSTANCE}`)], terminal), 0);
  assert.equal(terminal.output(), "first line\n[31mred\n");
});

Deno.test("a command's exit code is that of mcctl; output that breaks off is a failure", async () => {
  const words = ["appinst", "run", "region=eu", ...line(INSTANCE), "command=ls 'a b'"];
  const failed = fakeIo({ environment: TOKEN, reply: { body: written({ ended: true, exit_code: 3 }) } });
  assert.equal(await run([...ADDRESS, ...words], failed), 3);
  const { execrequest } = failed.posted[0]!.body as { execrequest: { cmd: unknown } };
  assert.deepEqual(execrequest.cmd, { command: "ls 'a b'" });
  const broken = fakeIo({ environment: TOKEN, reply: { body: written() } });
  assert.equal(await run([...ADDRESS, ...words], broken), 1);
  assert.match(broken.errors(), /the output broke off/);
  const other = fakeIo({ environment: TOKEN });
  assert.equal(await run([...ADDRESS, ...line("flavor show region=eu --follow")], other), 1);
  assert.match(other.errors(), /--follow is for commands/);
});
