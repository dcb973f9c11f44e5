/** A .proto file as server reflection tells it. */
export interface FileDescriptor {
  /** Name under which other files import it. */
  readonly name: string;
  readonly dependencies: readonly string[];
  /** Full names of the messages, enums and services that the file defines. */
  readonly symbols: readonly string[];
  /** Encoded google.protobuf.FileDescriptorProto, without custom options. */
  bytes(): Uint8Array;
}

/** Makes a file descriptor. Called by generated code only. */
export function defineFile(
  name: string,
  dependencies: readonly string[],
  symbols: readonly string[],
  base64: string,
): FileDescriptor {
  return { name, dependencies, symbols, bytes: () => Uint8Array.fromBase64(base64) };
}
