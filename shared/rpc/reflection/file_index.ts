import { nestedOf, readFields, textOf } from "../wire.ts";

/** A .proto file as {@linkcode addReflection} takes it. */
export interface ProtoFile {
  /** Encoded google.protobuf.FileDescriptorProto; asked for once, when reflection is first called. */
  bytes(): Uint8Array;
}

/** What a file descriptor says of itself. */
interface IndexedFile {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly services: readonly string[];
  /** Full names of all that the file defines: messages, fields, enums and their values, services, methods. */
  readonly symbols: readonly string[];
  readonly bytes: Uint8Array;
}

/** Finds files by their names and by what they define. */
export interface FileIndex {
  /** Name of the file that defines a symbol. */
  fileOf(symbol: string): string | undefined;
  has(file: string): boolean;
  /** A file and all it imports, each in front of what it is imported by, without those in `known`, which they join. */
  withImports(file: string, known: Set<string>): Uint8Array[];
}

/** Indexes the files that define one of the services, and what they import; others are not told to anybody. */
export function indexFiles(files: readonly ProtoFile[], services: ReadonlySet<string>): FileIndex {
  const all = new Map(files.map((file) => {
    const indexed = describe(file.bytes());
    return [indexed.name, indexed] as const;
  }));
  const told = new Map<string, IndexedFile>();
  const fileOfSymbol = new Map<string, string>();

  function tell(name: string): void {
    const file = all.get(name);
    if (file === undefined || told.has(name)) return;
    told.set(name, file);
    for (const symbol of file.symbols) fileOfSymbol.set(symbol, name);
    for (const dependency of file.dependencies) tell(dependency);
  }

  function collect(name: string, known: Set<string>, found: Uint8Array[]): Uint8Array[] {
    const file = told.get(name);
    if (file === undefined || known.has(name)) return found;
    known.add(name);
    for (const dependency of file.dependencies) collect(dependency, known, found);
    found.push(file.bytes);
    return found;
  }

  for (const file of all.values()) if (file.services.some((service) => services.has(service))) tell(file.name);
  return {
    fileOf: (symbol) => fileOfSymbol.get(symbol),
    has: (name) => told.has(name),
    withImports: (name, known) => collect(name, known, []),
  };
}

/** Field numbers of descriptor.proto. */
const FILE = { name: 1, package: 2, dependency: 3, message: 4, enum: 5, service: 6, extension: 7 } as const;
const MESSAGE = { field: 2, nested: 3, enum: 4, extension: 6, oneof: 8 } as const;
const ENUM = { value: 2 } as const;
const SERVICE = { method: 2 } as const;
/** Everything has its name in the same field. */
const NAME = 1;

function describe(bytes: Uint8Array): IndexedFile {
  const fields = readFields(bytes);
  const texts = (number: number) => fields.filter(([found]) => found === number).map(([, value]) => textOf(value));
  const scope = texts(FILE.package)[0] ?? "";
  const symbols: string[] = [];
  const services: string[] = [];
  for (const [number, value] of fields) {
    switch (number) {
      case FILE.message:
        addMessage(nestedOf(value), scope, symbols);
        break;
      case FILE.enum:
        addEnum(nestedOf(value), scope, symbols);
        break;
      case FILE.service:
        services.push(within(scope, nameOf(nestedOf(value))));
        addService(nestedOf(value), scope, symbols);
        break;
      case FILE.extension:
        symbols.push(within(scope, nameOf(nestedOf(value))));
        break;
    }
  }
  return { name: texts(FILE.name)[0] ?? "", dependencies: texts(FILE.dependency), services, symbols, bytes };
}

function addMessage(bytes: Uint8Array, scope: string, symbols: string[]): void {
  const name = within(scope, nameOf(bytes));
  symbols.push(name);
  for (const [number, value] of readFields(bytes)) {
    switch (number) {
      case MESSAGE.nested:
        addMessage(nestedOf(value), name, symbols);
        break;
      case MESSAGE.enum:
        addEnum(nestedOf(value), name, symbols);
        break;
      case MESSAGE.field:
      case MESSAGE.extension:
      case MESSAGE.oneof:
        symbols.push(within(name, nameOf(nestedOf(value))));
        break;
    }
  }
}

/** Values of an enum are named beside it, as in C. */
function addEnum(bytes: Uint8Array, scope: string, symbols: string[]): void {
  symbols.push(within(scope, nameOf(bytes)));
  for (const [number, value] of readFields(bytes)) {
    if (number === ENUM.value) symbols.push(within(scope, nameOf(nestedOf(value))));
  }
}

function addService(bytes: Uint8Array, scope: string, symbols: string[]): void {
  const name = within(scope, nameOf(bytes));
  symbols.push(name);
  for (const [number, value] of readFields(bytes)) {
    if (number === SERVICE.method) symbols.push(within(name, nameOf(nestedOf(value))));
  }
}

function nameOf(bytes: Uint8Array): string {
  const field = readFields(bytes).find(([number]) => number === NAME);
  return field === undefined ? "" : textOf(field[1]);
}

function within(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}
