import { isReservedClusterName } from "./cluster_names.ts";
import type { Issues } from "./issues.ts";

// Specification 0.7.
const VALID_NAME = /^[0-9a-zA-Z][-_0-9a-zA-Z .&,!]*$/;
const POLICY_ORGANIZATION = /^[0-9a-zA-Z_.-]([-_0-9a-zA-Z .&,!]*[-_0-9a-zA-Z.&,!])?$/;
const CLUSTER_NAME = /^[0-9a-zA-Z][-0-9a-zA-Z.]*$/;

/** Longest name of an object or organization, in characters: it must leave room in keys, labels and identifiers. */
const MAX_NAME_CHARACTERS = 128;
/** Longest name of a cluster, in characters (specification 0.7). */
const MAX_CLUSTER_NAME_CHARACTERS = 40;

/** Checks a name that is there; a missing one is for the schema's `required` to say. */
export function checkName(issues: Issues, path: string, name: string): void {
  if (name === "") return;
  issues.check(
    VALID_NAME.test(name),
    path,
    name,
    "must begin with a letter or digit and hold only letters, digits, spaces and - _ . & , !",
  );
  issues.check(
    name.length <= MAX_NAME_CHARACTERS,
    path,
    name,
    `must be at most ${MAX_NAME_CHARACTERS} characters`,
  );
}

/**
 * Checks the key of a policy (specification 0.7): the organization as one that a directory of users can hold, the name as
 * any text that is not too long.
 */
export function checkPolicyKey(issues: Issues, key: { organization: string; name: string }): void {
  const { organization, name } = key;
  if (organization !== "") {
    issues.check(
      POLICY_ORGANIZATION.test(organization) && organization.length <= MAX_NAME_CHARACTERS,
      "key.organization",
      organization,
      `must hold only letters, digits, inner spaces and _ . - & , !, at most ${MAX_NAME_CHARACTERS} characters`,
    );
  }
  issues.check(
    // deno-lint-ignore no-control-regex -- control characters would garble logs and tables
    name.length <= MAX_NAME_CHARACTERS && !/[\x00-\x1f\x7f]/.test(name),
    "key.name",
    name,
    `must be at most ${MAX_NAME_CHARACTERS} characters, without control characters`,
  );
}

/** Checks the name of a cluster that a caller wants to create. */
export function checkClusterName(issues: Issues, path: string, name: string): void {
  if (name === "") return;
  issues.check(
    CLUSTER_NAME.test(name) && name.length <= MAX_CLUSTER_NAME_CHARACTERS,
    path,
    name,
    `must begin with a letter or digit, hold only letters, digits, - and ., at most ${MAX_CLUSTER_NAME_CHARACTERS}`,
  );
  issues.check(!isReservedClusterName(name), path, name, "is a reserved name");
}

/** Text as part of a DNS name: lower case, `_` as `-`, without spaces and `. & , !`, cut to `maxCharacters`. */
export function sanitizeDns(text: string, maxCharacters = 63): string {
  return text.toLowerCase().replaceAll("_", "-").replace(/[ .&,!]/g, "").slice(0, maxCharacters).replace(/-+$/, "");
}
