import assert from "node:assert/strict";
import { join } from "node:path";
import { openDatabase } from "../../../shared/database/mod.ts";
import { EmbeddedPostgresError, type EmbeddedPostgresFault, startEmbeddedPostgres } from "./mod.ts";
import { isAlive, readPostmasterFile } from "./postmaster.ts";

async function withFolder(work: (dataDir: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const dataDir = join(folder, "postgres");
  try {
    await work(dataDir);
  } finally {
    const relocated = (await Deno.readTextFile(join(dataDir, "location")).catch(() => "")).trim();
    if (relocated !== "") await Deno.remove(relocated, { recursive: true });
    await Deno.remove(folder, { recursive: true });
  }
}

async function rejectsWith(fault: EmbeddedPostgresFault, message: RegExp, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof EmbeddedPostgresError, String(error));
    assert.equal(error.fault, fault);
    assert.match(error.message, message);
    return true;
  });
}

async function store(url: string, value: string): Promise<void> {
  const database = await openDatabase(url);
  await database.query`create table if not exists kept (value text)`;
  await database.query`insert into kept values (${value})`;
  await database.close();
}

async function stored(url: string): Promise<string[]> {
  const database = await openDatabase(url);
  const rows = await database.query<{ value: string }>`select value from kept order by value`;
  await database.close();
  return rows.map((row) => row.value);
}

Deno.test("startEmbeddedPostgres() keeps data over a stop, with passwords for the owner alone", async () => {
  await withFolder(async (dataDir) => {
    const first = await startEmbeddedPostgres({ dataDir, port: 0 });
    await store(first.url, "one");
    await first.stop();
    assert.deepEqual(await first.exited, { code: 0, signal: null });
    for (const file of ["password", "superuser-password"]) {
      assert.equal((await Deno.stat(join(dataDir, file))).mode! & 0o777, 0o600);
    }
    const second = await startEmbeddedPostgres({ dataDir, port: 0 });
    try {
      assert.deepEqual(await stored(second.url), ["one"]);
      await assert.rejects(openDatabase(second.url.replace(/:[^:@]+@/, ":wrong@")), { kind: "credentials" });
      const status = await Deno.readTextFile(`/proc/${second.pid}/status`).catch(() => undefined);
      if (status !== undefined) assert.notEqual(/^Uid:\s+(\d+)/m.exec(status)?.[1], "0");
    } finally {
      await second.stop();
    }
  });
});

Deno.test("the role that applications use is not a superuser", async () => {
  await withFolder(async (dataDir) => {
    const server = await startEmbeddedPostgres({ dataDir, port: 0 });
    try {
      const database = await openDatabase(server.url);
      const [role] = await database.query<{ rolsuper: boolean }>`
        select rolsuper from pg_roles where rolname = current_user`;
      assert.equal(role?.rolsuper, false);
      await assert.rejects(Promise.resolve(database.query`copy (select 1) to program 'true'`));
      await database.close();
    } finally {
      await server.stop();
    }
  });
});

Deno.test("startEmbeddedPostgres() recovers after kill -9 of the server, with a stale postmaster.pid left", async () => {
  await withFolder(async (dataDir) => {
    const first = await startEmbeddedPostgres({ dataDir, port: 0 });
    await store(first.url, "survivor");
    Deno.kill(first.pid, "SIGKILL");
    assert.deepEqual(await first.exited, { code: null, signal: "SIGKILL" });
    assert.ok(await readPostmasterFile(first.clusterDir) !== undefined);
    const second = await startEmbeddedPostgres({ dataDir, port: 0 });
    try {
      assert.deepEqual(await stored(second.url), ["survivor"]);
    } finally {
      await second.stop();
    }
  });
});

Deno.test("startEmbeddedPostgres() is not fooled by a stale postmaster.pid whose number a stranger has", async () => {
  await withFolder(async (dataDir) => {
    const first = await startEmbeddedPostgres({ dataDir, port: 0 });
    await first.stop();
    const lines = [Deno.pid, first.clusterDir, 0, first.port, "", "127.0.0.1", "", "ready"];
    await Deno.writeTextFile(join(first.clusterDir, "postmaster.pid"), lines.join("\n"));
    const second = await startEmbeddedPostgres({ dataDir, port: 0 });
    await second.stop();
  });
});

Deno.test("startEmbeddedPostgres() ends a server that outlived its starter, and leaves one alone that did not", async () => {
  await withFolder(async (dataDir) => {
    const first = await startEmbeddedPostgres({ dataDir, port: 0 });
    await store(first.url, "kept");
    await rejectsWith("already_running", /started by process/, startEmbeddedPostgres({ dataDir, port: 0 }));
    // As if the starter had been a process that is gone.
    await Deno.writeTextFile(join(dataDir, "starter.json"), JSON.stringify({ pid: 2 ** 22 + 1, startTicks: "1" }));
    const lines: string[] = [];
    const second = await startEmbeddedPostgres({ dataDir, port: 0, log: (line) => lines.push(line) });
    try {
      assert.ok(!isAlive(first.pid));
      assert.match(lines.join("\n"), /outlived/);
      assert.deepEqual(await stored(second.url), ["kept"]);
    } finally {
      await second.stop();
    }
  });
});

Deno.test("startEmbeddedPostgres() names a port that is taken, and starts nothing", async () => {
  await withFolder(async (dataDir) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    await rejectsWith("port_taken", new RegExp(`Port ${port} on 127.0.0.1`), startEmbeddedPostgres({ dataDir, port }));
  });
});

Deno.test("startEmbeddedPostgres() refuses data of another major version and leaves it as it is", async () => {
  await withFolder(async (dataDir) => {
    const first = await startEmbeddedPostgres({ dataDir, port: 0 });
    await first.stop();
    const versionFile = join(first.clusterDir, "PG_VERSION");
    await Deno.writeTextFile(versionFile, "15\n");
    await rejectsWith(
      "other_major_version",
      /made by PostgreSQL 15, this is 18/,
      startEmbeddedPostgres({ dataDir, port: 0 }),
    );
    assert.equal(await Deno.readTextFile(versionFile), "15\n");
  });
});

Deno.test("startEmbeddedPostgres() starts over when initdb was interrupted", async () => {
  await withFolder(async (dataDir) => {
    const reference = await startEmbeddedPostgres({ dataDir, port: 0 });
    await reference.stop();
    await Deno.mkdir(`${reference.clusterDir}-draft/base`, { recursive: true });
    await Deno.writeTextFile(`${reference.clusterDir}-draft/PG_VERSION`, "18\n");
    await Deno.remove(reference.clusterDir, { recursive: true });
    const second = await startEmbeddedPostgres({ dataDir, port: 0 });
    await second.stop();
  });
});

Deno.test("startEmbeddedPostgres() refuses an account that does not exist when run by root", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await withFolder(async (dataDir) => {
    const account = "nobody-of-that-name";
    await rejectsWith(
      "no_unprivileged_account",
      /nobody-of-that-name/,
      startEmbeddedPostgres({ dataDir, port: 0, account }),
    );
    await rejectsWith("no_unprivileged_account", /root/, startEmbeddedPostgres({ dataDir, port: 0, account: "root" }));
  });
});
