import type { JsonValue } from "../telemetry/mod.ts";
import type { Address } from "./address.ts";

interface Common {
  /** What it is for, in a sentence or two. */
  readonly description: string;
  /** Without a value the process does not start. */
  readonly required?: boolean;
  /** Never shown: not in errors, not by `--print-config`. */
  readonly secret?: boolean;
}

/** One option of a process, by the kind of its value. */
export type OptionSpec =
  & Common
  & (
    | { readonly kind: "string"; readonly default?: string; readonly pattern?: RegExp; readonly form?: string }
    | { readonly kind: "int"; readonly default?: number; readonly min?: number; readonly max?: number }
    | { readonly kind: "bool"; readonly default?: boolean }
    /** Given as `1h30m` or `250ms`; the value is in milliseconds. */
    | { readonly kind: "duration"; readonly default?: string; readonly minMs?: number; readonly maxMs?: number }
    | { readonly kind: "address"; readonly default?: string }
    | { readonly kind: "url"; readonly default?: string; readonly schemes?: readonly string[] }
    /** Relative to the working directory; the value is absolute. */
    | { readonly kind: "path"; readonly default?: string }
    | {
      readonly kind: "list";
      readonly default?: readonly string[];
      readonly pattern?: RegExp;
      /** The pattern in words, after "must be"; without them it is shown itself. */
      readonly form?: string;
    }
    | { readonly kind: "enum"; readonly values: readonly string[]; readonly default?: string }
    | { readonly kind: "json"; readonly default?: JsonValue }
  );

/** What kinds of value there are. */
export type OptionKind = OptionSpec["kind"];

/** Options by their camelCase names. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Plain<S> = S extends { kind: "int" | "duration" } ? number
  : S extends { kind: "bool" } ? boolean
  : S extends { kind: "address" } ? Address
  : S extends { kind: "list" } ? readonly string[]
  : S extends { kind: "enum"; values: readonly (infer V)[] } ? V
  : S extends { kind: "json" } ? JsonValue
  : string;

type ValueOf<S> = S extends { required: true } ? Plain<S>
  : S extends { default: infer D } ? (undefined extends D ? Plain<S> | undefined : Plain<S>)
  : Plain<S> | undefined;

/** The values of a process's options. */
export type ConfigOf<O> = { readonly [N in keyof O]: ValueOf<O[N]> };

/** Declares options; only there to keep their exact types. */
export function defineOptions<const O extends OptionSpecs>(options: O): O {
  return options;
}

/** `apiAddr` as a flag and as a key of the configuration file: `api-addr`. */
export function flagNameOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `apiAddr` as an environment variable: `ARCHIPELAGO_API_ADDR`. */
export function environmentNameOf(name: string): string {
  return `ARCHIPELAGO_${flagNameOf(name).toUpperCase().replaceAll("-", "_")}`;
}
