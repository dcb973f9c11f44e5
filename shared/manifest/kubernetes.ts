import { parseAllDocuments } from "yaml";
import type { ManifestIssue } from "./manifest.ts";
import { withoutTemplates } from "./templates.ts";

/** Longest manifest in characters: it is kept with the app, and travels to every site that runs it. */
export const MAX_KUBERNETES_CHARACTERS = 256 * 1024;
/** Most objects of one manifest. */
const MAX_OBJECTS = 500;
/** Aliases may make a small text large, so only few are followed. */
const MAX_ALIASES = 100;

/** A port of a Service. */
export interface ServicePort {
  readonly protocol: string;
  readonly port: number;
}

/** What the platform has to know of a Kubernetes manifest. */
export interface KubernetesFacts {
  /** Its LoadBalancer Services, by name. */
  readonly balancers: readonly { readonly name: string; readonly ports: readonly ServicePort[] }[];
  /** Ports of its LoadBalancer Services. */
  readonly balanced: readonly ServicePort[];
  /** Ports of all of its Services. */
  readonly served: readonly ServicePort[];
  /** Sum of the limits of `nvidia.com/gpu` of all containers. */
  readonly gpus: number;
  readonly hasDaemonSet: boolean;
}

/** What a manifest says, and everything that is wrong with its form. */
export interface KubernetesResult {
  readonly facts: KubernetesFacts;
  readonly issues: ManifestIssue[];
}

interface Fields {
  readonly [name: string]: unknown;
}

/** How a manifest is read. */
export interface KubernetesOptions {
  /** Name of the field in messages. @default "deployment_manifest" */
  readonly path?: string;
  /** What stands around variables, which are filled in later. @default "{{ }}" */
  readonly delimiter?: string;
}

/** Reads a Kubernetes manifest, one or several YAML documents, as far as the platform has to know it. */
export function readKubernetesManifest(text: string, options: KubernetesOptions = {}): KubernetesResult {
  const path = options.path ?? "deployment_manifest";
  const issues: ManifestIssue[] = [];
  const report = (rule: string, value = "") => void issues.push({ path, value, rule });
  const objects = text.length > MAX_KUBERNETES_CHARACTERS
    ? report(`has ${text.length} characters, at most ${MAX_KUBERNETES_CHARACTERS} are allowed`) ?? []
    : decode(withoutTemplates(text, options.delimiter), report);
  for (const [index, object] of objects.entries()) {
    const name = fields(object["metadata"])["name"] ?? fields(object["metadata"])["generateName"];
    for (
      const [what, value] of [["apiVersion", object["apiVersion"]], ["kind", object["kind"]], ["metadata.name", name]]
    ) {
      if (typeof value === "string" && value !== "") continue;
      report(`object ${index + 1} has no ${what}`, typeof object["kind"] === "string" ? object["kind"] : "");
    }
  }
  return { facts: factsOf(objects), issues };
}

function decode(text: string, report: (rule: string) => void): Fields[] {
  const objects: Fields[] = [];
  for (const document of parseAllDocuments(text, { prettyErrors: true, schema: "core" })) {
    if (!("errors" in document)) continue;
    for (const error of document.errors) report(`is not valid YAML: ${error.message.split("\n")[0]}`);
    if (document.errors.length > 0) continue;
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch {
      report("has too many aliases");
      continue;
    }
    // A document of comments alone.
    if (value === null || value === undefined) continue;
    if (!isFields(value)) {
      report("holds a document that is no Kubernetes object");
      continue;
    }
    const items = value["items"];
    objects.push(...(value["kind"] === "List" && Array.isArray(items) ? items.filter(isFields) : [value]));
  }
  if (objects.length === 0) report("holds no Kubernetes object");
  if (objects.length > MAX_OBJECTS) report(`holds ${objects.length} objects, at most ${MAX_OBJECTS} are allowed`);
  return objects.slice(0, MAX_OBJECTS);
}

function factsOf(objects: readonly Fields[]): KubernetesFacts {
  const balancers: { name: string; ports: ServicePort[] }[] = [];
  const served: ServicePort[] = [];
  let gpus = 0;
  for (const object of objects) {
    if (object["kind"] === "Service") {
      const spec = fields(object["spec"]);
      const ports = list(spec["ports"]).map(servicePort);
      served.push(...ports);
      const name = String(fields(object["metadata"])["name"] ?? "");
      if (spec["type"] === "LoadBalancer") balancers.push({ name, ports });
    }
    for (const pod of podsOf(object)) {
      for (const container of list(pod["containers"])) {
        const limits = fields(fields(container["resources"])["limits"]);
        gpus += Number(limits["nvidia.com/gpu"] ?? 0) || 0;
      }
    }
  }
  return {
    balancers,
    balanced: balancers.flatMap(({ ports }) => ports),
    served,
    gpus,
    hasDaemonSet: objects.some((object) => object["kind"] === "DaemonSet"),
  };
}

function servicePort(port: Fields): ServicePort {
  const { protocol } = port;
  return { protocol: typeof protocol === "string" ? protocol.toLowerCase() : "tcp", port: Number(port["port"]) };
}

/** The pods that an object makes, by what they are made from. */
function podsOf(object: Fields): Fields[] {
  const spec = fields(object["spec"]);
  switch (object["kind"]) {
    case "Pod":
      return [spec];
    case "CronJob":
      return [fields(fields(fields(fields(spec["jobTemplate"])["spec"])["template"])["spec"])];
    default:
      return [fields(fields(spec["template"])["spec"])];
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
