/** Word by which a manifest names the instance's own scratch folder. */
export const SCRATCH = "scratch";

/** An outside address that an app may connect to. */
export interface NetTarget {
  /** DNS name, IPv4 address, or IPv6 address without brackets. */
  readonly host: string;
  /** 1..65535. */
  readonly port: number;
}

/** What an app asks for, complete and checked. */
export interface ProcessManifest {
  readonly permissions: {
    /** Addresses that the app may connect to, beside its own ports. */
    readonly net: readonly NetTarget[];
    /** Names of variables that the app may read beside those it is given. */
    readonly env: readonly string[];
    /** The app may read its scratch folder. */
    readonly readScratch: boolean;
    /** The app may write its scratch folder. */
    readonly writeScratch: boolean;
  };
  /** Variables that the app is given. */
  readonly env: Readonly<Record<string, string>>;
  /** Heap limit in megabytes; undefined: the flavor's memory. */
  readonly memoryMb: number | undefined;
}

/** What an app without a manifest has: its own ports and variables, nothing else. */
export const EMPTY_MANIFEST: ProcessManifest = {
  permissions: { net: [], env: [], readScratch: false, writeScratch: false },
  env: {},
  memoryMb: undefined,
};

/** One fault of a manifest. */
export interface ManifestIssue {
  /** Where, e.g. `deployment_manifest.permissions.net[0]`. */
  readonly path: string;
  /** The value at fault, shortened. */
  readonly value: string;
  /** The rule that it breaks. */
  readonly rule: string;
}

/** A manifest that breaks a rule; `issues` holds every fault. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  readonly issues: readonly ManifestIssue[];

  constructor(issues: readonly ManifestIssue[]) {
    super(issues.map((issue) => `Invalid ${issue.path} "${issue.value}": ${issue.rule}`).join("; "));
    this.issues = issues;
  }
}
