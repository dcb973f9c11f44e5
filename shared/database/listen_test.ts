import assert from "node:assert/strict";
import type { DriverPool } from "./driver.ts";
import { DatabaseError } from "./errors.ts";
import { ListenConnection, type ListenDependencies } from "./listen.ts";
import { renderSql } from "./sql.ts";

/** Connections that the test breaks and makes refuse at will. */
class FakeServer {
  readonly statements: string[] = [];
  readonly connections: { onClose: () => void; onNotify: (channel: string, payload: string) => void }[] = [];
  refusing = false;
  silent = false;

  open: ListenDependencies["open"] = (handlers): DriverPool => {
    this.connections.push(handlers);
    return {
      run: (statement) => {
        if (this.refusing) return Promise.reject(new DatabaseError("connection", "refused", "ECONNREFUSED"));
        if (this.silent) return new Promise(() => {});
        this.statements.push(renderSql(statement).text);
        return Promise.resolve({ rows: [], count: 0 });
      },
      begin: () => Promise.reject(new Error("unused")),
      end: () => Promise.resolve(),
    };
  };

  get current(): { onClose: () => void; onNotify: (channel: string, payload: string) => void } {
    return this.connections.at(-1)!;
  }
}

/** Time that passes at the next turn; every sleep is noted, and long ones end only when the test says so. */
class InstantClock {
  readonly sleeps: number[] = [];
  #heartbeat: (() => void) | undefined;

  monotonic(): number {
    return 0;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    if (ms < 10_000) return new Promise((resolve) => setTimeout(resolve, 0));
    return new Promise((resolve, reject) => {
      this.#heartbeat = resolve;
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** Ends the long sleep that is under way. */
  passHeartbeat(): void {
    this.#heartbeat?.();
  }
}

function setUp() {
  const server = new FakeServer();
  const clock = new InstantClock();
  const warnings: string[] = [];
  const log = { info() {}, warn: (message: string) => void warnings.push(message) };
  const events: string[] = [];
  const connection = new ListenConnection({ open: server.open, clock, log });
  const handler = (name: string) => ({
    notified: (payload: string) => void events.push(`${name}:${payload}`),
    connected: () => void events.push(`${name}:connected`),
  });
  return { server, clock, warnings, events, connection, handler };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.fail("Condition did not come true");
}

Deno.test("ListenConnection delivers by channel and tells every listener when it is connected", async () => {
  const { server, events, connection, handler } = setUp();
  await connection.listen("one", handler("a"));
  await connection.listen("one", handler("b"));
  await connection.listen("two", handler("c"));
  assert.equal(server.connections.length, 1);
  server.current.onNotify("one", "x");
  server.current.onNotify("unknown", "y");
  assert.deepEqual(events, ["a:connected", "b:connected", "c:connected", "a:x", "b:x"]);
  await connection.close();
});

Deno.test("ListenConnection listens again after a loss and calls connected() again", async () => {
  const { server, events, warnings, connection, handler } = setUp();
  await connection.listen("one", handler("a"));
  server.refusing = true;
  server.current.onClose();
  await until(() => server.connections.length >= 4);
  assert.deepEqual(events, ["a:connected"]);
  server.refusing = false;
  await until(() => events.length === 2);
  assert.deepEqual(events, ["a:connected", "a:connected"]);
  assert.ok(warnings.length >= 4);
  server.current.onNotify("one", "again");
  assert.equal(events.at(-1), "a:again");
  await connection.close();
});

Deno.test("ListenConnection gives up a connection that does not answer its heartbeat", async () => {
  const { server, clock, events, connection, handler } = setUp();
  await connection.listen("one", handler("a"));
  server.silent = true;
  await until(() => clock.sleeps.includes(30_000));
  clock.passHeartbeat();
  await until(() => clock.sleeps.includes(10_000));
  server.silent = false;
  clock.passHeartbeat();
  await until(() => events.length === 2);
  assert.equal(server.connections.length, 2);
  await connection.close();
});

Deno.test("ListenConnection survives a handler that throws, and stops delivering after stop()", async () => {
  const { server, events, warnings, connection, handler } = setUp();
  await connection.listen("one", {
    notified: () => {
      throw new Error("broken");
    },
    connected() {},
  });
  const listener = await connection.listen("one", handler("b"));
  server.current.onNotify("one", "x");
  assert.equal(events.at(-1), "b:x");
  assert.ok(warnings.some((warning) => /Handler/.test(warning)));
  await listener.stop();
  server.current.onNotify("one", "y");
  assert.equal(events.at(-1), "b:x");
  assert.ok(!server.statements.includes('unlisten "one"'), "another listener is left on the channel");
  await connection.close();
});

Deno.test("ListenConnection.close() ends a listen() that never came to stand", async () => {
  const { server, connection, handler } = setUp();
  server.refusing = true;
  const pending = connection.listen("one", handler("a"));
  const rejected = assert.rejects(pending, { kind: "connection" });
  await until(() => server.connections.length >= 2);
  await connection.close();
  await rejected;
  await assert.rejects(connection.listen("one", handler("a")), /closed/);
});
