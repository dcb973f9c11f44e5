import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  type App,
  AppAlertPolicy,
  type AppApi,
  AppAutoProvPolicy,
  type AppKey,
  AppKind,
  type MessageType,
  requiredIssues,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { refuse } from "../faults.ts";
import { checkApp } from "../rules/app.ts";
import { Issues } from "../rules/issues.ts";
import { requireReferences } from "../state/references.ts";
import { done } from "./requests.ts";

type PolicyCalls = Pick<
  Handlers<typeof AppApi>,
  "addAppAutoProvPolicy" | "removeAppAutoProvPolicy" | "addAppAlertPolicy" | "removeAppAlertPolicy"
>;

/** A list of policies of an app. */
type PolicyList = "autoProvPolicies" | "alertPolicies";

/** Calls that add a policy to an app or remove one. Instances know nothing of them, so the revision stays. */
export function appPolicyCalls({ region }: ApiContext): PolicyCalls {
  async function change<T extends { appKey: AppKey }>(
    type: MessageType<T>,
    request: T,
    list: PolicyList,
    edit: (names: readonly string[], issues: Issues) => string[],
  ): Promise<void> {
    refuse(requiredIssues(type, request));
    await region.change(async (tx) => {
      const app = await tx.requireUsable(AppKind, AppKind.keyString(request.appKey));
      const before: App = AppKind.message.create(app);
      const issues = new Issues();
      app[list] = edit(app[list], issues);
      checkApp(app, issues);
      refuse(issues.list);
      await requireReferences(tx, AppKind, app, before);
      if (app[list].length !== before[list].length) tx.put(AppKind, app);
    });
  }

  const adding = (field: string, name: string) => (names: readonly string[], issues: Issues) => {
    issues.check(!names.includes(name), field, name, "is a policy of the app already");
    return names.includes(name) ? [...names] : [...names, name];
  };
  const removing = (name: string) => (names: readonly string[]) => names.filter((other) => other !== name);

  return {
    async addAppAutoProvPolicy(request) {
      const { autoProvPolicy: name } = request;
      await change(AppAutoProvPolicy, request, "autoProvPolicies", adding("auto_prov_policy", name));
      return done("Added policy to the app");
    },
    async removeAppAutoProvPolicy(request) {
      await change(AppAutoProvPolicy, request, "autoProvPolicies", removing(request.autoProvPolicy));
      return done("Removed policy from the app");
    },
    async addAppAlertPolicy(request) {
      await change(AppAlertPolicy, request, "alertPolicies", adding("alert_policy", request.alertPolicy));
      return done("Added policy to the app");
    },
    async removeAppAlertPolicy(request) {
      await change(AppAlertPolicy, request, "alertPolicies", removing(request.alertPolicy));
      return done("Removed policy from the app");
    },
  };
}
