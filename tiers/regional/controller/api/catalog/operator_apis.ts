import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  CloudletKind,
  CloudletPool,
  type CloudletPoolApi,
  CloudletPoolKind,
  type CloudletPoolMember,
  type NetworkApi,
  NetworkKind,
  type OperatorCodeApi,
  OperatorCodeKind,
  ResTagTable,
  type ResTagTableApi,
  ResTagTableKind,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { type AnyKind, inUse, notFound, refuse } from "../../faults.ts";
import { Issues } from "../../rules/issues.ts";
import { checkName } from "../../rules/names.ts";
import { checkNetwork } from "../../rules/network.ts";
import { checkCloudletPool, checkOperatorCode, checkResTagTable } from "../../rules/operator_objects.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { done } from "../requests.ts";
import { requireTrustOutside } from "../app_trust.ts";
import { catalog, streamed } from "./catalog.ts";

/** Handlers of OperatorCodeApi. */
export function operatorCodeApi(context: ApiContext): Handlers<typeof OperatorCodeApi> {
  const codes = catalog(context, OperatorCodeKind, { check: checkOperatorCode });
  return { createOperatorCode: codes.create, deleteOperatorCode: codes.remove, showOperatorCode: codes.show };
}

/** Handlers of ResTagTableApi. */
export function resTagTableApi(context: ApiContext): Handlers<typeof ResTagTableApi> {
  const tables = catalog(context, ResTagTableKind, {
    key(table) {
      table.key.name = table.key.name.toLowerCase();
    },
    check: checkResTagTable,
  });
  return {
    createResTagTable: tables.create,
    deleteResTagTable: tables.remove,
    updateResTagTable: tables.update,
    showResTagTable: tables.show,
    async addResTag(request) {
      await tables.modify(request, (table) => Object.assign(table.tags, request.tags));
      return done("Added tags to the resource tag table");
    },
    async removeResTag(request) {
      await tables.modify(request, (table) => {
        for (const name of Object.keys(request.tags)) delete table.tags[name];
      });
      return done("Removed tags from the resource tag table");
    },
    // deno-lint-ignore require-await -- async as calls are
    async getResTagTable(key) {
      const keyString = ResTagTableKind.keyString({ ...key, name: key.name.toLowerCase() });
      const table = context.region.cache.get(ResTagTableKind, keyString);
      if (table === undefined) throw notFound(ResTagTableKind as AnyKind, keyString);
      return ResTagTable.create(table);
    },
  };
}

/** Handlers of CloudletPoolApi. */
export function cloudletPoolApi(context: ApiContext): Handlers<typeof CloudletPoolApi> {
  const { cache } = context.region;
  const pools = catalog(context, CloudletPoolKind, {
    defaults(pool) {
      // Specification 1.8: a pool holds its own operator's cloudlets only.
      for (const member of pool.cloudlets) member.organization = pool.key.organization;
    },
    check: checkCloudletPool,
    updating: (_pool, _before, key) => refuseInUse(cache, CloudletPoolKind as AnyKind, key),
    async within(tx, pool, before) {
      const stay = new Set(pool.cloudlets.map(CloudletKind.keyString));
      const leaving = before?.cloudlets.map(CloudletKind.keyString).filter((key) => !stay.has(key)) ?? [];
      await requireTrustOutside(context, tx, CloudletPoolKind.keyString(pool.key), leaving);
    },
  });

  /** The pool of a request about one member, with the member's key as the pool keeps it. */
  function memberOf({ key, cloudlet }: CloudletPoolMember) {
    const issues = new Issues();
    issues.check(cloudlet.name !== "", "cloudlet.name", undefined, "is required");
    checkName(issues, "cloudlet.name", cloudlet.name);
    const fits = cloudlet.organization === "" || cloudlet.organization === key.organization;
    issues.check(fits, "cloudlet.organization", cloudlet.organization, "must be empty or the pool's");
    refuse(issues.list);
    const member = { ...cloudlet, organization: key.organization };
    return { pool: CloudletPool.create({ key }), member, memberKey: CloudletKind.keyString(member) };
  }

  return {
    createCloudletPool: pools.create,
    deleteCloudletPool: pools.remove,
    updateCloudletPool: pools.update,
    showCloudletPool: pools.show,
    async addCloudletPoolMember(request) {
      const { pool, member, memberKey } = memberOf(request);
      await pools.modify(pool, ({ cloudlets }, issues) => {
        const absent = !cloudlets.some((other) => CloudletKind.keyString(other) === memberKey);
        issues.check(absent, "cloudlet", memberKey, "already exists in the pool");
        cloudlets.push(member);
      });
      return done("Added cloudlet to the pool");
    },
    async removeCloudletPoolMember(request) {
      const { pool, memberKey } = memberOf(request);
      await pools.modify(pool, (found) => {
        found.cloudlets = found.cloudlets.filter((other) => CloudletKind.keyString(other) !== memberKey);
      });
      return done("Removed cloudlet from the pool");
    },
  };
}

/** Handlers of NetworkApi. */
export function networkApi(context: ApiContext): Handlers<typeof NetworkApi> {
  const networks = catalog(context, NetworkKind, {
    check: checkNetwork,
    updating: (_network, _before, key) => refuseInUse(context.region.cache, NetworkKind as AnyKind, key),
  });
  return {
    createNetwork: (request) => streamed(networks.create(request)),
    deleteNetwork: (request, call) => streamed(networks.remove(request, call)),
    updateNetwork: (request) => streamed(networks.update(request)),
    showNetwork: networks.show,
  };
}

function refuseInUse(cache: RegionCache, kind: AnyKind, key: string): void {
  const referrers = cache.referrers(kind, key);
  if (referrers.length > 0) throw inUse(kind, referrers);
}
