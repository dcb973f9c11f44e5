import { parseAllDocuments } from "yaml";
import {
  findKind,
  fromJson,
  isJsonObject,
  issueText,
  JsonError,
  kinds,
  type MethodDefinition,
  type ObjectKind,
  regionServices,
} from "../../../shared/schema/mod.ts";
import { UsageError } from "../failure.ts";
import type { JsonObject } from "../parse_arguments.ts";
import { didYouMean } from "../suggest.ts";

/** A kind of object that documents may hold, with the calls that it has. */
export interface ApplicableKind {
  readonly kind: ObjectKind;
  /** Name of its section in a document and of its key in requests. */
  readonly section: string;
  readonly show: MethodDefinition;
  readonly create?: MethodDefinition;
  readonly update?: MethodDefinition;
  readonly remove?: MethodDefinition;
}

/** One object of a document. */
export interface WantedObject {
  readonly kind: ApplicableKind;
  readonly region: string;
  /** What the document says of it. */
  readonly json: JsonObject;
  readonly object: object;
  readonly keyString: string;
  /** Where it stands, for messages. */
  readonly where: string;
}

/** All kinds that can be shown and changed, what others refer to first. */
export function applicableKinds(): ApplicableKind[] {
  const methods = new Map<string, MethodDefinition>();
  for (const service of regionServices) {
    for (const method of Object.values(service.methods)) {
      if (method.api !== undefined && !method.api.internal) methods.set(method.name, method);
    }
  }
  const found: ApplicableKind[] = [];
  for (const { kind: name } of kinds) {
    const kind = findKind(name)!;
    const of = (verb: string) => {
      const method = methods.get(`${verb}${name}`);
      return method?.input === kind.message ? method : undefined;
    };
    const show = of("Show");
    const [create, update, remove] = [of("Create"), of("Update"), of("Delete")];
    if (show?.output !== kind.message || (create ?? update) === undefined) continue;
    found.push({ kind, section: kind.kind.toLowerCase(), show, create, update, remove });
  }
  return found.sort((a, b) => a.kind.order - b.kind.order);
}

/** A file and what stands in it. */
export interface SourceText {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads documents of YAML or JSON: `region: NAME` and sections by kind, each with one object or a list. Throws UsageError
 * with all that is wrong, before anything is called.
 *
 * @param region for documents that name none
 */
export function readDocuments(sources: readonly SourceText[], region: string): WantedObject[] {
  const known = new Map(applicableKinds().map((kind) => [kind.section, kind]));
  const faults: string[] = [];
  const wanted = new Map<string, WantedObject>();
  for (const { name, text } of sources) {
    const documents = parseAllDocuments(text);
    for (const [index, document] of (Array.isArray(documents) ? documents : []).entries()) {
      const where = documents.length > 1 ? `${name}, document ${index + 1}` : name;
      if (document.errors.length > 0) {
        faults.push(`${where}: ${document.errors[0]!.message.split("\n")[0]}`);
        continue;
      }
      const content: unknown = document.toJS();
      if (content === null) continue;
      if (!isJsonObject(content)) faults.push(`${where}: must hold sections by kind`);
      else readSections(content as JsonObject, where, known, region, wanted, faults);
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join("\n"), `Sections: ${[...known.keys()].join(", ")}`);
  return [...wanted.values()].sort((a, b) => a.kind.kind.order - b.kind.kind.order);
}

function readSections(
  content: JsonObject,
  where: string,
  known: ReadonlyMap<string, ApplicableKind>,
  defaultRegion: string,
  wanted: Map<string, WantedObject>,
  faults: string[],
): void {
  const { region = defaultRegion, ...sections } = content;
  if (typeof region !== "string" || region === "") {
    faults.push(`${where}: region must be named here or by region=<name>`);
  }
  for (const [section, value] of Object.entries(sections)) {
    const kind = known.get(section.toLowerCase());
    if (kind === undefined) {
      faults.push(`${where}: there are no objects ${JSON.stringify(section)}${didYouMean(section, [...known.keys()])}`);
      continue;
    }
    for (const [index, json] of (Array.isArray(value) ? value : [value]).entries()) {
      const place = `${where}: ${section}${Array.isArray(value) ? `[${index}]` : ""}`;
      try {
        const object = fromJson(kind.kind.message, json);
        const keyString = kind.kind.keyString(kind.kind.key(object));
        const id = `${region}/${kind.section}/${keyString}`;
        const before = wanted.get(id);
        if (before !== undefined) faults.push(`${place}: is the same object as ${before.where}`);
        wanted.set(id, { kind, region: String(region), json: json as JsonObject, object, keyString, where: place });
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        faults.push(...error.issues.map((issue) => `${place}: ${issueText(issue)}`));
      }
    }
  }
}
