/**
 * The processes of a region, seen from above: who runs, how the tree of replication stands, and commands that are run in
 * all of them or some, by questions that travel down the tree.
 *
 * @module
 */
export { joinNodes, LEVEL_COMMANDS, type NodeParts, type NodeTree } from "./join.ts";
export { joinService, type ServiceEnds } from "./service.ts";
