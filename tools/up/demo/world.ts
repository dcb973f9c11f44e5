import { type City, largestCities } from "./cities.ts";

/** Cities that each operator of the demo covers. */
const SITES_PER_OPERATOR = 4;

/** An operator of the demo: one country, its largest cities. */
export interface DemoOperator {
  organization: string;
  user: string;
  sites: City[];
}

/** An app of the demo and where it runs. */
export interface DemoApp {
  organization: string;
  name: string;
  version: string;
  /** Module under `apps/`. */
  module: string;
  accessPorts: string;
  /** Whether the app runs at the operator's site, given the site's rank by population from 0. */
  runsAt(operator: DemoOperator, rank: number): boolean;
}

/** A developer of the demo. */
export interface DemoDeveloper {
  organization: string;
  user: string;
}

/** What `up --demo` creates. */
export interface DemoWorld {
  flavor: { name: string; ram: number; vcpus: number; disk: number };
  operators: DemoOperator[];
  developers: DemoDeveloper[];
  apps: DemoApp[];
}

/** Three operators with a dozen cities, two developers with three apps. */
export function demoWorld(): DemoWorld {
  const operator = (organization: string, user: string, country: string): DemoOperator => ({
    organization,
    user,
    sites: largestCities(country, SITES_PER_OPERATOR),
  });
  return {
    flavor: { name: "small", ram: 256, vcpus: 1, disk: 1 },
    operators: [
      operator("rheinnetz", "rosa", "DE"),
      operator("ondelle", "odile", "FR"),
      operator("redsol", "ramon", "ES"),
    ],
    developers: [
      { organization: "hyperion", user: "hanna" },
      { organization: "meridian", user: "marco" },
    ],
    apps: [
      {
        organization: "hyperion",
        name: "scoreboard",
        version: "1.0",
        module: "scoreboard.ts",
        accessPorts: "tcp:8080",
        runsAt: (_operator, rank) => rank < 2,
      },
      {
        organization: "hyperion",
        name: "relay",
        version: "1.0",
        module: "relay.ts",
        accessPorts: "tcp:7000",
        runsAt: (_operator, rank) => rank === 0,
      },
      {
        organization: "meridian",
        name: "tiles",
        version: "2.1",
        module: "tiles.ts",
        accessPorts: "tcp:8080",
        runsAt: (operator, rank) => rank === 2 && operator.organization !== "redsol",
      },
    ],
  };
}
