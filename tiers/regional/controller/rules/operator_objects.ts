import { CloudletKind, type CloudletPool, type OperatorCode, type ResTagTable } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";

const MAX_TAGS = 100;
const MAX_TAG_CHARACTERS = 1024;

/** Checks an operator code: three digits of a country, two or three of a network. */
export function checkOperatorCode({ code, organization }: OperatorCode, issues: Issues): void {
  checkName(issues, "code", code);
  checkName(issues, "organization", organization);
}

/** Checks a resource tag table (specification 3.7). */
export function checkResTagTable({ key, tags }: ResTagTable, issues: Issues): void {
  checkName(issues, "key.name", key.name);
  checkName(issues, "key.organization", key.organization);
  const entries = Object.entries(tags);
  issues.check(entries.length <= MAX_TAGS, "tags", entries.length, `must hold at most ${MAX_TAGS} entries`);
  for (const [name, value] of entries) {
    issues.check(
      name !== "" && value !== "" && name.length + value.length <= MAX_TAG_CHARACTERS,
      `tags.${name.slice(0, 64)}`,
      value,
      `must have a name and a text, of at most ${MAX_TAG_CHARACTERS} characters`,
    );
  }
}

/** Checks a cloudlet pool, whose members are of its own organization by now (specification 3.11). */
export function checkCloudletPool({ key, cloudlets }: CloudletPool, issues: Issues): void {
  checkName(issues, "key.organization", key.organization);
  checkName(issues, "key.name", key.name);
  const members = cloudlets.map((member) => CloudletKind.keyString(member));
  cloudlets.forEach(({ name }, i) => {
    issues.check(name !== "", `cloudlets[${i}].name`, undefined, "is required");
    issues.check(members.indexOf(members[i]!) === i, `cloudlets[${i}]`, members[i], "must not be there twice");
  });
}
