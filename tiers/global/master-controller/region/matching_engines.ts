import { type RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { type MatchCandidate, MatchVerdict, Result } from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";
import { type ControllerAnswer, regionError } from "./call.ts";

/** One text of what the controllers say of the devices that their engines have asked. @throws {ApiError} when none has */
export function* latencyAnswer(region: string, answers: readonly ControllerAnswer[]): Iterable<object> {
  const failures = realFailures(answers);
  const told = answers.flatMap(({ replies }) => replies as readonly Result[]).map(({ message }) => message);
  if (told.length === 0) throw regionError(region, failures[0]);
  yield Result.create({
    message: [...told, ...failures.map((error) => regionError(region, error).message)].join("; "),
  });
}

/**
 * What the engines of all controllers say, equal candidates once with the names of all engines that say so: in the order
 * of the first engine, so that what others say otherwise stands behind. A controller that fails is told last.
 *
 * @throws {ApiError} when no engine could say anything
 */
export function* explanationAnswer(region: string, answers: readonly ControllerAnswer[]): Iterable<object> {
  const failures = realFailures(answers);
  const byText = new Map<string, MatchCandidate>();
  for (const candidate of answers.flatMap(({ replies }) => replies as readonly MatchCandidate[])) {
    const text = JSON.stringify({ ...candidate, engines: [] });
    const same = byText.get(text);
    byText.set(text, same ? { ...same, engines: [...same.engines, ...candidate.engines] } : candidate);
  }
  const rows = [...byText.values()];
  const isMute = ({ verdict }: MatchCandidate) => verdict === MatchVerdict.MATCH_VERDICT_UNKNOWN;
  if (rows.length > 0 && rows.every(isMute)) {
    throw badRequest(rows.map(({ reason }) => reason).join("; "));
  }
  yield* rows.filter((row) => !isMute(row));
  yield* rows.filter(isMute);
  if (failures.length > 0) throw regionError(region, failures[0]);
}

/** Failures but those of controllers that have no engine, where others have. */
function realFailures(answers: readonly ControllerAnswer[]): RpcError[] {
  const failures = answers.map(({ failure }) => failure).filter((failure) => failure !== undefined);
  const others = failures.filter(({ code }) => code !== Status.FAILED_PRECONDITION);
  return failures.length < answers.length || others.length > 0 ? others : failures;
}
