import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  type App,
  type AppApi,
  AppInstKind,
  AppKind,
  applyMask,
  ImageType,
  matches,
  requiredIssues,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { alreadyExists, inUse, refuse } from "../faults.ts";
import { checkApp, defaultApp, revisionStamp } from "../rules/app.ts";
import { Issues } from "../rules/issues.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { type Reference, requireReferences } from "../state/references.ts";
import { androidPackageRow } from "../state/rows.ts";
import { deleteStored } from "./deletion.ts";
import { done, finish, readKey, readNew, show } from "./requests.ts";

/** Fields that stay as they are while the app has instances (specification 3.3). */
const FROZEN_WITH_INSTANCES = ["access_ports", "deployment"];

/** Handlers of AppApi. */
export function appApi(context: ApiContext): Handlers<typeof AppApi> {
  const { region, operations, clock } = context;
  return {
    async createApp(request) {
      const app = readNew(AppKind, request, { defaults: defaultApp, check: checkApp });
      if (app.revision === "") app.revision = revisionStamp(clock.now());
      const key = AppKind.keyString(app.key);
      await region.change(async (tx) => {
        if (await tx.get(AppKind, key)) throw alreadyExists(AppKind, key);
        await requireReferences(tx, AppKind, app);
        await holdPackageName(tx, app);
        tx.put(AppKind, app);
      });
      return done("Created app");
    },
    async updateApp(request) {
      const key = readKey(AppKind, request);
      await region.change((tx) => updateApp(context, tx, key, request));
      return done("Updated app");
    },
    async deleteApp(request, call) {
      const key = readKey(AppKind, request);
      const progress = operations.run(
        AppKind,
        key,
        "delete",
        (operation) => deleteStored(context, operation, AppKind, key, { remove: freePackageName }),
      );
      return await finish(progress, call);
    },
    showApp: (request, call) => show(region.cache, AppKind, (app) => matches(AppKind.message, request, app), call),
  };
}

async function updateApp({ region, clock }: ApiContext, tx: ObjectTx, key: string, request: App): Promise<void> {
  const app = await tx.requireUsable(AppKind, key);
  const before = AppKind.message.create(app);
  const issues = new Issues();
  if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
  const { changed, refused } = applyMask(AppKind.message, app, request, request.fields);
  for (const { field, rule } of refused) issues.add(field, undefined, rule);
  refuse(issues.list);
  if (changed.length === 0) return;
  adaptToDeployment(app, changed);
  defaultApp(app);
  issues.list.push(...requiredIssues(AppKind.message, app));
  checkApp(app, issues);
  refuse(issues.list);
  if (changed.some((field) => FROZEN_WITH_INSTANCES.includes(field))) {
    const instances = instancesOf(region.cache.table(AppInstKind), key);
    if (instances.length > 0) throw inUse(AppKind, instances);
  }
  if (!changed.includes("revision")) app.revision = revisionStamp(clock.now());
  await requireReferences(tx, AppKind, app);
  if (before.androidPackageName !== app.androidPackageName) {
    await freePackageName(tx, before);
    await holdPackageName(tx, app);
  }
  tx.put(AppKind, app);
}

/** A change of deployment takes the old one's manifest and image type along, unless they are given anew. */
function adaptToDeployment(app: App, changed: readonly string[]): void {
  if (!changed.includes("deployment")) return;
  if (!changed.includes("image_type")) app.imageType = ImageType.IMAGE_TYPE_UNKNOWN;
  if (!changed.includes("deployment_manifest")) app.deploymentManifest = "";
}

function instancesOf(instances: ReadonlyMap<string, { key: { appKey: App["key"] } }>, appKey: string): Reference[] {
  return [...instances].filter(([, instance]) => AppKind.keyString(instance.key.appKey) === appKey)
    .map(([keyString]) => ({ kind: AppInstKind, keyString }));
}

interface PackageRow {
  organization: string;
  name: string;
  versions: string[];
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

async function freePackageName(tx: ObjectTx, app: App): Promise<void> {
  if (app.androidPackageName === "") return;
  const key = androidPackageRow(app.androidPackageName);
  const row = await tx.getRow(key) as unknown as PackageRow | undefined;
  if (row === undefined) return;
  const versions = row.versions.filter((version) => version !== app.key.version);
  if (versions.length === 0) tx.removeRow(key);
  else tx.putRow(key, { organization: row.organization, name: row.name, versions });
}
