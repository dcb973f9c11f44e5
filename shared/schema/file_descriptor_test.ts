import assert from "node:assert/strict";
import protobuf from "protobufjs";
import descriptorJson from "protobufjs/google/protobuf/descriptor.json" with { type: "json" };
import { fileDescriptors, messages, services } from "./mod.ts";

interface DescriptorMessage {
  name: string;
  field?: { name: string; number: number; label: string; typeName?: string; jsonName: string }[];
  nestedType?: (DescriptorMessage & { options?: { mapEntry?: boolean } })[];
  reservedRange?: { start: number; end: number }[];
}

interface DescriptorFile {
  name: string;
  package: string;
  dependency?: string[];
  messageType?: DescriptorMessage[];
  service?: { name: string; method: { name: string; inputType: string; serverStreaming?: boolean }[] }[];
  syntax: string;
}

function decodeAll(): DescriptorFile[] {
  const type = protobuf.Root.fromJSON(descriptorJson).lookupType("google.protobuf.FileDescriptorProto");
  return fileDescriptors.map((file) => type.toObject(type.decode(file.bytes()), { enums: String }) as DescriptorFile);
}

Deno.test("fileDescriptors: the client API's files have the names that reflection must tell", () => {
  const names = fileDescriptors.map((file) => file.name);
  for (const name of ["app-client.proto", "appcommon.proto", "loc.proto", "dynamic-location-group.proto"]) {
    assert.ok(names.includes(name), name);
  }
  for (const file of fileDescriptors) for (const other of file.dependencies) assert.ok(names.includes(other), other);
});

Deno.test("fileDescriptors: the decoder of Google's own schema reads them", () => {
  const files = decodeAll();
  assert.deepEqual(files.map((file) => file.name), fileDescriptors.map((file) => file.name));
  const client = files.find((file) => file.name === "app-client.proto")!;
  assert.equal(client.package, "distributed_match_engine");
  assert.equal(client.syntax, "proto3");
  assert.deepEqual(client.dependency, ["appcommon.proto", "loc.proto"]);
  const request = client.messageType!.find((message) => message.name === "RegisterClientRequest")!;
  assert.deepEqual(request.reservedRange, [{ start: 7, end: 8 }]);
  const tags = request.field!.find((field) => field.name === "tags")!;
  assert.equal(tags.number, 100);
  assert.equal(tags.label, "LABEL_REPEATED");
  assert.equal(tags.typeName, ".distributed_match_engine.RegisterClientRequest.TagsEntry");
  assert.equal(request.nestedType![0]!.options!.mapEntry, true);
  const engine = client.service!.find((service) => service.name === "MatchEngineApi")!;
  assert.equal(engine.method.length, 13);
  assert.equal(engine.method.find((method) => method.name === "GetQosPositionKpi")!.serverStreaming, true);
});

Deno.test("fileDescriptors: every message and service is told, with the same field numbers", () => {
  const fields = new Map<string, string>();
  const visit = (message: DescriptorMessage, scope: string) => {
    const name = `${scope}.${message.name}`;
    fields.set(name, (message.field ?? []).map((field) => `${field.name}=${field.number}`).join());
    for (const nested of message.nestedType ?? []) visit(nested, name);
  };
  for (const file of decodeAll()) for (const message of file.messageType ?? []) visit(message, file.package);
  for (const type of messages) {
    const expected = type.descriptor.fields.map((field) => `${field.name}=${field.number}`).join();
    assert.equal(fields.get(type.name), expected, type.name);
  }
  const symbols = new Set(fileDescriptors.flatMap((file) => file.symbols));
  for (const { name } of [...messages, ...services]) assert.ok(symbols.has(name), name);
});
