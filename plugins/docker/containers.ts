import type { AppStatus, ObjectRef, RunState } from "../../shared/platform/mod.ts";
import type { Engine } from "./engine.ts";
import { LABEL, refOf, type Site, siteFilter } from "./labels.ts";

/** Characters of a container id that people are shown. */
export const SHORT_ID_CHARACTERS = 12;
const LOG_LINES = 3;
const REASON_CHARACTERS = 300;

/** A container of the site as a listing shows it. */
export interface SiteContainer {
  readonly id: string;
  readonly ref: ObjectRef;
  readonly fingerprint: string;
  readonly state: RunState;
  /** The engine's own words, e.g. "Exited (1) 3 seconds ago". */
  readonly text: string;
  readonly probes: AppStatus["probes"];
}

interface ListedContainer {
  readonly Id: string;
  readonly Labels: Record<string, string> | null;
  readonly State: string;
  readonly Status: string;
  readonly Ports: readonly { IP?: string; PrivatePort: number; PublicPort?: number; Type: string }[] | null;
}

/** All containers of the site, running or not; with a key those of one instance. */
export async function listContainers(engine: Engine, site: Site, key?: string): Promise<SiteContainer[]> {
  const listed = await engine.call({
    path: "/containers/json",
    query: { all: "true", filters: siteFilter(site, LABEL.appInst, key) },
  }) as ListedContainer[];
  return listed.map((container) => ({
    id: container.Id,
    ref: refOf(container.Labels ?? {}, LABEL.appInst),
    fingerprint: container.Labels?.[LABEL.fingerprint] ?? "",
    state: stateOf(container.State),
    text: container.Status,
    probes: probesOf(container),
  }));
}

/** What the platform says of a container. */
export function statusOf(container: SiteContainer, hostname: string): AppStatus {
  return {
    state: container.state,
    runtimeIds: [container.id.slice(0, SHORT_ID_CHARACTERS)],
    probes: container.probes.map((target) => ({ ...target, hostname })),
    reason: container.state === "running" ? undefined : container.text,
  };
}

/** The last lines that a container wrote, for people; empty when it wrote none. */
export async function lastLines(engine: Engine, id: string): Promise<string> {
  try {
    const bytes = await engine.bytes({
      path: `/containers/${id}/logs`,
      query: { stdout: "true", stderr: "true", tail: String(LOG_LINES) },
    });
    const text = unframe(bytes).trim().split("\n").join(" | ");
    return text === "" ? "" : `; its last lines: ${text.slice(-REASON_CHARACTERS)}`;
  } catch {
    return "";
  }
}

/** Text of a log stream: frames of 8 bytes header (stream, 3 zeros, length) and data. */
export function unframe(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4);
    text += decoder.decode(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return text;
}

function stateOf(state: string): RunState {
  switch (state) {
    case "running":
      return "running";
    case "removing":
      return "absent";
    case "restarting":
    case "created":
    case "exited":
    case "dead":
      // the keeper starts what does not run
      return "restarting";
    default:
      return "stopped";
  }
}

function probesOf({ Ports }: ListedContainer): AppStatus["probes"] {
  const ports = (Ports ?? []).filter((port) => port.Type === "tcp" && port.PublicPort !== undefined);
  const numbers = [...new Set(ports.map((port) => port.PublicPort!))].sort((a, b) => a - b);
  // the engine's proxy accepts connections on its own, whether the app listens or not
  return numbers.map((port) => ({ protocol: "tcp", hostname: "", port, proxied: true }));
}
