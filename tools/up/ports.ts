import { UpError } from "./failure.ts";
import { listenerOf } from "./proc.ts";

/** Ports of one region. */
export interface RegionPorts {
  readonly grpc: number;
  readonly notify: number;
  readonly dmeGrpc: number;
  readonly dmeRest: number;
  readonly access: number;
}

/** Ports of a platform. */
export interface Ports {
  readonly rest: number;
  readonly postgres: number;
  readonly regions: Readonly<Record<string, RegionPorts>>;
  /** First of the public ports of the demo's sites. */
  readonly demo: number;
}

const FIRST_REGION = 10;
const PORTS_PER_REGION = 10;
/** Behind the ports of nine regions. */
const FIRST_DEMO = 100;
/** Nine regions fit before the demo's ports. */
export const MAX_REGIONS = (FIRST_DEMO - FIRST_REGION) / PORTS_PER_REGION;

/** The fixed plan of ports from a base. */
export function portPlan(base: number, regions: readonly string[]): Ports {
  const ofRegion = (index: number): RegionPorts => {
    const first = base + FIRST_REGION + index * PORTS_PER_REGION;
    return { grpc: first, notify: first + 1, dmeGrpc: first + 2, dmeRest: first + 3, access: first + 4 };
  };
  return {
    rest: base,
    postgres: base + 1,
    regions: Object.fromEntries(regions.map((region, index) => [region, ofRegion(index)])),
    demo: base + FIRST_DEMO,
  };
}

/**
 * Checks that the platform's own ports are free.
 * @throws {UpError} which names each that is taken, and who has it.
 */
export function checkPorts(ports: Ports, embeddedPostgres: boolean): void {
  const wanted = [ports.rest, ...(embeddedPostgres ? [ports.postgres] : [])];
  for (const region of Object.values(ports.regions)) wanted.push(...Object.values(region));
  const taken = wanted.filter((port) => !isFree(port)).map((port) => {
    const owner = listenerOf(port);
    return `${port} (${owner ? `process ${owner.pid}: ${shortCommand(owner.command)}` : "owner not visible"})`;
  });
  if (taken.length > 0) {
    throw new UpError(
      `taken: port ${taken.join(", port ")}. End that process, or choose other ports with --port-base.`,
    );
  }
}

/** What runs, without its many flags. */
function shortCommand(command: string): string {
  const [program = "", ...words] = command.split(" ");
  const telling = words.filter((word) => !word.startsWith("-"));
  return [program.slice(program.lastIndexOf("/") + 1), ...telling].join(" ").slice(0, 100);
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** Ports that a platform with the demo takes from its base on. */
const ALL_PORTS = 220;
/** Below the range from which systems hand out ports for outgoing connections. */
const FREE_FROM = 20_000;
const FREE_TO = 32_000;

/** A base from which on every port that a platform may take is free now. @throws {UpError} when there is none */
export function freePortBase(): number {
  for (let base = FREE_FROM + Math.floor(Math.random() * 1_000); base + ALL_PORTS < FREE_TO; base += ALL_PORTS) {
    const ports = Array.from({ length: ALL_PORTS }, (_, offset) => base + offset);
    if (ports.every(isFree)) return base;
  }
  throw new UpError(`no ${ALL_PORTS} free ports in a row between ${FREE_FROM} and ${FREE_TO}`);
}
