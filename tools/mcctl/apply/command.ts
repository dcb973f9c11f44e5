import { UsageError } from "../failure.ts";
import type { Flags } from "../flags.ts";
import type { Io } from "../io.ts";
import { applyDocuments, type CallRegion } from "./apply.ts";
import { applicableKinds } from "./document.ts";
import { createReport } from "./report.ts";

/** Help of `mcctl apply`. */
export function applyHelp(): string {
  return `Bring a platform to what documents of YAML or JSON say.

Usage: mcctl apply <file> [<file> …] [region=<region>] [--dry-run] [--prune]

A document names a region and holds sections by kind, each with one object or a list:

  region: local
  flavor:
  - key: {name: x1.small}
    ram: 1024
    vcpus: 1
    disk: 4
  app:
    key: {organization: acme, name: game, version: "1.0"}
    default_flavor: {name: x1.small}

Objects that are missing are created, fields that differ are updated, the rest is left alone, in the order in which
objects depend on each other; what fails is told, and the rest goes on. What "show --output yaml" prints may stand in a
section as it is. Secrets are never shown, so they are sent along whenever something else of their object changes.
"-" as a file is the standard input.

  --dry-run   tell what would be done and whether the platform would take it; change nothing
  --prune     delete objects of the sections' kinds and organizations that the documents do not name

Sections: ${applicableKinds().map(({ section }) => section).join(", ")}`;
}

/** Runs `mcctl apply`. Returns whether nothing failed. */
export async function runApply(words: readonly string[], flags: Flags, io: Io, setUp: {
  /** Region when there is only one. */
  region: string;
  call: CallRegion;
}): Promise<boolean> {
  const regions = words.filter((word) => word.startsWith("region="));
  const files = [
    ...words.filter((word) => !regions.includes(word)),
    ...(flags.dataFile === undefined ? [] : [flags.dataFile]),
  ];
  if (files.length === 0) {
    throw new UsageError("apply needs a file", "Use: mcctl apply <file>; more: mcctl apply --help");
  }
  const sources = await Promise.all(files.map(async (name) => {
    const text = await io.readFile(name);
    if (text === undefined) throw new UsageError(`there is no file ${name}`);
    return { name: name === "-" ? "standard input" : name, text };
  }));
  const report = createReport(io, flags);
  await applyDocuments(sources, {
    region: regions.at(-1)?.slice("region=".length) ?? setUp.region,
    prune: flags.prune,
    dryRun: flags.dryRun,
    call: setUp.call,
    done: report.done,
    progress: report.progress,
  });
  return report.end();
}
