import {
  ALIVE_INTERVAL_MS,
  ANSWER_MS,
  EXEC_FLOW,
  EXEC_REPORT,
  EXEC_REQUEST,
  EXEC_START,
  MAX_OF_CONTROLLER,
} from "../../../../shared/exec/mod.ts";
import type { ChildInfo, NotifyHub } from "../../../../shared/notify/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import { ExecFlow, type ExecOutput, ExecReport, ExecRequest, ExecStart } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { OutputQueue } from "./reports.ts";

/** Somebody who waits for a site. */
interface Waiter {
  /** Key string of the site. */
  readonly cloudlet: string;
  answer(request: ExecRequest): void;
  report(report: ExecReport): void;
  fail(error: RpcError): void;
}

/**
 * Requests for shells and output, on their way to the sites that are connected to this controller. They are told by their
 * ids; what a site says of another one's is not heard.
 */
export class ExecSites {
  readonly #hub: NotifyHub;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Waiter>();

  constructor(hub: NotifyHub, clock: Clock, log: Logger) {
    this.#hub = hub;
    this.#clock = clock;
    const heard = <T>(type: string, decode: (value: Uint8Array) => T, take: (waiter: Waiter, message: T) => void) =>
      hub.onMessage(type, (value, child, { correlation }) => {
        const waiter = this.#waiters.get(correlation);
        if (!waiter || child.scope !== waiter.cloudlet) return;
        try {
          take(waiter, decode(value));
        } catch (error) {
          log.warn("What a site answers cannot be read", { type, child: child.name, error });
          waiter.fail(new RpcError(Status.INTERNAL, "The site's answer cannot be read"));
        }
      });
    heard(EXEC_REQUEST, ExecRequest.decode, (waiter, request) => waiter.answer(request));
    heard(EXEC_REPORT, ExecReport.decode, (waiter, report) => waiter.report(report));
    const fail = (concerns: (waiter: Waiter, id: string) => boolean, error: RpcError) => {
      for (const [id, waiter] of this.#waiters) if (concerns(waiter, id)) waiter.fail(error);
    };
    hub.onUnhandled((child, correlation) =>
      fail(
        ({ cloudlet }, id) => id === correlation && cloudlet === child.scope,
        new RpcError(Status.UNIMPLEMENTED, "The site's resource manager is too old to do that"),
      )
    );
    hub.onChild((child, event) => {
      if (event === "connected" || child.service !== "crm") return;
      const lost = new RpcError(Status.UNAVAILABLE, "The connection to the site is lost");
      // A site that has come back on another stream has forgotten what it was asked on the one before.
      fail(({ cloudlet }) => event === "disconnected" && cloudlet === child.scope, lost);
    });
  }

  /** Whether a site's resource manager is connected to this controller. */
  reaches(cloudlet: string): boolean {
    const isManager = ({ service, scope }: ChildInfo) => service === "crm" && scope === cloudlet;
    return this.#hub.streams().some(({ child }) => isManager(child));
  }

  /**
   * Asks a site for something that the relay gives. The id is the request's `offer`.
   * @throws {RpcError} what the site says, UNAVAILABLE when it is not connected here, DEADLINE_EXCEEDED without an answer
   */
  async ask(cloudlet: string, request: ExecRequest, signal: AbortSignal): Promise<ExecRequest> {
    const { promise, resolve, reject } = Promise.withResolvers<ExecRequest>();
    const answer = (answer: ExecRequest) =>
      answer.err === "" ? resolve(answer) : reject(new RpcError(Status.UNKNOWN, answer.err));
    using _waiter = this.#wait(request.offer, { cloudlet, answer, report() {}, fail: reject }, signal);
    using _limit = this.#clock.setTimer(() => reject(tooLate()), ANSWER_MS);
    this.#send(EXEC_REQUEST, ExecRequest.encode(request), cloudlet, request.offer);
    return await promise;
  }

  /**
   * Output from a site, as it comes; the first piece, which is empty, says that it has begun. A caller who does not read
   * holds the source up; one who leaves stops it.
   * @throws {RpcError} as `ask`
   */
  async *output(cloudlet: string, request: ExecRequest, signal: AbortSignal): AsyncGenerator<ExecOutput> {
    const id = request.offer;
    const queue = new OutputQueue();
    let begun = false;
    const report = (report: ExecReport) => {
      begun = true;
      queue.take(report);
    };
    using _waiter = this.#wait(id, { cloudlet, answer() {}, report, fail: (error) => queue.fail(error) }, signal);
    using _limit = this.#clock.setTimer(() => begun || queue.fail(tooLate()), ANSWER_MS);
    const flow = (more: Partial<ExecFlow>) =>
      void this.#hub.send(
        EXEC_FLOW,
        ExecFlow.encode(ExecFlow.create(more)),
        { service: "crm", cloudlet },
        { correlation: id },
      );
    let alive = this.#clock.setTimer(stayAlive.bind(this), ALIVE_INTERVAL_MS);
    function stayAlive(this: ExecSites): void {
      flow({ granted: queue.granted });
      alive = this.#clock.setTimer(stayAlive.bind(this), ALIVE_INTERVAL_MS);
    }
    try {
      const start = ExecStart.create({ request, granted: queue.granted });
      this.#send(EXEC_START, ExecStart.encode(start), cloudlet, id);
      for (;;) {
        const piece = await queue.next();
        if (piece === undefined) return;
        yield piece;
        if (queue.growing && !queue.complete) flow({ granted: queue.grow() });
      }
    } finally {
      alive.cancel();
      if (!queue.complete) flow({ stop: true });
    }
  }

  #wait(id: string, waiter: Waiter, signal: AbortSignal): Disposable {
    if (this.#waiters.size >= MAX_OF_CONTROLLER) {
      throw new RpcError(Status.RESOURCE_EXHAUSTED, `${MAX_OF_CONTROLLER} requests wait for sites already`);
    }
    const abort = () => waiter.fail(new RpcError(Status.CANCELLED, "The caller has left"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#waiters.set(id, waiter);
    return {
      [Symbol.dispose]: () => {
        signal.removeEventListener("abort", abort);
        this.#waiters.delete(id);
      },
    };
  }

  #send(type: string, value: Uint8Array, cloudlet: string, correlation: string): void {
    if (this.#hub.send(type, value, { service: "crm", cloudlet }, { correlation }) > 0) return;
    throw new RpcError(Status.UNAVAILABLE, "no matching CRM: the site's resource manager is not connected");
  }
}

function tooLate(): RpcError {
  return new RpcError(Status.DEADLINE_EXCEEDED, `The site has not answered within ${ANSWER_MS / 1000} s`);
}
