import { rawNotifyApi } from "../../../shared/notify/mod.ts";
import { type Channel, createClient } from "../../../shared/rpc/mod.ts";
import { Entry_Action, NotifyFrame } from "../../../shared/schema/mod.ts";

/** A child that speaks the protocol and remembers where it stands, but keeps no object: a thousand fit into a process. */
export class ThinChild {
  readonly #channel: () => Channel;
  readonly #kind: string;
  readonly #instance = crypto.randomUUID();
  #open: Channel | undefined;
  held: { epoch: string; revision: number } | undefined;

  constructor(channel: () => Channel, kind: string, held?: { epoch: string; revision: number }) {
    this.#channel = channel;
    this.#kind = kind;
    this.held = held;
  }

  /** Connects and waits until the parent says that it is in step. */
  connect(): Promise<void> {
    const open = this.#open = this.#channel();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#run(open, resolve).catch(reject);
    return promise;
  }

  async #run(open: Channel, inStep: () => void): Promise<void> {
    const hello = NotifyFrame.encode(NotifyFrame.create({
      hello: {
        version: 1,
        service: "dme",
        region: "eu",
        cloudlet: "",
        instance: this.#instance,
        wants: [{ kind: this.#kind, epoch: this.held?.epoch ?? "", revision: this.held?.revision ?? 0 }],
        owns: [],
      },
    }));
    async function* frames(): AsyncGenerator<Uint8Array> {
      yield hello;
      await new Promise(() => {});
    }
    try {
      for await (const bytes of createClient(rawNotifyApi, open).streamNotice(frames())) {
        for (const { action, epoch, revision } of NotifyFrame.decode(bytes).batch?.entries ?? []) {
          if (action !== Entry_Action.IN_STEP) continue;
          this.held = { epoch, revision };
          inStep();
        }
      }
    } catch (error) {
      if (open === this.#open) throw error;
    }
  }

  /** Cuts the connection without a word. */
  cut(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.close();
  }
}
