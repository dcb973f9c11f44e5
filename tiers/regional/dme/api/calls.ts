import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { dme, type MessageType } from "../../../../shared/schema/mod.ts";
import type { ProvenSession } from "../cookies/mod.ts";
import { getAppInstList } from "./app_inst_list.ts";
import type { Caller, Desk } from "./desk.ts";
import { findCloudlet } from "./find_cloudlet.ts";
import { qosPositionKpi, verifyLocation } from "./location_calls.ts";
import { getAppOfficialFqdn, getFqdnList, platformFindCloudlet } from "./platform_calls.ts";
import { type Forms, foundForms } from "./prepared.ts";
import { createQosSession, deleteQosSession } from "./qos_sessions.ts";
import { admit, admitUser } from "./rate_limit.ts";
import type { CallNote } from "./records.ts";
import { registerClient } from "./register_client.ts";
import { authenticate } from "./session.ts";

/** One unary call, whatever carried its request. */
export interface Call<I = unknown, O = unknown> {
  /** Proto name, e.g. `FindCloudlet`. */
  readonly name: string;
  readonly input: MessageType<I>;
  readonly output: MessageType<O>;
  /** Whether it has a REST form. */
  readonly rest: boolean;
  /** How its replies are printed and encoded, where that is not left to their type. */
  readonly forms?: Forms<O>;
  /** @throws {RpcError} When the request is refused. */
  run(request: I, caller: Caller): Promise<O>;
}

/** One call that is answered with a stream. */
export interface StreamCall<I = unknown, O = unknown> extends Omit<Call<I, O>, "run"> {
  /** Ends with an RpcError when the request is refused. */
  run(request: I, caller: Caller): AsyncIterableIterator<O>;
}

/** The calls that are served, by their name with a small first letter as in the service definitions. */
export type Calls = ReturnType<typeof createCalls>;

/** Told of every call that ended. */
export type CallObserver = (name: string, code: Status, durationMs: number, note: Readonly<CallNote>) => void;

/**
 * Makes the calls of the client API. Each is first held to the rate limits, then proves the session by the cookie in the
 * message, then does its work (DME specification 3.1).
 */
export function createCalls(desk: Desk, observe: CallObserver = () => {}, monotonicMs: () => number = () => 0) {
  type Definition<I, O> = { name: string; input: MessageType<I>; output: MessageType<O> };

  function call<I, O>(
    definition: Definition<I, O>,
    run: (request: I, caller: Caller, note: CallNote) => O | Promise<O>,
  ): Call<I, O> {
    const { name, input, output } = definition;
    return {
      name,
      input,
      output,
      rest: true,
      async run(request, caller) {
        const startedMs = monotonicMs();
        const note: CallNote = { app: "", cloudlet: "", carrier: "" };
        try {
          const turn = admit(desk, name, caller);
          if (turn !== undefined) await turn;
          const why = desk.notReady();
          if (why !== undefined) throw new RpcError(Status.UNAVAILABLE, why);
          const result = run(request, caller, note);
          const reply = result instanceof Promise ? await result : result;
          observe(name, Status.OK, monotonicMs() - startedMs, note);
          return reply;
        } catch (error) {
          const failure = RpcError.from(error);
          observe(name, failure.code, monotonicMs() - startedMs, note);
          throw failure;
        }
      },
    };
  }

  function sessionCall<I extends { sessionCookie: string }, O>(
    definition: Definition<I, O>,
    run: (request: I, session: ProvenSession, note: CallNote) => O | Promise<O>,
  ): Call<I, O> {
    function proven(request: I, caller: Caller, note: CallNote, session: ProvenSession): O | Promise<O> {
      note.app = session.app;
      const turn = admitUser(desk, definition.name, caller, session);
      return turn === undefined ? run(request, session, note) : turn.then(() => run(request, session, note));
    }
    // The usual call has nothing to wait for, and each wait costs as much as a search.
    return call(definition, (request, caller, note) => {
      const session = authenticate(desk, request.sessionCookie);
      if (!(session instanceof Promise)) return proven(request, caller, note, session);
      return session.then((session) => proven(request, caller, note, session));
    });
  }

  function sessionStream<I extends { sessionCookie: string }, O>(
    definition: Definition<I, O>,
    run: (request: I, session: ProvenSession) => AsyncIterable<O> | Iterable<O>,
  ): StreamCall<I, O> {
    const opening = sessionCall(definition, (request, session) => run(request, session) as unknown as O);
    return {
      ...opening,
      async *run(request, caller) {
        yield* await opening.run(request, caller) as unknown as AsyncIterable<O>;
      },
    };
  }

  const api = dme.MatchEngineApi.methods;
  return {
    registerClient: call(api.registerClient, (request, caller, note) => registerClient(desk, request, caller, note)),
    findCloudlet: {
      ...sessionCall(api.findCloudlet, (request, session, note) => findCloudlet(desk, request, session, note)),
      forms: foundForms,
    },
    getAppInstList: sessionCall(api.getAppInstList, (request, session) => getAppInstList(desk, request, session)),
    platformFindCloudlet: {
      ...sessionCall(
        api.platformFindCloudlet,
        (request, session, note) => platformFindCloudlet(desk, request, session, note),
      ),
      forms: foundForms,
    },
    getFqdnList: sessionCall(api.getFqdnList, (request, session) => getFqdnList(desk, request, session)),
    getAppOfficialFqdn: sessionCall(
      api.getAppOfficialFqdn,
      (request, session) => getAppOfficialFqdn(desk, request, session),
    ),
    verifyLocation: sessionCall(api.verifyLocation, (request) => verifyLocation(desk, request)),
    getLocation: sessionCall(api.getLocation, (request) => desk.operator.getLocation(request)),
    // Location groups were never more than this (specification 4.7).
    addUserToGroup: sessionCall(
      api.addUserToGroup,
      () => dme.DynamicLocGroupReply.create({ status: dme.ReplyStatus.RS_SUCCESS }),
    ),
    // All that its server ever did (specification 1.1): no session, no REST.
    sendToGroup: {
      ...call(
        dme.DynamicLocGroupApi.methods.sendToGroup,
        (request) => dme.DlgReply.create({ ackId: request.messageId, groupCookie: request.groupCookie }),
      ),
      rest: false,
    },
    qosPrioritySessionCreate: sessionCall(
      api.qosPrioritySessionCreate,
      (request) => createQosSession(desk, request),
    ),
    getQosPositionKpi: sessionStream(api.getQosPositionKpi, (request) => qosPositionKpi(desk, request)),
    qosPrioritySessionDelete: sessionCall(
      api.qosPrioritySessionDelete,
      (request) => deleteQosSession(desk, request),
    ),
  };
}
