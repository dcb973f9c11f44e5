export { addReflection, type ReflectionService, ReflectionV1, ReflectionV1Alpha } from "./reflection.ts";
export type { ProtoFile } from "./file_index.ts";
