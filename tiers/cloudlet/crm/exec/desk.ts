import {
  ABANDONED_AFTER_MS,
  EXEC_FLOW,
  EXEC_REPORT,
  EXEC_REQUEST,
  EXEC_START,
  MAX_OF_SITE,
} from "../../../../shared/exec/mod.ts";
import type { NotifyClient } from "../../../../shared/notify/mod.ts";
import { type CloudletPlatform, type ObjectRef, PlatformError } from "../../../../shared/platform/mod.ts";
import type { Clock, Timer } from "../../../../shared/runtime/mod.ts";
import {
  AppInstKind,
  type DeepPartial,
  ExecFlow,
  ExecOutput,
  ExecReport,
  ExecRequest,
  ExecStart,
} from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { outputOf, passOn } from "./output.ts";

/** What the desk works with. */
export interface ExecDeskOptions {
  readonly client: NotifyClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** The platform in use. Throws PlatformError while there is none. */
  readonly platform: () => CloudletPlatform;
  /** Names of an instance by its key string; undefined when it is not known here. */
  readonly ref: (key: string) => ObjectRef | undefined;
}

/** Output on its way to the region. */
interface Session {
  readonly control: AbortController;
  /** Bytes that may have been sent since the beginning. */
  granted: number;
  sent: number;
  wake: () => void;
  abandoned: Timer;
}

/**
 * Answers what controllers ask of instances: output of commands and logs, each piece only when its reader has room, so that
 * a reader who stands still holds the source up. Nobody's output is made: a lost connection, silence of the controller or
 * the end of the platform stop the source.
 */
export class ExecDesk {
  readonly #options: ExecDeskOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: ExecDeskOptions) {
    this.#options = options;
    const { client } = options;
    const decoded =
      <T>(decode: (value: Uint8Array) => T, take: (message: T, correlation: string) => void) =>
      (value: Uint8Array, { correlation }: { correlation: string }) => {
        try {
          take(decode(value), correlation);
        } catch (error) {
          options.log.warn("A request for output or a shell cannot be read", { error });
        }
      };
    client.onMessage(EXEC_REQUEST, decoded(ExecRequest.decode, (request, id) => this.#answer(request, id)));
    client.onMessage(EXEC_START, decoded(ExecStart.decode, (start, id) => void this.#serve(start, id)));
    client.onMessage(EXEC_FLOW, decoded(ExecFlow.decode, (flow, id) => this.#flow(flow, id)));
    client.onState((state) => {
      if (state === "waiting" || state === "stopped" || state === "connecting") this.stop("The connection is lost");
    });
  }

  /** Sources that run now. */
  get active(): number {
    return this.#sessions.size;
  }

  /** Stops all sources. */
  stop(reason: string): void {
    for (const { control } of this.#sessions.values()) control.abort(new PlatformError("Transient", reason));
  }

  /** Shells go through a relay, to which this resource manager has no way yet: whoever asks is told so. */
  #answer(request: ExecRequest, correlation: string): void {
    const err = "The site's resource manager cannot open shells by the relay yet; output comes without it: use " +
      "StreamCommand and StreamLogs (mcctl appinst run, mcctl appinst logs)";
    const { client } = this.#options;
    client.send(EXEC_REQUEST, ExecRequest.encode(ExecRequest.create({ ...request, err })), { correlation });
  }

  #flow({ granted, stop }: ExecFlow, correlation: string): void {
    const session = this.#sessions.get(correlation);
    if (!session) {
      // One that has been restarted knows nothing of what it has begun before.
      if (!stop) this.#report(correlation, 0, {}, "The site knows nothing of this request any more");
    } else if (stop) session.control.abort(new PlatformError("Transient", "Nobody wants the output any more"));
    else {
      session.granted = Math.max(session.granted, granted);
      session.abandoned.cancel();
      session.abandoned = this.#abandonedTimer(session.control);
      session.wake();
    }
  }

  #abandonedTimer(control: AbortController): Timer {
    const abandon = () => control.abort(new PlatformError("Transient", "The controller has said nothing for too long"));
    return this.#options.clock.setTimer(abandon, ABANDONED_AFTER_MS);
  }

  async #serve({ request, granted }: ExecStart, correlation: string): Promise<void> {
    if (this.#sessions.has(correlation)) return;
    if (this.#sessions.size >= MAX_OF_SITE) {
      return this.#report(correlation, 0, {}, `The site gives ${MAX_OF_SITE} outputs at once already`);
    }
    const control = new AbortController();
    const abandoned = this.#abandonedTimer(control);
    const session: Session = { control, granted, sent: 0, wake() {}, abandoned };
    this.#sessions.set(correlation, session);
    const { signal } = control;
    signal.addEventListener("abort", () => session.wake(), { once: true });
    let end: DeepPartial<ExecOutput> = {};
    let err = "";
    try {
      const output = this.#open(ExecRequest.create(request), signal);
      try {
        // Tells the reader that it has begun, however long there is nothing to read.
        this.#report(correlation, 0, {});
        end = await passOn(output, () => room(session), (piece) => {
          this.#report(correlation, session.sent, piece);
          session.sent += piece.data?.length ?? 0;
        });
      } finally {
        await output.return({ exitCode: 0 });
      }
    } catch (error) {
      err = PlatformError.from(signal.aborted ? signal.reason : error).message;
    } finally {
      session.abandoned.cancel();
      this.#sessions.delete(correlation);
    }
    this.#report(correlation, session.sent, end, err);
  }

  #open(request: ExecRequest, signal: AbortSignal): ReturnType<typeof outputOf> {
    const { platform, ref, clock } = this.#options;
    const key = AppInstKind.keyString(request.appInstKey);
    const names = ref(key);
    if (!names) throw new PlatformError("NotFound", "The instance is not on this site");
    const operation = { deadline: Infinity, signal, progress() {} };
    return outputOf(platform(), names, request, operation, clock.now());
  }

  #report(correlation: string, offset: number, output: DeepPartial<ExecOutput>, err = ""): void {
    const report = ExecReport.create({ offset, output: ExecOutput.create(output), err });
    const sent = this.#options.client.send(EXEC_REPORT, ExecReport.encode(report), { correlation });
    // A piece that is missing would be noticed at the other end; there is no use in going on.
    if (!sent) {
      this.#sessions.get(correlation)?.control.abort(new PlatformError("Transient", "The connection takes no more"));
    }
  }
}

/** Waits until the reader has room; how much, bytes. Throws when the session is given up. */
async function room(session: Session): Promise<number> {
  const { signal } = session.control;
  while (!signal.aborted && session.granted <= session.sent) {
    await new Promise<void>((resolve) => session.wake = resolve);
  }
  signal.throwIfAborted();
  return session.granted - session.sent;
}
