import { type Database, openDatabase } from "../../../../shared/database/mod.ts";
import { createChannel } from "../../../../shared/rpc/mod.ts";
import { type Clock, systemRandom } from "../../../../shared/runtime/mod.ts";
import { type LogRecord, memoryLogger } from "../../../../shared/telemetry/mod.ts";
import { createApp, type Handler } from "../app.ts";
import { KeyedQueue } from "../auth/keyed_queue.ts";
import { ensureSuperuser, prepareDatabase } from "../bootstrap.ts";
import type { Core } from "../core.ts";
import { RegionDirectory } from "../region/directory.ts";

/** Passwords that pass for users and administrators. */
export const ADMIN_PASSWORD = "correct-Horse-battery-Staple-42-admin";
export const USER_PASSWORD = "1orangefoxquickhandlebrush1";

/** A clock that the test moves; sleeping takes no time but is noted. */
export class ManualClock implements Clock {
  readonly slept: number[] = [];
  #now = Date.parse("2026-11-23T12:00:00Z");

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    return Promise.resolve();
  }

  setTimer(handler: () => void, ms: number): ReturnType<Clock["setTimer"]> {
    const timer = setTimeout(handler, ms);
    const cancel = () => clearTimeout(timer);
    return { cancel, [Symbol.dispose]: cancel };
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The one JSON document. */
  // deno-lint-ignore no-explicit-any
  readonly json: any;
  /** The documents of a stream. */
  // deno-lint-ignore no-explicit-any
  readonly lines: any[];
}

/** A master controller in this process, without a port. */
export interface World {
  readonly core: Core;
  readonly clock: ManualClock;
  readonly records: LogRecord[];
  readonly handler: Handler;
  /** Calls `/api/v1/<path>`; a string body is sent as it is. */
  call(path: string, body?: unknown, token?: string, headers?: Record<string, string>): Promise<Answer>;
  /** Makes an account and logs it in. */
  user(name: string): Promise<string>;
  /** Logs in; fails the test when refused. */
  login(name: string, password?: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts a master controller on an empty database. */
export async function makeWorld(databaseUrl: string, more: Partial<Core["settings"]> = {}): Promise<World> {
  const database: Database = await openDatabase(databaseUrl);
  const clock = new ManualClock();
  const { log, records } = memoryLogger(clock);
  const secret = crypto.getRandomValues(new Uint8Array(64));
  const regions = new RegionDirectory(database, (_region, addresses) => createChannel({ address: addresses }), log);
  const core: Core = {
    database,
    clock,
    log,
    regions,
    random: systemRandom(),
    logins: new KeyedQueue(16),
    keys: {
      current: () => Promise.resolve({ kid: 1, secret }),
      byKid: (kid) => Promise.resolve(kid === 1 ? secret : undefined),
    },
    settings: {
      superuser: "mexadmin",
      skipVerifyEmail: true,
      platformOrg: "edgecloudorg",
      passwordIterations: 1000,
      failedLoginDelayMs: 3000,
      version: "test",
      hostName: "here",
      ...more,
    },
  };
  await prepareDatabase(database, core);
  await ensureSuperuser(core, { email: "admin@example.com", password: () => Promise.resolve(ADMIN_PASSWORD) });
  await regions.start();
  const handler = createApp(core);
  const call: World["call"] = async (path, body, token, headers = {}) => {
    const text = typeof body === "string" ? body : body === undefined ? undefined : JSON.stringify(body);
    const request = new Request(`https://localhost/api/v1/${path}`, {
      method: "POST",
      body: text,
      headers: {
        ...(text !== undefined && { "content-type": "application/json" }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    return await readAnswer(await handler(request, "192.0.2.1"));
  };
  const login = async (name: string, password = USER_PASSWORD) => {
    const { status, text, json } = await call("login", { username: name, password });
    if (status !== 200) throw new Error(`Login of ${name} refused: ${text}`);
    return String(json.token);
  };
  const user = async (name: string) => {
    const made = await call("usercreate", { name, email: `${name}@example.com`, passhash: USER_PASSWORD });
    if (made.status !== 200) throw new Error(`Account ${name} refused: ${made.text}`);
    return await login(name);
  };
  const close = async () => {
    await regions.close();
    await database.close();
  };
  return { core, clock, records, handler, call, user, login, close };
}

/** Reads an answer to its end. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const lines = text.split("\n").filter((line) => line !== "").map((line) => parse(line));
  return { status: response.status, text, headers: response.headers, json: parse(text), lines };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
