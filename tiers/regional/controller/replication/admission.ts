import type { Identity } from "../../../../shared/identity/mod.ts";
import type { Admission, HelloInfo } from "../../../../shared/notify/mod.ts";
import {
  AlertKind,
  type Audience,
  AutoProvInfoKind,
  CloudletKind,
  kinds,
  siteViewName,
} from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";

/** What each service may ask for. */
const AUDIENCE_OF_SERVICE: Readonly<Record<string, Audience>> = {
  dme: "TO_DME",
  crm: "TO_CRM",
  shepherd: "TO_CRM",
  "auto-provisioner": "TO_AUTO_PROVISIONER",
};

/** What starts and stops resource managers needs to know of the sites, and nothing else. */
const SITE_MANAGER = "up";

/** The service that finds other places for instances. */
export const AUTO_PROVISIONER = "auto-provisioner";

/** The only service that reports what is on a site. */
const SITE_REPORTER = "crm";

/** The service that answers devices, in the region or on a site. */
const MATCHING_ENGINE = "dme";

/** Services that raise alerts. */
const ALERTING: readonly string[] = [SITE_REPORTER, "shepherd", AUTO_PROVISIONER];

/**
 * Decides which children may connect and what they may see and own. What a child says of itself counts only where its
 * certificate says the same (architecture, section 5).
 *
 * @param siteEngines whether matching engines on cloudlets are let in
 */
export function admit(
  identity: Identity,
  hello: HelloInfo,
  region: string,
  siteEngines = false,
): Admission | { refuse: string } {
  if (identity.tier === "global") return { refuse: "Services of the global tier have no stream here" };
  if (hello.region !== region || identity.region !== region) {
    return { refuse: `This is region ${region}, not ${hello.region}` };
  }
  if (hello.service !== identity.service) {
    return { refuse: `The certificate is of service ${identity.service}, not of ${hello.service}` };
  }
  const wants = wantsOf(hello.service);
  if (wants === undefined) return { refuse: `Service ${hello.service} has no stream here` };
  if (identity.tier === "regional") {
    if (hello.service === SITE_REPORTER) return { refuse: "A resource manager needs a certificate of its cloudlet" };
    const owns = hello.service === AUTO_PROVISIONER ? [AutoProvInfoKind.kind] : [];
    return { wants, owns: [...owns, ...alertsOf(hello.service)] };
  }
  const engine = hello.service === MATCHING_ENGINE;
  if (engine && !siteEngines) {
    return { refuse: "This region lets no matching engines of cloudlets in; its controllers need --cloudlet-dmes" };
  }
  if (!engine && AUDIENCE_OF_SERVICE[hello.service] !== "TO_CRM") {
    return { refuse: `Service ${hello.service} needs a certificate of the region` };
  }
  const { organization, name } = identity.cloudlet;
  const scope = CloudletKind.keyString(CloudletKind.keyMessage.create({ organization, name }));
  if (hello.cloudlet !== scope) {
    return { refuse: `The certificate is of cloudlet ${scope}, not of ${hello.cloudlet}` };
  }
  if (engine) {
    // A site may have several. The scope marks what they send as a site's, of which little is believed.
    const views = kindsFor("TO_SITE_DME").map(siteViewName);
    return { scope, wants: views, owns: [], name: `${MATCHING_ENGINE} ${scope} ${hello.instance}` };
  }
  return { scope, wants, owns: hello.service === SITE_REPORTER ? reportedBySites() : alertsOf(hello.service) };
}

function alertsOf(service: string): string[] {
  return ALERTING.includes(service) ? [AlertKind.kind] : [];
}

/** What a site is the source of, and its alerts. */
function reportedBySites(): string[] {
  const reports = (kinds as readonly AnyKind[]).filter((kind) => kind.source === "CRM").map((kind) => kind.kind);
  return [...kindsFor("TO_CONTROLLER").filter((kind) => reports.includes(kind)), ...alertsOf(SITE_REPORTER)];
}

function wantsOf(service: string): string[] | undefined {
  if (service === SITE_MANAGER) return [CloudletKind.kind];
  const audience = Object.hasOwn(AUDIENCE_OF_SERVICE, service) ? AUDIENCE_OF_SERVICE[service] : undefined;
  return audience && kindsFor(audience);
}

function kindsFor(audience: Audience): string[] {
  return (kinds as readonly AnyKind[]).filter((kind) => kind.replicate.some((rule) => rule.to === audience))
    .map((kind) => kind.kind);
}
