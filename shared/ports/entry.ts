import type { PortRange } from "./port_range.ts";

const MAX_PORT = 65_535;
const MIN_PACKET_BYTES = 1500;
const MAX_PACKET_BYTES = 50_000;

/** What one entry says: a range when its protocol and numbers are sound, and the rules that it breaks. */
export interface ParsedEntry {
  readonly range?: PortRange;
  readonly rules: string[];
}

/** Parses one entry, `proto ":" num [ "-" num ] *( ":" note )`. */
export function parseEntry(text: string): ParsedEntry {
  const rules: string[] = [];
  const parts = text.split(":");
  if (parts.length < 2) {
    return { rules: ['must have the form "protocol:port", e.g. "tcp:443"'] };
  }
  const protocol = parts[0]!.toLowerCase();
  if (protocol !== "tcp" && protocol !== "udp") {
    rules.push(`unknown protocol "${parts[0]}", use tcp or udp`);
  }
  const numbers = parseNumbers(parts[1]!, rules);
  const notes = { tls: false, nginx: false, maxPacketBytes: 0 };
  for (const note of parts.slice(2)) applyNote(note, protocol, notes, rules);
  if ((protocol !== "tcp" && protocol !== "udp") || !numbers) return { rules };
  return { range: { protocol, ...numbers, ...notes }, rules };
}

function parseNumbers(text: string, rules: string[]): { port: number; endPort: number } | undefined {
  const bounds = text.split("-");
  if (bounds.length > 2) {
    rules.push('must name a port or a range "first-last"');
    return undefined;
  }
  const values = bounds.map((bound) => parseNumber(bound));
  if (values.some((value) => value === undefined)) {
    rules.push(`a port must be a number from 1 to ${MAX_PORT}`);
    return undefined;
  }
  const [port, endPort = port] = values as number[];
  if (endPort! < port!) {
    rules.push(`the range ends at ${endPort}, before its start ${port}`);
    return undefined;
  }
  return { port: port!, endPort: endPort === port ? 0 : endPort! };
}

function parseNumber(text: string): number | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= 1 && value <= MAX_PORT ? value : undefined;
}

function applyNote(
  note: string,
  protocol: string,
  notes: { tls: boolean; nginx: boolean; maxPacketBytes: number },
  rules: string[],
): void {
  const [name, value, ...rest] = note.split("=");
  if (rest.length > 0 || note === "") {
    rules.push(note === "" ? "an annotation must not be empty" : `annotation "${note}" has more than one "="`);
    return;
  }
  switch (name) {
    case "tls":
      if (value !== undefined) rules.push('annotation "tls" takes no value');
      else if (protocol !== "tcp") rules.push('annotation "tls" is for tcp only');
      else notes.tls = true;
      return;
    case "nginx":
      if (value !== undefined) rules.push('annotation "nginx" takes no value');
      else if (protocol !== "udp") rules.push('annotation "nginx" is for udp only');
      else notes.nginx = true;
      return;
    case "maxpktsize": {
      const bytes = /^[0-9]{1,9}$/.test(value ?? "") ? Number(value) : NaN;
      if (protocol !== "udp") rules.push('annotation "maxpktsize" is for udp only');
      else if (!(bytes >= MIN_PACKET_BYTES && bytes <= MAX_PACKET_BYTES)) {
        rules.push(`maxpktsize must be a number from ${MIN_PACKET_BYTES} to ${MAX_PACKET_BYTES}`);
      } else notes.maxPacketBytes = bytes;
      return;
    }
    default:
      rules.push(`unknown annotation "${note}", use tls, nginx or maxpktsize=N`);
  }
}
