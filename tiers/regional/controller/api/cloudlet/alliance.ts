import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  type CloudletAllianceOrg,
  CloudletAllianceOrg as AllianceMessage,
  type CloudletApi,
  CloudletKind,
  requiredIssues,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { refuse } from "../../faults.ts";
import { checkCloudlet } from "../../rules/cloudlet.ts";
import { Issues } from "../../rules/issues.ts";
import { done } from "../requests.ts";

/** Calls that change which other operators may use a cloudlet. Whoever adds one that is there, or removes one that is not, is right already. */
export function cloudletAllianceCalls(
  { region }: ApiContext,
): Pick<Handlers<typeof CloudletApi>, "addCloudletAllianceOrg" | "removeCloudletAllianceOrg"> {
  async function change(request: CloudletAllianceOrg, apply: (orgs: string[]) => string[]): Promise<void> {
    refuse(requiredIssues(AllianceMessage, request));
    const key = CloudletKind.keyString(request.key);
    await region.change(async (tx) => {
      const cloudlet = await tx.requireUsable(CloudletKind, key);
      const organizations = apply(cloudlet.allianceOrgs);
      if (organizations.length === cloudlet.allianceOrgs.length) return;
      const changed = { ...cloudlet, allianceOrgs: organizations };
      const issues = new Issues();
      checkCloudlet(changed, issues);
      refuse(issues.list.filter(({ path }) => path.startsWith("alliance_orgs")));
      tx.put(CloudletKind, changed);
    });
  }
  return {
    async addCloudletAllianceOrg(request) {
      const { organization } = request;
      await change(request, (orgs) => orgs.includes(organization) ? orgs : [...orgs, organization]);
      return done("Added alliance organization");
    },
    async removeCloudletAllianceOrg(request) {
      await change(request, (orgs) => orgs.filter((org) => org !== request.organization));
      return done("Removed alliance organization");
    },
  };
}
