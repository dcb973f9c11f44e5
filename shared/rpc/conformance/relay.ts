/** A relay for bytes that counts them. */
export interface Relay {
  /** `host:port` to connect to. */
  readonly address: string;
  /** Bytes towards the server, and back. */
  readonly sent: { toServer: number; toClient: number };
  close(): void;
}

/** Relays connections to a server and counts what passes. */
export function countingRelay(server: { hostname: string; port: number }): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const sent = { toServer: 0, toClient: 0 };
  const open = new Set<Deno.Conn>();

  async function pass(from: Deno.Conn, to: Deno.Conn, way: keyof typeof sent): Promise<void> {
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        sent[way] += chunk.length;
        controller.enqueue(chunk);
      },
    });
    // An end of either side is the end of both, which the other pass sees as well.
    await from.readable.pipeThrough(counter).pipeTo(to.writable).catch(() => {});
    open.delete(from);
  }

  (async () => {
    for await (const client of listener) {
      const upstream = await Deno.connect(server);
      open.add(client).add(upstream);
      pass(client, upstream, "toServer");
      pass(upstream, client, "toClient");
    }
  })().catch(() => {});

  return {
    address: `127.0.0.1:${listener.addr.port}`,
    sent,
    close() {
      listener.close();
      for (const each of open) {
        try {
          each.close();
        } catch { /* it is closed already */ }
      }
    },
  };
}
