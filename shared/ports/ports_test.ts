import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatPortList,
  parsePortList,
  portCount,
  PortListError,
  type PortRange,
  portsOverlap,
  readPortList,
  skippedHealthCheckPorts,
} from "./mod.ts";

function rules(text: string, deployment?: string): string[] {
  return readPortList(text, { deployment }).issues.map((issue) => `${issue.path}: ${issue.rule}`);
}

Deno.test("parsePortList reads protocols in any case, ranges, leading zeros and annotations", () => {
  assert.deepEqual(parsePortList("TCP:0443:tls,udp:5000-5010:nginx:maxpktsize=1500,tcp:7-7"), [
    { protocol: "tcp", port: 443, endPort: 0, tls: true, nginx: false, maxPacketBytes: 0 },
    { protocol: "udp", port: 5000, endPort: 5010, tls: false, nginx: true, maxPacketBytes: 1500 },
    { protocol: "tcp", port: 7, endPort: 0, tls: false, nginx: false, maxPacketBytes: 0 },
  ]);
  assert.deepEqual(parsePortList(""), []);
});

Deno.test("readPortList reports every fault of a list at once with its place", () => {
  const found = rules("http:80,tcp:0,udp:9-3,tcp:80:nginx,udp:81:tls,tcp:90:,udp:6:maxpktsize=1499,udp:7:a=b=c,tcp");
  assert.equal(found.length, 9);
  for (
    const [index, part] of [
      "unknown protocol",
      "from 1 to 65535",
      "before its start",
      "udp only",
      "tcp only",
      "must not be empty",
      "from 1500 to 50000",
      'more than one "="',
      "protocol:port",
    ].entries()
  ) {
    assert.ok(found[index]!.startsWith(`access_ports[${index}]`), found[index]!);
    assert.ok(found[index]!.includes(part), `${found[index]} should say ${part}`);
  }
});

Deno.test("parsePortList refuses numbers outside 1..65535, signs, spaces and unknown annotations", () => {
  for (
    const bad of ["tcp:65536", "tcp:-1", "tcp: 80", "tcp:80 ", "tcp:1e3", "tcp:80:gzip", "tcp:1-2-3", "tcp:tls", ","]
  ) {
    assert.throws(() => parsePortList(bad), PortListError, bad);
  }
});

Deno.test("readPortList refuses ports that the platform uses, also inside a range", () => {
  assert.match(rules("tcp:20-25")[0]!, /tcp:22 is reserved for platform SSH/);
  assert.match(rules("tcp:53,udp:53").join(), /reserved for DNS.*reserved for DNS/);
  assert.match(rules("tcp:20800")[0]!, /join server/);
  assert.deepEqual(rules("udp:22"), []);
});

Deno.test("readPortList counts ports: 1000 tcp and 10000 udp are the most", () => {
  assert.deepEqual(rules("tcp:1000-1999"), []);
  assert.match(rules("tcp:1000-2000")[0]!, /holds 1001 tcp ports/);
  assert.deepEqual(rules("udp:10000-19999"), []);
  assert.match(rules("udp:10000-19999,udp:9999")[0]!, /holds 10001 udp ports/);
});

Deno.test("more than 1000 udp ports switch every udp entry to nginx", () => {
  const ports = parsePortList("udp:5000-5999,udp:7000,tcp:80");
  assert.deepEqual(ports.map((port) => port.nginx), [true, true, false]);
  assert.deepEqual(parsePortList("udp:5000-5999").map((port) => port.nginx), [false]);
});

Deno.test("a udp range wider than 1000 ports is refused for kubernetes only", () => {
  assert.deepEqual(rules("udp:5000-6000", "docker"), []);
  assert.match(rules("udp:5000-6000", "kubernetes")[0]!, /at most 1000 ports/);
});

Deno.test("overlapping entries of one protocol are refused, across protocols allowed", () => {
  assert.match(rules("tcp:80-90,tcp:85")[0]!, /access_ports\[1\]: overlaps with "tcp:80-90"/);
  assert.match(rules("tcp:100,tcp:80-200,tcp:150")[0]!, /overlaps/);
  assert.deepEqual(rules("tcp:80,udp:80"), []);
});

Deno.test("a list of absurd length is refused without being parsed", () => {
  assert.match(rules("tcp:1,".repeat(100_000))[0]!, /characters/);
});

Deno.test("skippedHealthCheckPorts takes all, or tcp ports inside the access ports", () => {
  const access = parsePortList("tcp:80-90,udp:80");
  assert.equal(skippedHealthCheckPorts("all", access), "all");
  assert.deepEqual((skippedHealthCheckPorts("tcp:82-84", access) as PortRange[]).map((range) => range.port), [82]);
  assert.throws(() => skippedHealthCheckPorts("tcp:89-91", access), /tcp:91.*not among/);
  assert.throws(() => skippedHealthCheckPorts("udp:80", access), /only tcp/);
});

const anyRange: fc.Arbitrary<PortRange> = fc.record({
  protocol: fc.constantFrom("tcp" as const, "udp" as const),
  port: fc.integer({ min: 100, max: 20_000 }),
  width: fc.integer({ min: 0, max: 30 }),
  flag: fc.boolean(),
  packet: fc.option(fc.integer({ min: 1500, max: 50_000 }), { nil: 0 }),
}).map(({ protocol, port, width, flag, packet }) => ({
  protocol,
  port,
  endPort: width === 0 ? 0 : port + width,
  tls: protocol === "tcp" && flag,
  nginx: protocol === "udp" && flag,
  maxPacketBytes: protocol === "udp" ? packet : 0,
}));

Deno.test("property: formatting valid entries and reading them gives the same entries", () => {
  fc.assert(fc.property(fc.array(anyRange, { maxLength: 20 }), (ranges) => {
    const kept: PortRange[] = [];
    for (const range of ranges) {
      const reserved = range.protocol === "tcp" && range.port <= 20_800 && range.port + 30 >= 20_800;
      if (!reserved && !kept.some((other) => portsOverlap(other, range))) kept.push(range);
    }
    assert.deepEqual(parsePortList(formatPortList(kept)), kept);
  }));
});

Deno.test("property: overlap faults are found exactly when some pair overlaps", () => {
  fc.assert(fc.property(fc.array(anyRange, { maxLength: 12 }), (ranges) => {
    const pair = ranges.some((a, i) => ranges.slice(i + 1).some((b) => portsOverlap(a, b)));
    const found = readPortList(formatPortList(ranges)).issues.some((issue) => issue.rule.startsWith("overlaps"));
    assert.equal(found, pair);
  }));
});

Deno.test("property: any text either parses into ports within bounds or names at least one fault", () => {
  const piece = fc.constantFrom(
    "tcp",
    "udp",
    "http",
    ":",
    "-",
    ",",
    "=",
    "tls",
    "nginx",
    "maxpktsize",
    "1",
    "80",
    "70000",
    " ",
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 14 }).map((parts) => parts.join("")), (text) => {
    const { ports, issues } = readPortList(text);
    if (text !== "" && ports.length === 0) assert.ok(issues.length > 0, text);
    for (const range of ports) {
      assert.ok(range.port >= 1 && range.port <= 65_535 && portCount(range) >= 1);
    }
    if (issues.length === 0) assert.deepEqual(parsePortList(formatPortList(ports)), ports);
  }));
});
