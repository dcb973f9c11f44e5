import type { CallContext, MessageBatch } from "../../../../../shared/rpc/mod.ts";
import {
  applyMask,
  type DeepPartial,
  equal,
  matcher,
  type ObjectKind,
  requiredIssues,
  type Result,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { alreadyExists, type AnyKind, notFound, refuse } from "../../faults.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { requireReferences } from "../../state/references.ts";
import { deleteStored, type DeletionOptions } from "../deletion.ts";
import { done, finish, readKey, readNew, show } from "../requests.ts";

/** What one kind of object has of its own; all else of {@linkcode catalog} comes from the schema. */
export interface CatalogRules<T> {
  /** Brings the key of any request into the form in which it is stored. */
  key?(object: T): void;
  /** Fills in what follows from other fields, of a new object (`before` is undefined) and of a changed one. */
  defaults?(object: T, before: T | undefined): void;
  /** Checks what needs no other object. `before` is undefined for a new object. */
  check?(object: T, issues: Issues, before: T | undefined): void;
  /** Refuses an update (not a change by a call of its own) that would change something, for what refers to the object. */
  updating?(object: T, before: T, keyString: string): Promise<void> | void;
  /**
   * Runs in the transaction, before the references are checked and the object is written: checks against other objects,
   * and fills in copies of them. Throws to refuse.
   */
  within?(tx: ObjectTx, object: T, before: T | undefined): Promise<void>;
  /** Runs in the transaction that removes the object: refuses by throwing, or removes what hangs on it. */
  removing?(tx: ObjectTx, object: T): Promise<void>;
  /** Objects that refer to a deleted one and go along. */
  along?: DeletionOptions<T>["along"];
}

/** The four calls that every object of the catalog has. Those that answer by a stream give one line. */
export interface CatalogCalls<T> {
  create(request: T): Promise<Result>;
  /** Changes the masked fields (specification 0.3). When that changes nothing, nothing is written. */
  update(request: T): Promise<Result>;
  /** Deletes by the two steps of specification 4.1, where others may refer to such objects. */
  remove(request: T, call: CallContext): Promise<Result>;
  show(request: T, call: CallContext): AsyncGenerator<MessageBatch>;
  /**
   * Changes an object by a call of its own: reads it, lets `change` work on it, and writes it when that made a difference,
   * with all checks of an update.
   */
  modify(request: T, change: (object: T, issues: Issues) => void): Promise<void>;
}

/** Makes the calls of a kind of objects that live in the region store and on which no site has to work. */
export function catalog<T extends object, K>(
  context: ApiContext,
  kind: ObjectKind<T, K>,
  rules: CatalogRules<T> = {},
): CatalogCalls<T> {
  const { region, operations } = context;
  const anyKind = kind as AnyKind;
  const hasDeletePrepare = kind.message.descriptor.field("delete_prepare") !== undefined;

  function keyOf(request: T): string {
    rules.key?.(request);
    return readKey(kind, request);
  }

  async function modify(
    request: T,
    change: (object: T, issues: Issues) => void,
    options: { updating?: boolean } = {},
  ): Promise<void> {
    const key = keyOf(request);
    await region.change(async (tx) => {
      const object = await tx.requireUsable(kind, key);
      requireOwner(kind, request, object, key);
      const before = kind.message.create(object as DeepPartial<T>);
      const issues = new Issues();
      change(object, issues);
      refuse(issues.list);
      rules.defaults?.(object, before);
      if (equal(kind.message, object, before)) return;
      if (options.updating) await rules.updating?.(object, before, key);
      issues.list.push(...requiredIssues(kind.message, object));
      rules.check?.(object, issues, before);
      refuse(issues.list);
      await rules.within?.(tx, object, before);
      await requireReferences(tx, anyKind, object, before);
      tx.put(kind, object);
    });
  }

  return {
    async create(request) {
      const object = readNew(kind, request, {
        defaults(created) {
          rules.key?.(created);
          rules.defaults?.(created, undefined);
        },
        check: (created, issues) => rules.check?.(created, issues, undefined),
      });
      const key = kind.keyString(kind.key(object));
      await region.changeByCache(async (tx) => {
        if (await tx.get(kind, key)) throw alreadyExists(anyKind, key);
        const created = kind.message.create(object as DeepPartial<T>);
        await rules.within?.(tx, created, undefined);
        await requireReferences(tx, anyKind, created);
        tx.put(kind, created);
      });
      return done(`Created ${kind.noun}`);
    },
    async update(request) {
      const mask = (request as { fields?: string[] }).fields ?? [];
      await modify(request, (object, issues) => {
        for (const { field, rule } of applyMask(kind.message, object, request, mask).refused) {
          issues.add(field, undefined, rule);
        }
      }, { updating: true });
      return done(`Updated ${kind.noun}`);
    },
    async remove(request, call) {
      const key = keyOf(request);
      if (hasDeletePrepare) {
        const progress = operations.run(
          anyKind,
          key,
          "delete",
          (operation) =>
            deleteStored<T & { deletePrepare: boolean }, K>(
              context,
              operation,
              kind as unknown as ObjectKind<T & { deletePrepare: boolean }, K>,
              key,
              {
                // deno-lint-ignore require-await -- async as the deletion wants it
                check: async (_, object) => requireOwner(kind, request, object, key),
                remove: rules.removing,
                along: rules.along,
              },
            ),
        );
        await finish(progress, call);
      } else {
        await region.change(async (tx) => {
          const object = await tx.require(kind, key);
          requireOwner(kind, request, object, key);
          await rules.removing?.(tx, object);
          tx.remove(anyKind, key);
        });
      }
      return done(`Deleted ${kind.noun}`);
    },
    show: (request, call) => show(region.cache, kind, matcher(kind.message, request), call),
    modify,
  };
}

/** The answer of a call that streams, where there is nothing to tell but the end. */
export async function* streamed(result: Promise<Result>): AsyncGenerator<Result> {
  yield await result;
}

/**
 * Where the owner is not part of the key, the caller was authorized for the organization that the request names, so the
 * object must be that organization's.
 */
function requireOwner<T, K>(kind: ObjectKind<T, K>, request: T, object: T, key: string): void {
  const named = kind.owner(request);
  if (named !== "" && named !== kind.owner(object)) throw notFound(kind as AnyKind, key);
}
