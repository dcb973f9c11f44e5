import assert from "node:assert/strict";
import fc from "fast-check";
import { Cloudlet } from "./generated/archipelago/cloudlet.ts";
import {
  App,
  AppInst,
  CloudletInfo,
  dme,
  Flavor,
  fromJson,
  JsonError,
  messages,
  PlatformType,
  redact,
  toJson,
} from "./mod.ts";
import type { FieldDescriptor } from "./descriptor.ts";
import { describeMessage, type FieldFacts } from "./descriptor.ts";
import { enumDescriptor } from "./enum_type.ts";
import { decimalNumber, durationText, parseDecimal, parseDuration, parseMoment } from "./json/mod.ts";
import type { MessageType, Properties } from "./message_type.ts";
import { arbitraryMessage } from "./testing/arbitrary.ts";

const RUNS = 60;

function issuesOf(action: () => unknown): { path: string; value: string; rule: string }[] {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof JsonError, String(error));
    return [...error.issues];
  }
  throw new Error("Expected a JsonError");
}

/** The message without what a style does not print. */
function strip<T>(type: MessageType<T>, value: T, omits: (field: FieldDescriptor) => boolean): T {
  const empty = type.create() as Properties;
  const result: Properties = {};
  for (const field of type.descriptor.fields) {
    const part = (value as Properties)[field.property];
    if (omits(field)) result[field.property] = empty[field.property];
    else if (field.message === undefined || part === undefined) result[field.property] = part;
    else if (field.repeated) {
      result[field.property] = (part as object[]).map((item) => strip(field.message!, item, omits));
    } else result[field.property] = strip(field.message, part as object, omits);
  }
  return result as T;
}

/** RFC 3339 has years of four digits, and parts of a second are positive. */
function withinFourDigitYears(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withinFourDigitYears);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const result: Properties = {};
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(result, key, {
      value: withinFourDigitYears(item),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  if (Object.keys(value).join() === "seconds,nanos") {
    const { seconds, nanos } = value as { seconds: number; nanos: number };
    return { seconds: Math.abs(seconds) % 253402300800, nanos: Math.abs(nanos) % 1e9 };
  }
  return result;
}

function viaText(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json));
}

/** JSON text has no −0. */
function normalised(value: unknown): unknown {
  if (typeof value === "number") return value === 0 ? 0 : value;
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const result: Properties = {};
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(result, key, {
      value: normalised(item),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

for (const type of messages) {
  for (const style of ["region", "store"] as const) {
    Deno.test(`${type.name}: fromJson undoes toJson, ${style}`, () => {
      const omits = ({ rules }: FieldDescriptor) =>
        rules.secret || rules.modifier || (style === "region" && rules.hidden);
      fc.assert(
        fc.property(arbitraryMessage(type), (message) => {
          const back = fromJson(type, viaText(toJson(type, message, style)), style);
          assert.deepEqual(normalised(back), normalised(strip(type, message, omits)));
        }),
        { numRuns: RUNS },
      );
    });
  }

  Deno.test(`${type.name}: fromJson undoes toJson, dme`, () => {
    fc.assert(
      fc.property(arbitraryMessage(type), (message) => {
        const dated = withinFourDigitYears(message) as typeof message;
        const back = fromJson(type, viaText(toJson(type, dated, "dme")), "dme");
        assert.deepEqual(normalised(back), normalised(dated));
      }),
      { numRuns: RUNS },
    );
  });

  Deno.test(`${type.name}: fromJson of anything gives a message or a JsonError`, () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        for (const style of ["region", "dme"] as const) {
          try {
            fromJson(type, json, style);
          } catch (error) {
            assert.ok(error instanceof JsonError, String(error));
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
}

Deno.test("toJson, dme: the replies of the examples", () => {
  const found = dme.FindCloudletReply.create({
    status: dme.FindCloudletReply_FindStatus.FIND_FOUND,
    fqdn: "n3.example",
    ports: [{ proto: dme.LProto.L_PROTO_TCP, internalPort: 443, publicPort: 443 }],
    cloudletLocation: { latitude: 48.1351, longitude: 11.582 },
    edgeEventsCookie: "eyJ…",
  });
  assert.equal(
    JSON.stringify(toJson(dme.FindCloudletReply, found, "dme")),
    `{"ver":0,"status":"Found","fqdn":"n3.example","ports":[{"proto":"Tcp","internal_port":443,"public_port":443,"fqdn_prefix":"","end_port":0,` +
      `"tls":false,"nginx":false,"max_pkt_size":"0"}],"cloudlet_location":{"latitude":48.1351,"longitude":11.582,"horizontal_accuracy":0,` +
      `"vertical_accuracy":0,"altitude":0,"course":0,"speed":0,"timestamp":null},"edge_events_cookie":"eyJ…","qos_result":"NotAttempted","qos_error_msg":"","tags":{}}`,
  );
  const registered = dme.RegisterClientReply.create({
    status: dme.ReplyStatus.RS_SUCCESS,
    sessionCookie: "eyJ…",
    uniqueIdType: "dme-ksuid",
    uniqueId: "x",
  });
  assert.equal(
    JSON.stringify(toJson(dme.RegisterClientReply, registered, "dme")),
    `{"ver":0,"status":"Success","session_cookie":"eyJ…","token_server_uri":"","unique_id_type":"dme-ksuid","unique_id":"x","tags":{}}`,
  );
});

Deno.test("fromJson, dme: the request of the examples, in both spellings", () => {
  const expected = dme.FindCloudletRequest.create({
    sessionCookie: "eyJ…",
    carrierName: "northtel",
    gpsLocation: { latitude: 50.65, longitude: 6.341 },
  });
  const snake = {
    session_cookie: "eyJ…",
    carrier_name: "northtel",
    gps_location: { latitude: 50.65, longitude: 6.341 },
  };
  const camel = {
    sessionCookie: "eyJ…",
    carrierName: "northtel",
    gpsLocation: { latitude: "50.65", longitude: 6.341 },
  };
  assert.deepEqual(fromJson(dme.FindCloudletRequest, snake, "dme"), expected);
  assert.deepEqual(fromJson(dme.FindCloudletRequest, { ...camel, later_field: [1] }, "dme"), expected);
});

Deno.test("dme: enums print short and are read in every form", () => {
  const type = dme.QosPrioritySessionCreateRequest;
  const profile = dme.QosSessionProfile.QOS_LOW_LATENCY;
  for (const form of ["QOS_LOW_LATENCY", "LowLatency", "lowlatency", 1, "1"]) {
    assert.equal(fromJson(type, { profile: form }, "dme").profile, profile);
  }
  const [issue] = issuesOf(() => fromJson(type, { profile: "fast" }, "dme"));
  assert.equal(issue?.path, "profile");
  assert.match(issue.rule, /NoPriority, LowLatency, ThroughputDownS/);
  assert.equal(issuesOf(() => fromJson(type, { profile: 9 }, "dme")).length, 1);
});

Deno.test("dme: enum texts of the table", () => {
  const text = (object: Parameters<typeof texts>[0]) => texts(object);
  assert.deepEqual(text(dme.IDTypes), ["IdUndefined", "Imei", "Msisdn", "Ipaddr"]);
  assert.deepEqual(text(dme.FindCloudletReply_QosSessionResult), ["NotAttempted", "SessionCreated", "SessionFailed"]);
  assert.deepEqual(text(dme.VerifyLocationReply_TowerStatus), [
    "TowerUnknown",
    "ConnectedToSpecifiedTower",
    "NotConnectedToSpecifiedTower",
  ]);
  assert.equal(text(dme.VerifyLocationReply_GPSLocationStatus)[6], "ErrorUnauthorized");
  assert.deepEqual(text(dme.MaintenanceState).slice(-2), ["NormalOperationInit", "UnderMaintenance"]);
  assert.deepEqual(text(dme.HealthCheck), ["Unknown", "RootlbOffline", "ServerFail", "Ok", "CloudletOffline"]);
  assert.deepEqual(text(dme.QosSessionProtocol), ["Tcp", "Udp", "Any"]);
});

function texts(object: Readonly<Record<string, number>>): string[] {
  return enumDescriptor(object).values.map((value) => value.text);
}

Deno.test("dme: wide integers are text, special floats too, times RFC 3339", () => {
  const reply = dme.GetLocationReply.create({ tower: 2 ** 53 + 2, networkLocation: { speed: NaN, course: -Infinity } });
  const json = toJson(dme.GetLocationReply, reply, "dme") as Properties;
  assert.equal(json["tower"], "9007199254740994");
  assert.equal((json["network_location"] as Properties)["speed"], "NaN");
  assert.equal((json["network_location"] as Properties)["course"], "-Infinity");
  const at = (seconds: number, nanos: number) =>
    (toJson(dme.Sample, dme.Sample.create({ timestamp: { seconds, nanos } }), "dme") as Properties)["timestamp"];
  assert.equal(at(1700000000, 5), "2023-11-14T22:13:20.000000005Z");
  assert.equal(at(0, 0), "");
  for (const timestamp of [{ seconds: "1700000000", nanos: 5 }, "2023-11-14T22:13:20.000000005Z"]) {
    assert.deepEqual(fromJson(dme.Sample, { timestamp }, "dme").timestamp, { seconds: 1700000000, nanos: 5 });
  }
});

Deno.test("region: zero, hidden and modifier fields are left out, store keeps hidden ones", () => {
  const info = CloudletInfo.create({ fields: ["3"], key: { organization: "o", name: "c" }, notifyId: 7 });
  assert.deepEqual(toJson(CloudletInfo, info), { key: { organization: "o", name: "c" } });
  assert.deepEqual(toJson(CloudletInfo, info, "store"), { key: { organization: "o", name: "c" }, notify_id: 7 });
  assert.deepEqual(redact(CloudletInfo, info), { fields: ["3"], key: { organization: "o", name: "c" }, notify_id: 7 });
});

Deno.test("region: keys in any case, enums in any form", () => {
  const json = { Key: { Organization: "o", NAME: "c" }, PlatformType: "process", numDynamicIps: 4 };
  const cloudlet = fromJson(Cloudlet, json);
  assert.equal(cloudlet.key.name, "c");
  assert.equal(cloudlet.numDynamicIps, 4);
  assert.equal(cloudlet.platformType, PlatformType.PLATFORM_TYPE_PROCESS);
  for (const form of ["PLATFORM_TYPE_PROCESS", "Process", 100, "100"]) {
    assert.equal(fromJson(Cloudlet, { platform_type: form }).platformType, PlatformType.PLATFORM_TYPE_PROCESS);
  }
});

Deno.test("region: all faults are reported at once, with path, value and rule", () => {
  const json = { key: { name: 5 }, image_type: "Tape", access_ports: ["tcp:1"], nmae: 1, internal_ports: "yes" };
  const issues = issuesOf(() => fromJson(App, json));
  assert.deepEqual(issues.map((issue) => issue.path), [
    "key.name",
    "image_type",
    "access_ports",
    "nmae",
    "internal_ports",
  ]);
  assert.match(issues[1]!.rule, /Unknown, Docker, Qcow, Helm, Ovf, Module/);
  assert.equal(issues[1]!.value, `"Tape"`);
  assert.deepEqual(issuesOf(() => fromJson(Flavor, { ram: 2 ** 53, vcpus: -1, disk: 1.5 })).length, 3);
  assert.deepEqual(issuesOf(() => fromJson(Flavor, { ram: 1, RAM: 2 })).map((issue) => issue.rule), ["is given twice"]);
  assert.deepEqual(issuesOf(() => fromJson(AppInst, [])).map((issue) => issue.rule), ["must be an object"]);
});

Deno.test("region: a value of __proto__ is data", () => {
  const json = JSON.parse(`{"env_var":{"__proto__":"x"}}`);
  const cloudlet = fromJson(Cloudlet, json);
  assert.deepEqual(Object.entries(cloudlet.envVar), [["__proto__", "x"]]);
  assert.equal(JSON.stringify(toJson(Cloudlet, cloudlet)), `{"env_var":{"__proto__":"x"}}`);
  assert.throws(() => fromJson(Cloudlet, JSON.parse(`{"__proto__":{}}`)), JsonError);
});

Deno.test("faults of secret fields never show the value", () => {
  const facts: FieldFacts = {
    name: "password",
    property: "password",
    number: 1,
    scalar: "string",
    rules: { secret: true },
  };
  const descriptor = describeMessage({ name: "t.T", typeName: "T", doc: "", fields: [facts] });
  const type = { descriptor, create: () => ({ password: "" }) } as unknown as MessageType<{ password: string }>;
  const issues = issuesOf(() => fromJson(type, { password: ["hunter2"] }));
  assert.deepEqual(issues, [{ path: "password", value: "(secret)", rule: "must be a string" }]);
  assert.deepEqual(redact(type, { password: "hunter2" }), { password: "(secret)" });
  assert.deepEqual(toJson(type, { password: "hunter2" }), {});
  assert.deepEqual(toJson(type, { password: "hunter2" }, "store"), {});
});

Deno.test("durations read back as they print", () => {
  const texts: [number, string][] = [
    [0, "0s"],
    [3_600_000_000_000, "1h0m0s"],
    [5_400_000_000_000, "1h30m0s"],
    [90_500_000_000, "1m30.5s"],
    [1, "1ns"],
    [1_500, "1.5µs"],
    [20_000_000, "20ms"],
    [-1_500_000_000, "-1.5s"],
    [8760 * 3_600_000_000_000, "8760h0m0s"],
  ];
  for (const [nanoseconds, text] of texts) {
    assert.equal(durationText(nanoseconds), text);
    assert.equal(parseDuration(text), nanoseconds);
  }
  fc.assert(fc.property(fc.maxSafeInteger(), (ns) => assert.equal(parseDuration(durationText(ns)), ns === 0 ? 0 : ns)));
  for (const text of ["", "1", "h", "1x", "1h 2m", "1e3s", "--1s", "999999999h", "2502h0m0.000000001s"]) {
    assert.equal(parseDuration(text), undefined);
  }
});

Deno.test("moments are refused unless RFC 3339", () => {
  assert.deepEqual(parseMoment("2023-11-14T23:13:20.5+01:00"), { seconds: 1700000000, nanos: 500_000_000 });
  for (const text of ["yesterday", "2023-11-14", "2023-13-14T23:13:20Z", "2023-11-14T23:13:20"]) {
    assert.equal(parseMoment(text), undefined);
  }
});

Deno.test("decimals: one text for one number, exactly", () => {
  const cases: [string | number, string | undefined][] = [
    ["0.5", "0.5"],
    [0.5, "0.5"],
    ["00010.500", "10.5"],
    ["7.", "7"],
    ["0.000", ""],
    [0, ""],
    ["123456789012345678.123456789", "123456789012345678.123456789"],
    ["1234567890123456789", undefined],
    ["0.1234567891", undefined],
    ["", undefined],
    [".5", undefined],
    ["-1", undefined],
    ["1e3", undefined],
    [NaN, undefined],
    [1e21, undefined],
  ];
  for (const [given, expected] of cases) assert.equal(parseDecimal(given), expected, String(given));
  assert.equal(decimalNumber(""), 0);
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), (thousandths) => {
    assert.equal(decimalNumber(parseDecimal((thousandths / 1000).toFixed(3))!), thousandths / 1000);
  }));
});
