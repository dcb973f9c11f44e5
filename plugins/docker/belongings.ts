import { type AppSpec, type ObjectRef, type OperationContext, PlatformError } from "../../shared/platform/mod.ts";
import { instanceLabels } from "./container.ts";
import { type Engine, EngineError } from "./engine.ts";
import { LABEL, refOf, type Site, siteFilter } from "./labels.ts";
import { createNetwork, removeNetwork } from "./networks.ts";
import type { Plan } from "./plan.ts";

type Labels = Readonly<Record<string, string>> | null;

/** Networks and volumes of instances' own, as compose files name them. */
export interface Belongings {
  /** Makes the networks and volumes that are not there yet. Returns the names of the volumes that it made. */
  make(spec: AppSpec, plan: Plan, operation: OperationContext): Promise<string[]>;
  removeNetworks(ref: ObjectRef): Promise<void>;
  /** Removes volumes: those of the names, or all of an instance. */
  removeVolumes(ref: ObjectRef, names?: readonly string[]): Promise<void>;
  /** Instances that have any. */
  owners(): Promise<ObjectRef[]>;
}

/** Makes the operations on what belongs to instances beside their containers. */
export function belongingsOf(engine: Engine, site: Site): Belongings {
  async function networks(key?: string): Promise<{ Id: string; Name: string; Labels: Labels }[]> {
    const filters = siteFilter(site, LABEL.appInst, key);
    return await engine.call({ path: "/networks", query: { filters } }) as {
      Id: string;
      Name: string;
      Labels: Labels;
    }[];
  }
  async function volumes(key?: string): Promise<{ Name: string; Labels: Labels }[]> {
    const filters = siteFilter(site, LABEL.appInst, key);
    const found = await engine.call({ path: "/volumes", query: { filters } }) as {
      Volumes: { Name: string; Labels: Labels }[] | null;
    };
    return found.Volumes ?? [];
  }
  return {
    async make(spec, plan, { signal }) {
      const labels = instanceLabels(site, spec);
      const present = new Set((await networks(spec.key)).map(({ Name }) => Name));
      for (const name of plan.networks) if (!present.has(name)) await createNetwork(engine, name, labels, signal);
      const kept = new Set((await volumes(spec.key)).map(({ Name }) => Name));
      const made = plan.volumes.filter((name) => !kept.has(name));
      for (const name of made) {
        const body = { Name: name, Labels: labels };
        try {
          await engine.call({ method: "POST", path: "/volumes/create", body, signal });
        } catch (error) {
          if (!(error instanceof EngineError)) throw error;
          throw new PlatformError("Inconsistent", `The volume cannot be created: ${error.message}`, { cause: error });
        }
      }
      return made;
    },
    async removeNetworks(ref) {
      for (const { Id } of await networks(ref.key)) await removeNetwork(engine, Id);
    },
    async removeVolumes(ref, names) {
      for (const { Name } of await volumes(ref.key)) {
        if (names !== undefined && !names.includes(Name)) continue;
        try {
          await engine.call({ method: "DELETE", path: `/volumes/${Name}` });
        } catch (error) {
          if (!(error instanceof EngineError && error.status === 404)) throw error;
        }
      }
    },
    async owners() {
      const all = [...await networks(), ...await volumes()].map(({ Labels }) => refOf(Labels ?? {}, LABEL.appInst));
      return [...new Map(all.map((ref) => [ref.key, ref])).values()];
    },
  };
}
