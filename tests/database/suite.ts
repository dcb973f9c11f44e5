import assert from "node:assert/strict";
import {
  type Database,
  DatabaseError,
  identifier,
  joinSql,
  Json,
  migrate,
  type Migration,
  MigrationError,
  openDatabase,
  sql,
} from "../../shared/database/mod.ts";

/** A PostgreSQL under test. */
export interface TestServer {
  /** URL of an empty database that may be filled. */
  readonly url: string;
  /** Ends the server by force and starts it again on the same port and data. */
  crashAndRestart(): Promise<void>;
  /** Ends the server and starts it again when `whileDown` has returned. */
  restart(whileDown: () => Promise<void>): Promise<void>;
}

/** Whatever waits, waits no longer than this. */
const DEADLINE_MS = 30_000;

type Check = (server: TestServer, context: Deno.TestContext) => Promise<void>;

/** The behaviour of `shared/database` on a real server, each check by name. They share the server and run in order. */
export const databaseChecks: readonly (readonly [string, Check])[] = [
  ["query() and execute() carry values of every kind there and back", carriesValues],
  ["statements with fragments, lists and identifiers", composesStatements],
  ["errors tell their kind and place, and no values", tellsErrors],
  ["transaction() commits, rolls back, and passes on what the work throws", keepsTransactions],
  ["transaction() runs anew on a serialization failure, so that no increment is lost", retriesTransactions],
  ["notifications arrive, those of a rolled back transaction do not", notifies],
  ["listen() stands again after the server was killed, and says so", listensAgain],
  ["openDatabase() waits for a server that is not there yet", waitsForServer],
  ["openDatabase() reports wrong credentials and a missing database at once", reportsWrongAddress],
  ["migrate() runs each step once, also when several start at the same time", migratesOnce],
  ["migrate() refuses a newer database, a changed step and a failing one", refusesMigrations],
];

async function carriesValues(server: TestServer): Promise<void> {
  await using database = await opened(server);
  await database.query`create temporary table kinds (t text, i int, b bigint, f float8, o bool, ts timestamptz,
    j jsonb, y bytea, l text[], n text)`;
  const when = new Date("2026-11-23T10:11:12.345Z");
  const json = { a: [1, "x", null], "quote'": 'and "more"' };
  const bytes = new Uint8Array([0, 255, 39]);
  const list = ["a", 'b"c', "d,e", "", "{}"];
  const changed = await database.execute`insert into kinds values (${"It's\u{1F600}"}, ${-5}, ${
    2 ** 40
  }, ${1.5}, ${true},
    ${when}, ${new Json(json)}, ${bytes}, ${list}, ${undefined})`;
  assert.equal(changed, 1);
  const [row] = await database.query`select *, 9007199254740993::bigint as big from kinds`;
  assert.deepEqual({ ...row, y: new Uint8Array(row!.y as Uint8Array) }, {
    ...{ t: "It's\u{1F600}", i: -5, b: 2 ** 40, f: 1.5, o: true, ts: when, j: json, y: bytes, l: list, n: null },
    big: 9007199254740993n,
  });
  for (const value of ["text", true, 5, null, ["x"]]) {
    const [back] = await database.query<{ v: unknown }>`select ${new Json(value)}::jsonb as v`;
    assert.deepEqual(back?.v, value);
  }
}

async function composesStatements(server: TestServer): Promise<void> {
  await using database = await opened(server);
  await database.query`create temporary table people (name text, "Full Age" int)`;
  const rows = [["ann", 30], ["bob", 40], ["cyd", 50]] as const;
  const tuples = rows.map(([name, age]) => sql`(${name}, ${age}::int)`);
  assert.equal(await database.execute`insert into people values ${joinSql(tuples, ", ")}`, 3);
  const condition = joinSql(
    [sql`name = any(${["ann", "bob"]}::text[])`, sql`${identifier("Full Age")} > ${35}`],
    " and ",
  );
  const found = await database.query<{ name: string }>`select name from people where ${condition}`;
  assert.deepEqual(found.map((row) => row.name), ["bob"]);
  assert.equal(await database.execute`delete from people where name like ${"%b%"}`, 1);
}

async function tellsErrors(server: TestServer): Promise<void> {
  await using database = await opened(server);
  await database.query`drop table if exists child, parent`;
  await database
    .query`create table parent (id text primary key, secret text not null, constraint sane check (id <> 'no'))`;
  await database.query`create table child (parent text references parent(id))`;
  await database.execute`insert into parent values ('k', 's')`;
  const cases = [
    ["unique", () => database.execute`insert into parent values (${"k"}, ${"hunter2"})`, { constraint: "parent_pkey" }],
    ["foreign_key", () => database.execute`insert into child values (${"hunter2"})`, {
      constraint: "child_parent_fkey",
    }],
    ["not_null", () => database.execute`insert into parent values (${"hunter2"}, ${null})`, { column: "secret" }],
    ["check", () => database.execute`insert into parent values ('no', ${"hunter2"})`, { constraint: "sane" }],
    ["other", () => database.execute`insert into nowhere values (${"hunter2"})`, {}],
  ] as const;
  for (const [kind, work, place] of cases) {
    const error = await work().then(() => undefined, (thrown) => thrown);
    assert.ok(error instanceof DatabaseError, `${kind}: ${error}`);
    assert.equal(error.kind, kind);
    for (const [name, value] of Object.entries(place)) assert.equal(error.place[name as keyof typeof place], value);
    assert.ok(!Deno.inspect(error, { depth: 10, showHidden: true }).includes("hunter2"), "value leaked");
  }
  await database.query`drop table child, parent`;
}

async function keepsTransactions(server: TestServer): Promise<void> {
  await using database = await opened(server);
  await database.query`create table if not exists ledger (entry text primary key)`;
  await database.query`truncate ledger`;
  const result = await database.transaction(async (transaction) => {
    await transaction.execute`insert into ledger values ('kept')`;
    return ["an", "array"];
  });
  assert.deepEqual(result, ["an", "array"]);
  const refusal = new Error("changed my mind");
  const refused = database.transaction(async (transaction) => {
    await transaction.execute`insert into ledger values ('undone')`;
    throw refusal;
  });
  await assert.rejects(refused, (error) => error === refusal);
  const swallowed = database.transaction(async (transaction) => {
    await transaction.execute`insert into ledger values ('kept')`.catch(() => {});
    await transaction.execute`insert into ledger values ('after')`.catch(() => {});
  });
  await assert.rejects(swallowed, { kind: "unique" });
  assert.deepEqual(await database.query`select entry from ledger`, [{ entry: "kept" }]);
}

async function retriesTransactions(server: TestServer): Promise<void> {
  await using database = await opened(server);
  await database.query`create table if not exists counter (n int not null)`;
  await database.query`truncate counter`;
  await database.query`insert into counter values (0)`;
  let runs = 0;
  await Promise.all(Array.from({ length: 6 }, () =>
    database.transaction(async (transaction) => {
      runs++;
      const [row] = await transaction.query<{ n: number }>`select n from counter`;
      await transaction.execute`update counter set n = ${row!.n + 1}`;
    }, { isolation: "serializable", retries: 50 })));
  assert.deepEqual(await database.query`select n from counter`, [{ n: 6 }]);
  assert.ok(runs > 6, "no conflict was met, so nothing was tested");
}

async function notifies(server: TestServer): Promise<void> {
  await using database = await opened(server);
  const got: string[] = [];
  const listener = await database.listen('odd "name"', {
    notified: (payload) => void got.push(payload),
    connected() {},
  });
  await database.notify('odd "name"', "plain");
  await database.transaction((transaction) => transaction.notify('odd "name"', "committed"));
  const undone = database.transaction(async (transaction) => {
    await transaction.notify('odd "name"', "undone");
    throw new Error("no");
  });
  await assert.rejects(undone, /no/);
  await database.notify('odd "name"', "last");
  await until(() => got.includes("last"));
  assert.deepEqual(got, ["plain", "committed", "last"]);
  await listener.stop();
}

async function listensAgain(server: TestServer): Promise<void> {
  await using database = await opened(server);
  const got: string[] = [];
  let connects = 0;
  await database.listen("changes", { notified: (payload) => void got.push(payload), connected: () => void connects++ });
  assert.equal(connects, 1);
  await server.crashAndRestart();
  await until(() => connects === 2);
  await retrying(() => database.notify("changes", "after"));
  await until(() => got.includes("after"));
  await retrying(() => database.ping());
}

async function waitsForServer(server: TestServer): Promise<void> {
  let opening: Promise<Database> | undefined;
  const warned = Promise.withResolvers<void>();
  await server.restart(async () => {
    opening = openDatabase(server.url, { log: { info() {}, warn: () => warned.resolve() } });
    await warned.promise;
    await assert.rejects(openDatabase(server.url, { startDeadlineMs: 200 }), { kind: "connection" });
  });
  const database = await opening!;
  await database.ping();
  await database.close();
  await assert.rejects(database.ping(), { kind: "connection" });
}

async function reportsWrongAddress(server: TestServer): Promise<void> {
  const wrongPassword = server.url.replace(/:[^:@/]+@/, ":hunter2@");
  const failed = await openDatabase(wrongPassword).then(() => undefined, (error) => error);
  assert.equal((failed as DatabaseError).kind, "credentials");
  assert.ok(!String(failed).includes("hunter2"));
  await assert.rejects(openDatabase(server.url.replace(/\/[^/]*$/, "/nowhere")), { kind: "missing_database" });
  await assert.rejects(openDatabase("mysql://root:hunter2@localhost/x"), /must start with postgres:/);
}

const STEPS: readonly Migration[] = [
  { name: "0001_things", statements: ["create table things (id int primary key)"] },
  { name: "0002_rows", statements: ["insert into things values (1)", "insert into things values (2)"] },
  { name: "0003_more", statements: ["alter table things add column name text"] },
];

async function migratesOnce(server: TestServer): Promise<void> {
  const processes = await Promise.all([opened(server), opened(server), opened(server)]);
  try {
    await processes[0]!.query`drop table if exists schema_migrations, things`;
    assert.deepEqual(await migrate(processes[0]!, STEPS.slice(0, 1)), ["0001_things"]);
    const ran = await Promise.all(processes.map((database) => migrate(database, STEPS)));
    assert.deepEqual(ran.flat().sort(), ["0002_rows", "0003_more"]);
    assert.deepEqual(await migrate(processes[1]!, STEPS), []);
    assert.deepEqual(await processes[0]!.query`select id from things order by id`, [{ id: 1 }, { id: 2 }]);
  } finally {
    for (const database of processes) await database.close();
  }
}

async function refusesMigrations(server: TestServer): Promise<void> {
  await using database = await opened(server);
  await database.query`drop table if exists schema_migrations, things`;
  await migrate(database, STEPS);
  await assert.rejects(migrate(database, STEPS.slice(0, 2)), (error: Error) => {
    assert.ok(error instanceof MigrationError);
    assert.match(error.message, /newer than this program.*0003_more/);
    return true;
  });
  const changed = [STEPS[0]!, { ...STEPS[1]!, statements: ["select 1"] }, STEPS[2]!];
  await assert.rejects(migrate(database, changed), /"0002_rows" was changed after it was applied/);
  await assert.rejects(migrate(database, [STEPS[0]!, { ...STEPS[1]!, name: "0002_other" }, STEPS[2]!]), /0002_other/);
  await assert.rejects(migrate(database, [...STEPS, STEPS[0]!]), /Two schema steps are called "0001_things"/);
  const failing = { name: "0004_bad", statements: ["insert into things values (3)", "insert into things values (3)"] };
  await assert.rejects(migrate(database, [...STEPS, failing]), { kind: "unique" });
  assert.deepEqual(await database.query`select count(*) as n from things`, [{ n: 2 }]);
  assert.deepEqual(await migrate(database, STEPS), []);
}

async function opened(server: TestServer): Promise<Database & AsyncDisposable> {
  const database = await openDatabase(server.url);
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `Condition did not come true within ${DEADLINE_MS} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Pooled connections learn of a crash at their next use, so the first statement after it may fail. */
async function retrying(work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.kind !== "connection" || performance.now() > deadline) throw error;
    }
  }
}
