import type { DeviceApp, DeviceStep } from "./device.ts";

/** Longest part of an answer that is shown to people. */
const SHOWN_CHARACTERS = 200;

/** A step as one line for people. */
export function stepText(step: DeviceStep, app: DeviceApp, carrier: string): string {
  const { at, found, address, answer, failure } = step;
  const place = `${at.latitude},${at.longitude}`;
  if (found === undefined && failure !== undefined) return `${place}  ${failure}`;
  if (found === undefined) {
    const who = carrier === "" ? "" : ` for carrier "${carrier}"`;
    return `${place}  no usable instance of ${app.organization}/${app.name}/${app.version}${who}`;
  }
  const { organization, name } = found.cloudlet;
  const site = `${place}  ${name} of ${organization}, ${kilometres(found.distanceKm)}`;
  if (address === undefined) return `${site}  ${found.fqdn} has no TCP port to connect to`;
  const target = `${address.host}:${address.port}`;
  if (answer === undefined) return `${site}  ${failure ?? `${target} not reached`}`;
  const status = answer.status === undefined ? "" : ` ${answer.status}`;
  return `${site}  ${target} in ${answer.connectMs.toFixed(1)} ms${status}: ${shown(answer.text)}`;
}

/** A step as JSON. */
export function stepJson(step: DeviceStep): string {
  const { at, found, address, answer, failure, findMs } = step;
  return JSON.stringify({
    at,
    status: failure !== undefined ? "unreachable" : found === undefined ? "not found" : "found",
    findMs: rounded(findMs),
    fqdn: found?.fqdn,
    cloudlet: found?.cloudlet,
    distanceKm: found && rounded(found.distanceKm),
    address,
    answer: answer && { connectMs: rounded(answer.connectMs), status: answer.status, text: answer.text },
    failure,
  });
}

/** Whether the device reached a back-end, or found one that has nothing to connect to. */
export function succeeded(step: DeviceStep): boolean {
  return step.found !== undefined && step.failure === undefined;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function kilometres(km: number): string {
  return km < 10 ? `${km.toFixed(1)} km` : `${Math.round(km)} km`;
}

function shown(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  if (line === "") return "(no text)";
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}
