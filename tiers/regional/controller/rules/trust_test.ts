import assert from "node:assert/strict";
import fc from "fast-check";
import { SecurityRule } from "../../../../shared/schema/mod.ts";
import { cidrContains, parseCidr } from "./cidr.ts";
import { Issues } from "./issues.ts";
import { checkSecurityRules, defaultSecurityRules } from "./security_rules.ts";
import { distrustOf, ruleAllows } from "./trust.ts";

function rule(protocol: string, portRangeMin: number, portRangeMax: number, remoteCidr: string): SecurityRule {
  return SecurityRule.create({ protocol, portRangeMin, portRangeMax, remoteCidr });
}

function faults(...rules: SecurityRule[]): string[] {
  const issues = new Issues();
  defaultSecurityRules(rules);
  checkSecurityRules(rules, "rules", issues);
  return issues.list.map(({ path }) => path);
}

Deno.test("blocks of addresses", () => {
  assert.deepEqual(parseCidr("10.1.2.3/8"), { version: 4, first: 10n << 24n, last: (11n << 24n) - 1n });
  assert.deepEqual(parseCidr("0.0.0.0/0"), { version: 4, first: 0n, last: (1n << 32n) - 1n });
  assert.equal(parseCidr("::1/128")!.first, 1n);
  assert.equal(parseCidr("::ffff:1.2.3.4/128")!.first, 0xffff01020304n);
  assert.equal(parseCidr("2001:db8::7/32")!.first, 0x20010db8n << 96n);
  assert.equal(parseCidr("1:2:3:4:5:6:7:8/128")!.first, 0x00010002000300040005000600070008n);
  for (
    const wrong of [
      "",
      "10.0.0.0",
      "10.0.0/8",
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/8/8",
      "a/8",
      "::1%eth0/64",
      "1.2.3.4/-1",
    ]
  ) {
    assert.equal(parseCidr(wrong), undefined, wrong);
  }
});

Deno.test("a block contains another exactly when it contains its first and last address", () => {
  const block = fc.tuple(fc.nat(0xffffffff), fc.nat(32)).map(([address, prefix]) => {
    const parts = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
    return `${parts.join(".")}/${prefix}`;
  });
  fc.assert(fc.property(block, block, (a, b) => {
    const [outer, inner] = [parseCidr(a)!, parseCidr(b)!];
    const expected = Number(a.split("/")[1]) <= Number(b.split("/")[1]) &&
      parseCidr(`${b.split("/")[0]}/${a.split("/")[1]}`)!.first === outer.first;
    assert.equal(cidrContains(outer, inner), expected);
  }));
  assert.equal(cidrContains(parseCidr("::/0")!, parseCidr("10.0.0.0/8")!), false);
});

Deno.test("security rules follow specification 3.6", () => {
  const given = rule("tcp", 443, 0, "0.0.0.0/0");
  assert.deepEqual(faults(given, rule("ICMP", 0, 0, "::/0"), rule("udp", 1, 65535, "1.2.3.4/32")), []);
  assert.deepEqual([given.protocol, given.portRangeMax], ["TCP", 443]);
  assert.deepEqual(faults(rule("tcp", 0, 0, "x")), ["rules[0].port_range_min", "rules[0].remote_cidr"]);
  assert.deepEqual(faults(rule("tcp", 7, 6, "1.0.0.0/8")), ["rules[0].port_range_max"]);
  assert.deepEqual(faults(rule("tcp", 7, 65536, "1.0.0.0/8")), ["rules[0].port_range_max"]);
  assert.deepEqual(faults(rule("icmp", 7, 0, "1.0.0.0/8")), ["rules[0].port_range_min"]);
  assert.deepEqual(faults(rule("icmp", 0, 7, "1.0.0.0/8")), ["rules[0].port_range_max"]);
  assert.deepEqual(faults(rule("sctp", 1, 1, "1.0.0.0/8")), ["rules[0].protocol"]);
});

Deno.test("an app may run under a trust policy when one rule contains each of its connections", () => {
  const policy = [
    rule("TCP", 443, 443, "8.100.0.0/16"),
    rule("TCP", 201, 210, "10.1.0.0/16"),
    rule("ICMP", 0, 0, "0.0.0.0/0"),
  ];
  const trusted = (...requiredOutboundConnections: SecurityRule[]) =>
    distrustOf({ trusted: true, requiredOutboundConnections }, policy);
  assert.equal(trusted(), undefined);
  assert.equal(trusted(rule("TCP", 443, 443, "8.100.7.0/24"), rule("icmp", 0, 0, "1.2.3.4/32")), undefined);
  assert.match(trusted(rule("UDP", 443, 443, "8.100.7.0/24"))!, /UDP 443 to 8.100.7.0\/24/);
  assert.match(trusted(rule("TCP", 443, 443, "8.0.0.0/8"))!, /allows TCP 443/);
  assert.match(trusted(rule("TCP", 210, 211, "10.1.1.0/24"))!, /TCP 210-211/);
  assert.match(distrustOf({ trusted: false, requiredOutboundConnections: [] }, policy)!, /not trusted/);
  // Two rules that only together contain a connection do not.
  const halves = [rule("TCP", 1, 10, "10.0.0.0/8"), rule("TCP", 11, 20, "10.0.0.0/8")];
  assert.notEqual(
    distrustOf({ trusted: true, requiredOutboundConnections: [rule("TCP", 5, 15, "10.0.0.0/8")] }, halves),
    undefined,
  );
});

Deno.test("what a rule allows is what it consists of", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  const any = fc.record({
    protocol: fc.constantFrom("TCP", "UDP"),
    ports: fc.tuple(port, port),
    cidr: fc.tuple(fc.nat(255), fc.constantFrom(0, 8, 12, 16, 32)),
  }).map(({ protocol, ports: [a, b], cidr }) =>
    rule(protocol, Math.min(a, b), Math.max(a, b), `${cidr[0]}.7.0.0/${cidr[1]}`)
  );
  fc.assert(fc.property(any, any, (a, b) => {
    assert.ok(ruleAllows(a, a));
    if (ruleAllows(a, b) && ruleAllows(b, a)) {
      assert.deepEqual([a.protocol, a.portRangeMin, a.portRangeMax], [b.protocol, b.portRangeMin, b.portRangeMax]);
    }
  }));
});
