import { CRMOverride } from "../../../../shared/schema/mod.ts";

/** How far one call goes without, or against, the site's resource manager (specification 5.2). */
export interface Override {
  /** The value as the caller gave it, for calls that this one makes in turn. */
  readonly value: CRMOverride;
  /** What the site could not do counts as done. */
  readonly ignoresErrors: boolean;
  /** The site is not asked, and need not be ready. */
  readonly ignoresSite: boolean;
  /** Begins although another operation is under way. */
  readonly ignoresBusy: boolean;
}

/** What an override means. Values that nobody knows mean none. */
export function overrideOf(value: CRMOverride): Override {
  const { IGNORE_CRM_ERRORS, IGNORE_CRM, IGNORE_TRANSIENT_STATE, IGNORE_CRM_AND_TRANSIENT_STATE } = CRMOverride;
  return {
    value,
    ignoresErrors: value === IGNORE_CRM_ERRORS,
    ignoresSite: value === IGNORE_CRM || value === IGNORE_CRM_AND_TRANSIENT_STATE,
    ignoresBusy: value === IGNORE_TRANSIENT_STATE || value === IGNORE_CRM_AND_TRANSIENT_STATE,
  };
}

/** No override. */
export const NO_OVERRIDE: Override = overrideOf(CRMOverride.NO_OVERRIDE);
