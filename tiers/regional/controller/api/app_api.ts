import { type Handlers, RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  App,
  type AppApi,
  AppInstKind,
  AppKind,
  clearUnset,
  FlavorKind,
  matcher,
  requiredIssues,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { alreadyExists, failedPrecondition, inUse, refuse } from "../faults.ts";
import { checkApp, defaultApp, revisionStamp } from "../rules/app.ts";
import { checkManifestFlavor, isManifestUrl } from "../rules/app_manifest.ts";
import { type AppUpdate, updateOfApp } from "../rules/app_update.ts";
import { Issues } from "../rules/issues.ts";
import { defaultServerless } from "../rules/serverless.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { requireReferences } from "../state/references.ts";
import type { OutsideField } from "../sources/mod.ts";
import { cloudletsForApp } from "./app_cloudlets.ts";
import { appDeletion } from "./app_deletion.ts";
import { movePackageName } from "./app_package.ts";
import { appPolicyCalls } from "./app_policies.ts";
import { requireTrust } from "./app_trust.ts";
import { done, finish, readKey, show } from "./requests.ts";

/** Handlers of AppApi. */
export function appApi(context: ApiContext): Handlers<typeof AppApi> {
  const { region, clock } = context;
  return {
    async createApp(request) {
      const { app, warnings } = await readNewApp(context, request);
      if (app.revision === "") app.revision = revisionStamp(clock.now());
      const key = AppKind.keyString(app.key);
      await region.changeByCache(async (tx) => {
        if (await tx.get(AppKind, key)) throw alreadyExists(AppKind, key);
        await putApp(tx, App.create(app), undefined);
      });
      return done(told("Created app", warnings));
    },
    async updateApp(request) {
      const key = readKey(AppKind, request);
      const wanted = App.create(request);
      const warnings = await lookAhead(context, key, wanted);
      await region.change((tx) => updateApp(context, tx, key, wanted));
      return done(told("Updated app", warnings));
    },
    async deleteApp(request, call) {
      return await finish(appDeletion(context, readKey(AppKind, request)), call);
    },
    ...appPolicyCalls(context),
    showCloudletsForAppDeployment: (request) => cloudletsForApp(context, request),
    showApp: (request, call) => show(region.cache, AppKind, matcher(AppKind.message, request), call),
  };
}

/** Takes a new app from a request, and looks at what it has outside. Throws all faults together. */
async function readNewApp({ apps }: ApiContext, request: App): Promise<{ app: App; warnings: readonly string[] }> {
  const app = App.create(request);
  clearUnset(App, app);
  const issues = new Issues();
  issues.list.push(...await apps.sources.fetchManifest(app));
  defaultApp(app, apps.places);
  issues.list.push(...requiredIssues(App, app));
  checkApp(app, issues);
  const found = await apps.sources.look(app, (field) => hasFault(issues, field));
  refuse([...issues.list, ...found.issues]);
  return { app, warnings: found.warnings };
}

/**
 * What has to be asked outside before an update's transaction, by the app as it is now: fetches the manifest into the
 * request, and looks at what the update changes. Throws all faults together.
 */
async function lookAhead({ region, apps }: ApiContext, key: string, request: App): Promise<readonly string[]> {
  const before = region.cache.get(AppKind, key);
  if (before === undefined) return [];
  const first = updateOfApp(before, request, apps.places);
  const manifest = App.create({ deployment: first.app.deployment, deploymentManifest: request.deploymentManifest });
  const faults = await apps.sources.fetchManifest(manifest);
  const isNew = manifest.deploymentManifest !== request.deploymentManifest;
  request.deploymentManifest = manifest.deploymentManifest;
  const { app, issues } = isNew ? updateOfApp(before, request, apps.places) : first;
  const isAsItWas = (field: OutsideField) => {
    switch (field) {
      case "configs":
        return JSON.stringify(app.configs) === JSON.stringify(before.configs);
      case "deployment_manifest":
        return app.deploymentManifest === before.deploymentManifest;
      case "image_path":
        return app.imagePath === before.imagePath;
    }
  };
  const found = await apps.sources.look(app, (field) => isAsItWas(field) || hasFault(issues, field));
  refuse([...faults, ...issues.list, ...found.issues]);
  return found.warnings;
}

function hasFault(issues: Issues, field: OutsideField): boolean {
  return issues.list.some(({ path }) => path.startsWith(field));
}

function told(message: string, warnings: readonly string[]): string {
  return warnings.length === 0 ? message : `${message}. Warning: ${warnings.join("; ")}`;
}

async function updateApp(context: ApiContext, tx: ObjectTx, key: string, request: App): Promise<void> {
  const before = await tx.requireUsable(AppKind, key);
  const update = updateOfApp(before, request, context.apps.places);
  refuse(update.issues.list);
  if (update.changed.length === 0) return;
  if (update.frozen.length > 0) await requireNoInstances(context, tx, key, update);
  const { app } = update;
  await requireTrust(context, tx, app, update.changed);
  if (update.needsRevision) app.revision = revisionStamp(context.clock.now(), before.revision);
  await putApp(tx, app, before);
}

/**
 * Throws when the app has instances, the ones that come at the same moment included: a new one reads the app in its own
 * transaction and so meets this change, and one that was stored before is in the cache by then.
 */
async function requireNoInstances({ region }: ApiContext, tx: ObjectTx, key: string, update: AppUpdate): Promise<void> {
  await region.cache.reached(await tx.hold(AppInstKind, `{"app_key":${key},`));
  const instances = [...region.cache.referrersOfKind(AppKind, key, AppInstKind)];
  if (instances.length === 0) return;
  const reason = inUse(AppKind, instances.map((keyString) => ({ kind: AppInstKind, keyString })));
  throw failedPrecondition(`${reason.message}: meanwhile ${update.frozen.join(", ")} may not change`);
}

/** Checks an app against the objects that it refers to, and stores it. */
async function putApp(tx: ObjectTx, app: App, before: App | undefined): Promise<void> {
  // What was looked at before the transaction was another app than this.
  if (isManifestUrl(app)) throw new RpcError(Status.ABORTED, "The app is being changed by others at once, try again");
  await requireReferences(tx, AppKind, app, before);
  const flavor = await tx.get(FlavorKind, FlavorKind.keyString(app.defaultFlavor));
  if (flavor) {
    const issues = new Issues();
    checkManifestFlavor(app, flavor, issues);
    refuse(issues.list);
    defaultServerless(app, flavor);
  }
  await movePackageName(tx, app, before);
  tx.put(AppKind, app);
}
