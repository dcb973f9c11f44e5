import { bytesField, joinBytes, numberField, textField } from "../wire.ts";
import type { ProtoFile } from "./file_index.ts";

/** Types of descriptor.proto's FieldDescriptorProto. */
const TYPE = { int32: 5, string: 9, message: 11, bytes: 12, enum: 14 } as const;
/** Its labels. */
const LABEL = { one: 1, many: 3 } as const;

interface FieldShape {
  /** Full name of the message or enum that a field of such a type holds. */
  readonly of?: string;
  readonly many?: boolean;
  /** Whether the field belongs to the message's one oneof. */
  readonly oneof?: boolean;
}

function field(name: string, number: number, type: keyof typeof TYPE, shape: FieldShape = {}): Uint8Array {
  const parts = [
    textField(1, name),
    numberField(3, number),
    numberField(4, shape.many ? LABEL.many : LABEL.one),
    numberField(5, TYPE[type]),
  ];
  if (shape.of !== undefined) parts.push(textField(6, shape.of));
  if (shape.oneof) parts.push(numberField(9, 0));
  return bytesField(2, joinBytes(parts));
}

/** A message, as a field of its file. `rest` are its fields, and what else a DescriptorProto holds. */
function message(name: string, ...rest: Uint8Array[]): Uint8Array {
  return bytesField(4, joinBytes([textField(1, name), ...rest]));
}

function method(name: string, input: string, output: string, requests: boolean, responses: boolean): Uint8Array {
  const parts = [textField(1, name), textField(2, input), textField(3, output)];
  if (requests) parts.push(numberField(5, 1));
  if (responses) parts.push(numberField(6, 1));
  return bytesField(2, joinBytes(parts));
}

function file(name: string, scope: string, service: Uint8Array, messages: Uint8Array[]): ProtoFile {
  return {
    bytes: () =>
      joinBytes([
        textField(1, name),
        textField(2, scope),
        ...messages,
        bytesField(6, service),
        textField(12, "proto3"),
      ]),
  };
}

function health(): ProtoFile {
  const scope = ".grpc.health.v1";
  const [request, response] = [`${scope}.HealthCheckRequest`, `${scope}.HealthCheckResponse`];
  const states = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"].map((name, number) =>
    bytesField(2, joinBytes([textField(1, name), numberField(2, number)]))
  );
  const service = joinBytes([
    textField(1, "Health"),
    method("Check", request, response, false, false),
    method("Watch", request, response, false, true),
  ]);
  return file("grpc/health/v1/health.proto", "grpc.health.v1", service, [
    message("HealthCheckRequest", field("service", 1, "string")),
    message(
      "HealthCheckResponse",
      field("status", 1, "enum", { of: `${response}.ServingStatus` }),
      bytesField(4, joinBytes([textField(1, "ServingStatus"), ...states])),
    ),
  ]);
}

function reflection(version: string): ProtoFile {
  const scope = `grpc.reflection.${version}`;
  const oneof = true;
  const held = (name: string) => ({ of: `.${scope}.${name}`, oneof });
  const service = joinBytes([
    textField(1, "ServerReflection"),
    method(
      "ServerReflectionInfo",
      `.${scope}.ServerReflectionRequest`,
      `.${scope}.ServerReflectionResponse`,
      true,
      true,
    ),
  ]);
  return file(`grpc/reflection/${version}/reflection.proto`, scope, service, [
    message(
      "ServerReflectionRequest",
      field("host", 1, "string"),
      field("file_by_filename", 3, "string", { oneof }),
      field("file_containing_symbol", 4, "string", { oneof }),
      field("file_containing_extension", 5, "message", held("ExtensionRequest")),
      field("all_extension_numbers_of_type", 6, "string", { oneof }),
      field("list_services", 7, "string", { oneof }),
      bytesField(8, textField(1, "message_request")),
    ),
    message("ExtensionRequest", field("containing_type", 1, "string"), field("extension_number", 2, "int32")),
    message(
      "ServerReflectionResponse",
      field("valid_host", 1, "string"),
      field("original_request", 2, "message", { of: `.${scope}.ServerReflectionRequest` }),
      field("file_descriptor_response", 4, "message", held("FileDescriptorResponse")),
      field("all_extension_numbers_response", 5, "message", held("ExtensionNumberResponse")),
      field("list_services_response", 6, "message", held("ListServiceResponse")),
      field("error_response", 7, "message", held("ErrorResponse")),
      bytesField(8, textField(1, "message_response")),
    ),
    message("FileDescriptorResponse", field("file_descriptor_proto", 1, "bytes", { many: true })),
    message(
      "ExtensionNumberResponse",
      field("base_type_name", 1, "string"),
      field("extension_number", 2, "int32", { many: true }),
    ),
    message("ListServiceResponse", field("service", 1, "message", { of: `.${scope}.ServiceResponse`, many: true })),
    message("ServiceResponse", field("name", 1, "string")),
    message("ErrorResponse", field("error_code", 1, "int32"), field("error_message", 2, "string")),
  ]);
}

/** The files of the services that this library brings along, so that all that is listed can be described. */
export const standardFiles: readonly ProtoFile[] = [health(), reflection("v1"), reflection("v1alpha")];
