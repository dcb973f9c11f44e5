import type { App } from "../../../../shared/schema/mod.ts";
import { refuse } from "../faults.ts";
import { Issues } from "../rules/issues.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { androidPackageRow } from "../state/rows.ts";

interface PackageRow {
  organization: string;
  name: string;
  versions: string[];
}

/** Takes the Android package name of a new or changed app, and lets the one that it had go. */
export async function movePackageName(tx: ObjectTx, app: App, before: App | undefined): Promise<void> {
  if (before?.androidPackageName === app.androidPackageName) return;
  if (before) await freePackageName(tx, before);
  await holdPackageName(tx, app);
}

/** Android package names are unique among apps; the versions of one app share theirs. */
async function holdPackageName(tx: ObjectTx, app: App): Promise<void> {
  if (app.androidPackageName === "") return;
  const { organization, name, version } = app.key;
  const key = androidPackageRow(app.androidPackageName);
  const row = await tx.getRow(key) as unknown as PackageRow | undefined;
  if (row && (row.organization !== organization || row.name !== name)) {
    const issues = new Issues();
    issues.add("android_package_name", app.androidPackageName, "is taken by another app");
    refuse(issues.list);
  }
  const versions = [...new Set([...row?.versions ?? [], version])];
  tx.putRow(key, { organization, name, versions });
}

/** Lets the Android package name of an app go. */
export async function freePackageName(tx: ObjectTx, app: App): Promise<void> {
  if (app.androidPackageName === "") return;
  const key = androidPackageRow(app.androidPackageName);
  const row = await tx.getRow(key) as unknown as PackageRow | undefined;
  if (row === undefined) return;
  const versions = row.versions.filter((version) => version !== app.key.version);
  if (versions.length === 0) tx.removeRow(key);
  else tx.putRow(key, { organization: row.organization, name: row.name, versions });
}
