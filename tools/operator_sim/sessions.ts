/** A priority session of the simulated network. */
export interface SimSession {
  readonly id: string;
  readonly qos: string;
  readonly duration: number;
  readonly startedAt: number;
  readonly expiresAt: number;
  /** Device and server: there is one session between two. */
  readonly between: string;
}

/** The operator's priority sessions: `POST|GET|DELETE /5g-latency|5g-throughput/sessions/[ID]`. */
export class SimSessions {
  readonly #sessions = new Map<string, SimSession>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** All that run. */
  list(): SimSession[] {
    return [...this.#sessions.values()];
  }

  async answer(method: string, base: string, id: string, request: Request): Promise<Response> {
    switch (method) {
      case "POST":
        return this.#create(base, await request.json());
      case "GET": {
        const session = this.#sessions.get(id);
        return session === undefined ? new Response(null, { status: 404 }) : Response.json(session);
      }
      case "DELETE":
        return new Response(null, { status: this.#sessions.delete(id) ? 204 : 404 });
      default:
        return new Response(null, { status: 405 });
    }
  }

  #create(base: string, wanted: Record<string, unknown>): Response {
    const qos = String(wanted["qos"]);
    if ((base === "5g-latency") !== (qos === "LOW_LATENCY")) {
      return Response.json({ message: `qos ${qos} does not belong to ${base}` }, { status: 400 });
    }
    const between = `${wanted["ueAddr"]} ${wanted["asAddr"]}`;
    const running = this.list().find((session) => session.between === between);
    if (running !== undefined) {
      return Response.json({ message: `Found session ${running.id} already active` }, { status: 409 });
    }
    const startedAt = Math.floor(this.#now() / 1000);
    const duration = Number(wanted["duration"]);
    const session = { id: crypto.randomUUID(), qos, duration, startedAt, expiresAt: startedAt + duration, between };
    this.#sessions.set(session.id, session);
    return Response.json(session, { status: 201 });
  }
}
