import type { Hello } from "../schema/mod.ts";
import { MIN_PROTOCOL_VERSION, PROTOCOL_VERSION } from "./limits.ts";

/** What one end says of itself. */
export interface HelloInfo {
  /** Protocol version that it speaks at most. */
  readonly version: number;
  readonly service: string;
  readonly region: string;
  /** Key string of the cloudlet; empty for services of other tiers. */
  readonly cloudlet: string;
  /** Random identity of the process run. */
  readonly instance: string;
  /** Kinds that it wants. */
  readonly wants: readonly string[];
  /** Wanted kinds of which it wants only the objects for some scopes. */
  readonly filters?: Readonly<Record<string, readonly string[]>>;
  /** Kinds that it owns and sends. */
  readonly owns: readonly string[];
}

/** Most kinds that a hello may name, and longest text in it, characters. */
const MAX_KINDS = 1_000;
/** Most scopes that it may name, over all kinds. */
const MAX_SCOPES = 100_000;
const MAX_TEXT = 4_096;

/** Reads a hello. @throws {TypeError} when it makes no sense. */
export function helloInfo(hello: Hello): HelloInfo {
  const wants = hello.wants.map((want) => want.kind);
  if (wants.length > MAX_KINDS || hello.owns.length > MAX_KINDS) {
    throw new TypeError(`The hello names more than ${MAX_KINDS} kinds`);
  }
  const scopes = hello.wants.flatMap((want) => want.scopes);
  if (scopes.length > MAX_SCOPES) throw new TypeError(`The hello names more than ${MAX_SCOPES} scopes`);
  for (
    const text of [hello.service, hello.region, hello.cloudlet, hello.instance, ...wants, ...hello.owns, ...scopes]
  ) {
    if (text.length > MAX_TEXT) throw new TypeError(`A text in the hello is longer than ${MAX_TEXT} characters`);
  }
  if (hello.service === "") throw new TypeError("The hello names no service");
  if (hello.instance === "") throw new TypeError("The hello names no instance");
  const { version, service, region, cloudlet, instance, owns } = hello;
  const filtered = hello.wants.filter((want) => want.scopes.length > 0);
  const filters = filtered.length === 0
    ? undefined
    : Object.fromEntries(filtered.map((want) => [want.kind, want.scopes] as const));
  return { version, service, region, cloudlet, instance, wants, filters, owns };
}

/** Why the other end's version cannot be spoken; undefined when it can. The smaller of both is used. */
export function versionRefusal(version: number): string | undefined {
  return Math.min(version, PROTOCOL_VERSION) < MIN_PROTOCOL_VERSION
    ? `Protocol version ${version} is older than ${MIN_PROTOCOL_VERSION}, the oldest spoken here`
    : undefined;
}
