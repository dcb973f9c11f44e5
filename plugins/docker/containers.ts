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
  /** Service of the compose file; empty: the instance is one container. */
  readonly service: string;
  /** Place in the compose file, from 0. */
  readonly place: number;
  /** Containers that the instance has when it is whole. */
  readonly siblings: number;
  /** "done": it was to come to its end, and did without a fault. */
  readonly state: RunState | "done";
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

/** All containers of the site, running or not; with a key those of one instance, in the order of its compose file. */
export async function listContainers(engine: Engine, site: Site, key?: string): Promise<SiteContainer[]> {
  const listed = await engine.call({
    path: "/containers/json",
    query: { all: "true", filters: siteFilter(site, LABEL.appInst, key) },
  }) as ListedContainer[];
  return listed.map((container) => {
    const labels = container.Labels ?? {};
    const [place, siblings] = (labels[LABEL.place] ?? "0/1").split("/").map(Number);
    return {
      id: container.Id,
      ref: refOf(labels, LABEL.appInst),
      fingerprint: labels[LABEL.fingerprint] ?? "",
      service: labels[LABEL.service] ?? "",
      place: place!,
      siblings: siblings!,
      state: labels[LABEL.ends] === undefined ? stateOf(container.State) : endingStateOf(container),
      text: container.Status,
      probes: probesOf(container),
    };
  }).sort((a, b) => a.place - b.place);
}

/** What the platform says of the containers of an instance. One that is not whole is as good as absent. */
export function statusOf(containers: readonly SiteContainer[], hostname: string): AppStatus {
  const runtimeIds = containers.map(({ id }) => id.slice(0, SHORT_ID_CHARACTERS));
  const state = stateOfAll(containers);
  if (state === "absent") return { state, runtimeIds, probes: [] };
  const amiss = containers.filter((container) => !isWell(container))
    .map(({ service, text }) => service === "" ? text : `${service}: ${text}`);
  return {
    state,
    runtimeIds,
    probes: containers.flatMap(({ probes }) => probes.map((target) => ({ ...target, hostname }))),
    reason: amiss.length === 0 ? undefined : amiss.join("; "),
  };
}

/** Whether a container does what it should. */
export function isWell({ state }: SiteContainer): boolean {
  return state === "running" || state === "done";
}

/** The state of an instance: that of the container which is worst off. */
export function stateOfAll(containers: readonly SiteContainer[]): RunState {
  const states = new Set(containers.map(({ state }) => state));
  const isWhole = containers.length > 0 && containers.length === containers[0]!.siblings;
  if (!isWhole || states.has("absent")) return "absent";
  return states.has("stopped") ? "stopped" : states.has("restarting") ? "restarting" : "running";
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

/** Of a container that may come to its end: the engine starts it again where it is to be started again. */
function endingStateOf({ State, Status }: ListedContainer): SiteContainer["state"] {
  switch (State) {
    case "exited":
      return /^Exited \(0\)/.test(Status) ? "done" : "stopped";
    case "dead":
      return "stopped";
    default:
      return stateOf(State);
  }
}

function probesOf({ Ports }: ListedContainer): AppStatus["probes"] {
  const ports = (Ports ?? []).filter((port) => port.Type === "tcp" && port.PublicPort !== undefined);
  const numbers = [...new Set(ports.map((port) => port.PublicPort!))].sort((a, b) => a - b);
  // the engine's proxy accepts connections on its own, whether the app listens or not
  return numbers.map((port) => ({ protocol: "tcp", hostname: "", port, proxied: true }));
}
