import { type FieldValue, type Point, seriesTags } from "../point.ts";

/** A point as a line of InfluxDB's line protocol, with its time in microseconds. Names and values must have been checked. */
export function lineOf({ measurement, tags, fields, timeMs }: Point): string {
  const key = [escape(measurement), ...seriesTags(tags).map(([name, value]) => `${escape(name)}=${escape(value)}`)];
  const values = Object.entries(fields).map(([name, value]) => `${escape(name)}=${fieldText(value)}`);
  return `${key.join(",")} ${values.join(",")} ${Math.round(timeMs * 1000)}`;
}

/** Commas, equal signs and spaces separate, so inside a name or a tag's value a backslash goes before them. */
function escape(text: string): string {
  return text.replace(/[,= ]/g, "\\$&");
}

function fieldText(value: FieldValue): string {
  switch (typeof value) {
    case "bigint":
      return `${value}i`;
    case "number":
    case "boolean":
      return String(value);
    case "string":
      return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  }
}
