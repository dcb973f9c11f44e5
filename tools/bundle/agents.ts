/** A program that is shipped to sites. */
export interface Agent {
  readonly name: string;
  /** Program below the checkout. */
  readonly main: string;
  /**
   * Permission flags, fixed in what is shipped. `$NAME` stands for a folder of the command line, `$RUNTIME` for the
   * shipped runtime.
   */
  readonly permissions: readonly string[];
  /** Options that name the folders, by the names in the permissions. */
  readonly folders: Readonly<Record<string, string>>;
  /** What is loaded when it is asked for, below the checkout. */
  readonly plugins: readonly string[];
}

/** Everything that can be shipped. */
export const agents: readonly Agent[] = [
  {
    name: "crm",
    main: "tiers/cloudlet/crm/main.ts",
    permissions: [
      // controllers, probes, and the hosts that modules come from are known at the site only
      "--allow-net",
      "--deny-net=169.254.0.0/16",
      "--allow-read",
      "--allow-write=$DATA,/var/run/docker.sock",
      "--allow-run=$RUNTIME",
      "--allow-sys=hostname,systemMemoryInfo,statfs",
      "--allow-env=ARCHIPELAGO_*,TRACEPARENT",
      "--ignore-env",
    ],
    folders: { DATA: "data-dir" },
    plugins: ["plugins/process/mod.ts", "plugins/docker/mod.ts"],
  },
  {
    name: "dme",
    main: "tiers/regional/dme/main.ts",
    permissions: [
      // controllers and the operator's own services are known at the site only
      "--allow-net",
      "--deny-net=169.254.0.0/16",
      "--allow-read",
      // its certificates and nothing else: the access key is the resource manager's
      "--allow-write=$TLS,$PUBLIC",
      "--allow-sys=hostname",
      "--allow-env=ARCHIPELAGO_*,TRACEPARENT",
      "--ignore-env",
    ],
    folders: { TLS: "tls-dir", PUBLIC: "public-tls-dir" },
    plugins: ["plugins/operator_standalone/mod.ts", "plugins/operator_location/mod.ts"],
  },
];

/** The agent of a name. Throws naming those that there are. */
export function agentOf(name: string): Agent {
  const agent = agents.find((each) => each.name === name);
  if (agent) return agent;
  throw new Error(`Unknown agent "${name}", there are: ${agents.map((each) => each.name).join(", ")}`);
}
