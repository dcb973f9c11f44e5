/** Property name of a proto field: `cloudlet_loc` becomes `cloudletLoc`. */
export function propertyName(protoName: string): string {
  return protoName.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A name as people and JSON keys spell it, brought to one form: lower case without underscores. */
export function looseName(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

/** Part, up to and including an underscore, that all names of an enum begin with; empty when they share none. */
export function commonPrefix(names: readonly string[]): string {
  const first = names[0];
  if (first === undefined || names.length < 2) return "";
  let length = first.length;
  for (const name of names) {
    let same = 0;
    while (same < length && name[same] === first[same]) same++;
    length = same;
  }
  return first.slice(0, first.lastIndexOf("_", length - 1) + 1);
}

/** `CREATE_REQUESTED` becomes `CreateRequested`. */
export function camelWords(name: string): string {
  return name.split("_").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase()).join("");
}
