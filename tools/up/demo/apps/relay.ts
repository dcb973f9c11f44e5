// A chat room for those who are near each other: lines over TCP, each told to all others, after a greeting.
const MAX_LINE = 1_000;
const members = new Map<Deno.Conn, WritableStreamDefaultWriter<Uint8Array>>();
const encoder = new TextEncoder();
const cloudlet = Deno.env.get("ARCHIPELAGO_CLOUDLET");

async function tell(text: string, to: Iterable<WritableStreamDefaultWriter<Uint8Array>>): Promise<void> {
  const line = encoder.encode(`${text}\n`);
  // a member whose connection is gone is taken out by its own loop
  await Promise.allSettled([...to].map((writer) => writer.write(line)));
}

async function join(connection: Deno.Conn): Promise<void> {
  const writer = connection.writable.getWriter();
  members.set(connection, writer);
  try {
    await tell(`welcome to the relay at ${cloudlet}, ${members.size} here`, [writer]);
    let rest = "";
    for await (const text of connection.readable.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      if (rest.length > MAX_LINE) return;
      for (const line of lines) {
        await tell(line.slice(0, MAX_LINE), [...members].filter(([other]) => other !== connection).map(([, to]) => to));
      }
    }
  } catch {
    /* the member has gone */
  } finally {
    members.delete(connection);
    await writer.close().catch(() => {});
  }
}

for await (const connection of Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT")) })) {
  join(connection);
}
