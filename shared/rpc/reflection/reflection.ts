import { RpcError } from "../error.ts";
import { type Codec, type Method, rawBytes } from "../method.ts";
import type { RpcServer } from "../server.ts";
import { Status } from "../status.ts";
import { type FileIndex, indexFiles, type ProtoFile } from "./file_index.ts";
import { standardFiles } from "./standard_files.ts";
import { bytesField, joinBytes, numberField, readFields, textField, textOf } from "../wire.ts";

/** Field numbers of ServerReflectionRequest and ServerReflectionResponse, the same in both versions. */
const REQUEST = {
  host: 1,
  fileByFilename: 3,
  fileContainingSymbol: 4,
  fileContainingExtension: 5,
  allExtensionNumbersOfType: 6,
  listServices: 7,
} as const;
const RESPONSE = { validHost: 1, originalRequest: 2, files: 4, services: 6, error: 7 } as const;

/** Longest request answered, bytes: a name and a host, with room to spare. It comes back with the answer. */
const MAX_REQUEST_BYTES = 4_096;

type Info = Method<Uint8Array, Uint8Array> & { readonly requestStream: true; readonly responseStream: true };

/** A version of the reflection service, its messages as they travel. */
export interface ReflectionService {
  readonly name: string;
  readonly methods: { readonly serverReflectionInfo: Info };
}

/** The current version of the service. */
export const ReflectionV1: ReflectionService = versionOf("grpc.reflection.v1");
/** The version that most tools still ask for first. */
export const ReflectionV1Alpha: ReflectionService = versionOf("grpc.reflection.v1alpha");

function versionOf(scope: string): ReflectionService {
  const codec: Codec<Uint8Array> = rawBytes;
  const path = `/${scope}.ServerReflection/ServerReflectionInfo`;
  return {
    name: `${scope}.ServerReflection`,
    methods: {
      serverReflectionInfo: { path, requestStream: true, responseStream: true, input: codec, output: codec },
    },
  };
}

/**
 * Adds server reflection, v1 and v1alpha: tools ask a server what it serves, and in which form. Of the files only those
 * are told that define a service of this server, and what they import, so that a public port says nothing of private
 * APIs. Extensions are none of protobuf 3: who asks for them is answered NOT_FOUND.
 */
export function addReflection(server: RpcServer, files: readonly ProtoFile[]): void {
  let index: { files: FileIndex; services: number } | undefined;

  function indexed(): FileIndex {
    const services = server.services;
    // Services may be added later.
    if (index?.services !== services.length) {
      index = { files: indexFiles([...standardFiles, ...files], new Set(services)), services: services.length };
    }
    return index.files;
  }

  async function* serverReflectionInfo(requests: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const sent = new Set<string>();
    for await (const request of requests) {
      if (request.length > MAX_REQUEST_BYTES) {
        throw new RpcError(Status.INVALID_ARGUMENT, `A request of more than ${MAX_REQUEST_BYTES} bytes names nothing`);
      }
      yield answer(request, server.services, indexed(), sent);
    }
  }

  for (const version of [ReflectionV1, ReflectionV1Alpha]) server.addService(version, { serverReflectionInfo });
}

function answer(request: Uint8Array, services: readonly string[], files: FileIndex, sent: Set<string>): Uint8Array {
  const { kind, value, host } = parse(request);
  const parts = [textField(RESPONSE.validHost, host), bytesField(RESPONSE.originalRequest, request)];
  switch (kind) {
    case REQUEST.listServices: {
      const list = [...services].sort().map((name) => bytesField(1, textField(1, name)));
      return joinBytes([...parts, bytesField(RESPONSE.services, joinBytes(list))]);
    }
    case REQUEST.fileByFilename:
    case REQUEST.fileContainingSymbol: {
      const file = kind === REQUEST.fileByFilename ? value : files.fileOf(value);
      if (file === undefined || !files.has(file)) break;
      // What is asked for comes also when it has been sent; of its imports only what has not.
      sent.delete(file);
      const found = files.withImports(file, sent).map((bytes) => bytesField(1, bytes));
      return joinBytes([...parts, bytesField(RESPONSE.files, joinBytes(found))]);
    }
  }
  const error = joinBytes([numberField(1, Status.NOT_FOUND), textField(2, `${QUESTION[kind]} is unknown`)]);
  return joinBytes([...parts, bytesField(RESPONSE.error, error)]);
}

type Kind = typeof REQUEST[Exclude<keyof typeof REQUEST, "host">];

/** What is asked for, as the answer calls it that knows nothing of it. */
const QUESTION: Record<Kind, string> = {
  [REQUEST.fileByFilename]: "The file",
  [REQUEST.fileContainingSymbol]: "The symbol",
  [REQUEST.fileContainingExtension]: "The extension",
  [REQUEST.allExtensionNumbersOfType]: "A type with extensions of this name",
  [REQUEST.listServices]: "The list",
};

/** What a request asks for; of several questions the last one counts. @throws {RpcError} when it asks for nothing. */
function parse(request: Uint8Array): { kind: Kind; value: string; host: string } {
  try {
    let kind: Kind | undefined;
    let value = "";
    let host = "";
    for (const [number, field] of readFields(request)) {
      switch (number) {
        case REQUEST.host:
          host = textOf(field);
          break;
        case REQUEST.fileByFilename:
        case REQUEST.fileContainingSymbol:
          kind = number;
          value = textOf(field);
          break;
        case REQUEST.fileContainingExtension:
        case REQUEST.allExtensionNumbersOfType:
        case REQUEST.listServices:
          kind = number;
          break;
      }
    }
    if (kind !== undefined) return { kind, value, host };
  } catch (cause) {
    throw new RpcError(Status.INVALID_ARGUMENT, "The reflection request cannot be decoded", { cause });
  }
  throw new RpcError(Status.INVALID_ARGUMENT, "The reflection request asks for nothing");
}
