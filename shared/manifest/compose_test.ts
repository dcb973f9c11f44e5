import assert from "node:assert/strict";
import fc from "fast-check";
import { parseCompose, readCompose, startOrder } from "./mod.ts";

const FULL = `
version: "3.8"
x-common: &common
  restart: always
  networks: [back]
services:
  web:
    image: registry.example:5000/acme/web:1
    entrypoint: /bin/web --title "two words"
    command: ["serve", "--price=$$5"]
    environment: { MODE: fast, LEVEL: 3, DEBUG: true, EMPTY: "" }
    ports: ["80", "8443:443/tcp", "5000-5001:6000-6001/udp", { target: 9, published: "90" }]
    expose: ["7000"]
    volumes: ["data:/var/data:ro", { type: volume, source: logs, target: /logs, read_only: true }]
    depends_on: { store: { condition: service_started }, init: null }
    networks: { front: null, back: { aliases: [web.internal] } }
  store:
    <<: *common
    image: postgres
    environment: [PASSWORD=a=b, "NAME="]
    volumes: [data:/var/data]
    depends_on: [init]
  init:
    image: postgres
    restart: "no"
  retry:
    image: postgres
    restart: on-failure:3
volumes: { data: {}, logs: null, unused: }
networks: { front: {}, back: }
`;

Deno.test("a compose file is read as the specification of compose has it", () => {
  const { services, volumes, networks } = parseCompose(FULL);
  assert.deepEqual(services.map(({ name }) => name), ["web", "store", "init", "retry"]);
  const [web, store, init, retry] = services;
  assert.deepEqual(web, {
    name: "web",
    image: "registry.example:5000/acme/web:1",
    entrypoint: ["/bin/web", "--title", "two words"],
    command: ["serve", "--price=$5"],
    environment: { MODE: "fast", LEVEL: "3", DEBUG: "true", EMPTY: "" },
    ports: [
      { protocol: "tcp", published: 80, target: 80 },
      { protocol: "tcp", published: 8443, target: 443 },
      { protocol: "udp", published: 5000, target: 6000 },
      { protocol: "udp", published: 5001, target: 6001 },
      { protocol: "tcp", published: 90, target: 9 },
    ],
    volumes: [
      { volume: "data", target: "/var/data", readOnly: true },
      { volume: "logs", target: "/logs", readOnly: true },
    ],
    dependsOn: ["store", "init"],
    restart: { when: "always" },
    networks: [{ name: "front", aliases: [] }, { name: "back", aliases: ["web.internal"] }],
  });
  assert.deepEqual(store!.environment, { PASSWORD: "a=b", NAME: "" });
  assert.deepEqual([store!.restart, store!.networks], [{ when: "always" }, [{ name: "back", aliases: [] }]]);
  assert.deepEqual([init!.entrypoint, init!.command, init!.restart], [undefined, undefined, { when: "never" }]);
  assert.deepEqual([retry!.restart, retry!.networks], [{ when: "on-failure", times: 3 }, [
    { name: "default", aliases: [] },
  ]]);
  assert.deepEqual(volumes, ["data", "logs", "unused"]);
  assert.deepEqual(networks, ["default", "front", "back"]);
  assert.deepEqual(startOrder(services)!.map(({ name }) => name), ["init", "store", "web", "retry"]);
});

/** Faults of a file whose one service has these further lines. */
function faults(lines: string, top = ""): string[] {
  const text = `services:\n  a:\n    image: b\n${lines.split("\n").map((line) => `    ${line}`).join("\n")}\n${top}`;
  return readCompose(text).issues.map(({ path, value, rule }) =>
    `${path.replace("deployment_manifest.", "")} "${value}" ${rule}`
  );
}

Deno.test("what is not supported is refused by name, with the field and the rule", () => {
  const rows: [lines: string, fault: RegExp][] = [
    ["build: .", /^services\.a\.build "" is not supported: images are built elsewhere/],
    ["privileged: true", /services\.a\.privileged .*no privileges/],
    ["cap_add: [ALL]", /services\.a\.cap_add "" is not supported: use image, command/],
    ["network_mode: host", /services\.a\.network_mode/],
    ["pid: host", /services\.a\.pid/],
    ["devices: [/dev/sda]", /services\.a\.devices/],
    ["labels: {archipelago.id: x}", /services\.a\.labels/],
    ["env_file: .env", /services\.a\.env_file .*use environment/],
    ["deploy: {replicas: 2}", /services\.a\.deploy .*flavor/],
    ["volumes: ['/etc:/etc']", /volumes\[0\] "\/etc:\/etc" must name a volume: paths of the site/],
    ["volumes: ['./x:/x']", /must name a volume/],
    ["volumes: ['~/x:/x']", /must name a volume/],
    ["volumes: [{type: bind, source: /etc, target: /etc}]", /volumes\[0\]\.type "bind" must be volume/],
    ["volumes: [{type: tmpfs, target: /x}]", /must be volume/],
    ["volumes: ['/data']", /must be VOLUME:PATH/],
    ["volumes: ['v:/x:z']", /with :ro/],
    ["volumes: ['v:/x']", /services\.a\.volumes "v" is not declared/],
    ["volumes: ['../v:/x']", /must name a volume/],
    ["ports: ['127.0.0.1:80:80']", /ports\[0\] .*the site decides on which addresses/],
    ["ports: ['0']", /port from 1 to 65535/],
    ["ports: ['80-90:80']", /as many published ones/],
    ["ports: ['80/sctp']", /must be tcp or udp/],
    ["ports: [{target: 80, mode: host}]", /ports\[0\]\.mode/],
    ["ports: ['80:1', '80:2']", /services\.a\.ports "tcp:80" is published by service a already/],
    ["environment: [HOME]", /environment\[0\] "HOME" needs a value/],
    ["environment: {HOME: null}", /needs a value/],
    ["environment: {A B: c}", /is not the name of a variable/],
    ["environment: {ARCHIPELAGO_APP: c}", /belongs to the platform/],
    ['environment: {PASSWORD: "${SECRET}x"}', /environment\.PASSWORD "" holds a variable/],
    ["command: run $HOME", /services\.a\.command .* holds a variable/],
    ["command: 'run \"x'", /a quote is not closed/],
    ["restart: sometimes", /restart "sometimes" must be always/],
    ["depends_on: [z]", /depends_on "z" is no service/],
    ["depends_on: [a]", /circle/],
    ["depends_on: {a: {condition: service_healthy}}", /must be service_started/],
    ["networks: [front]", /networks "front" is not declared/],
    ["networks: {default: {ipv4_address: 10.0.0.2}}", /networks\.default\.ipv4_address/],
  ];
  for (const [lines, fault] of rows) {
    const found = faults(lines);
    assert.ok(found.some((text) => fault.test(text)), `${lines}: ${found.join("; ")}`);
  }
  assert.match(faults("", "secrets: {a: {}}")[0]!, /^secrets "" is not supported/);
  assert.match(faults("", "volumes: {v: {driver: nfs}}")[0]!, /^volumes\.v\.driver .*without options/);
  assert.match(faults("", "networks: {n: {external: true}}")[0]!, /^networks\.n\.external/);
  // All faults are told together.
  assert.equal(faults("build: .\nprivileged: true\nports: [x]").length, 3);
});

Deno.test("files that are none are refused, whatever they hold", () => {
  for (
    const [text, rule] of [
      ["", /must be a mapping/],
      ["x", /must be a mapping/],
      ["services: {}", /at least one service/],
      ["version: '3'", /at least one service/],
      ["services: [a]", /must be a mapping/],
      ["services: {a: }", /must be a mapping/],
      ["services: {a: {}}", /must be a text/],
      ["services: {a b: {image: c}}", /must be a name/],
      ["services: {a: {image: c", /not valid YAML/],
      [`services: {${Array.from({ length: 21 }, (_, i) => `a${i}: {image: c}`).join(",")}}`, /more than 20 services/],
      [`a: &a [x]\nb: [${Array(200).fill("*a").join(",")}]`, /aliases/],
    ] as const
  ) {
    const { app, issues } = readCompose(text);
    assert.ok(issues.some((issue) => rule.test(issue.rule)), `${text}: ${JSON.stringify(issues)}`);
    assert.throws(() => parseCompose(text));
    assert.ok(Array.isArray(app.services));
  }
  fc.assert(fc.property(fc.json(), (text) => {
    readCompose(text);
    readCompose(`services:\n  a: ${text}`);
    readCompose(`services:\n  a:\n    image: b\n    ports: ${text}\n    volumes: ${text}\n    networks: ${text}`);
    readCompose(
      `services:\n  a:\n    image: b\n    environment: ${text}\n    depends_on: ${text}\n    command: ${text}`,
    );
  }));
});
