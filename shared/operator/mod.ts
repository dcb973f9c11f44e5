/**
 * The contract between the matching engine and what stands for an operator's network: verification of places, quality at
 * places, priority sessions.
 *
 * @module
 */
export type {
  GrantedSession,
  Operator,
  OperatorContext,
  OperatorMeta,
  OperatorPlugin,
  PrioritySession,
  QosSessions,
} from "./operator.ts";
export { readSettings } from "./settings.ts";
