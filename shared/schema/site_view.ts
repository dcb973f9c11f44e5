import type { ObjectKind } from "./object_kind.ts";

/** Name under which a kind is replicated to the matching engines of cloudlets, beside its whole objects. */
export function siteViewName(kind: string): string {
  return `${kind}@site-dme`;
}

/**
 * What of a kind's objects the matching engines of cloudlets are sent (rule TO_SITE_DME of the schema): the key and the
 * fields that the rule names. Undefined when they are sent none.
 */
export function siteView<T, K>(kind: ObjectKind<T, K>): ((object: T) => T) | undefined {
  const rule = kind.replicate.find(({ to }) => to === "TO_SITE_DME");
  if (rule === undefined) return undefined;
  const { only } = rule;
  if (only === undefined) return (object) => object;
  const { descriptor } = kind.message;
  const names = [...descriptor.object!.keyFields, ...only];
  const properties = names.map((name) => descriptor.field(name)!.property as keyof T);
  return (object) => {
    const view = kind.message.create();
    for (const property of properties) view[property] = object[property];
    return view;
  };
}
