/** A moment as both packages' Timestamp messages have it. */
export interface Moment {
  seconds: number;
  nanos: number;
}

/** RFC 3339 text with up to nine digits of a second, UTC; the empty text for the zero moment (dme spec 2.2). */
export function momentText(moment: Moment): string {
  if (moment.seconds === 0 && moment.nanos === 0) return "";
  const date = new Date(moment.seconds * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const text = date.toISOString();
  if (moment.nanos === 0) return `${text.slice(0, -5)}Z`;
  const fraction = String(Math.abs(moment.nanos)).padStart(9, "0").replace(/0+$/, "");
  return `${text.slice(0, -5)}.${fraction}Z`;
}

/** The moment of an RFC 3339 text; the empty text is the zero moment; undefined when it is none. */
export function parseMoment(text: string): Moment | undefined {
  if (text === "") return { seconds: 0, nanos: 0 };
  const match = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[-+]\d{2}:\d{2})$/.exec(text);
  if (match === null) return undefined;
  const milliseconds = Date.parse(`${match[1]}T${match[2]}${match[4]!.toUpperCase()}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return { seconds: milliseconds / 1000, nanos: Number((match[3] ?? "").padEnd(9, "0")) };
}

/** The moment of a number of milliseconds since the Unix epoch. */
export function momentOf(epochMs: number): Moment {
  const seconds = Math.floor(epochMs / 1000);
  return { seconds, nanos: Math.round((epochMs - seconds * 1000) * 1e6) };
}
