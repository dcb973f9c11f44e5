import assert from "node:assert/strict";
import { systemFiles } from "../runtime/mod.ts";
import { memoryLogger } from "../telemetry/mod.ts";
import { type Identity, loadIdentity, loadServerCertificate, writeCertificate } from "./mod.ts";
import { withAuthority } from "./testing/fixture.ts";

const files = systemFiles();
const dme: Identity = { tier: "regional", region: "eu", service: "dme" };

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("The condition was not met in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a renewal in the folder reaches the holder and its subscribers", () =>
  withAuthority(async ({ ca, folder, clock }) => {
    const { log } = memoryLogger(clock);
    const dir = `${folder}/tls`;
    const first = await ca.issue({ identity: dme });
    await writeCertificate(dir, first, { files });
    const loaded = await loadIdentity(dir, { files, clock, log, intervalMs: 10 });
    assert.deepEqual([loaded.identity, loaded.serial, loaded.cert], [dme, first.serial, first.certPem]);
    const seen: string[] = [];
    const stop = loaded.subscribe((now) => void seen.push(now.serial));
    const second = await ca.issue({ identity: dme });
    await writeCertificate(dir, second, { files });
    await until(() => seen.includes(second.serial));
    assert.deepEqual([loaded.cert, loaded.key, loaded.readyCheck()], [second.certPem, second.keyPem, undefined]);
    stop();
    const third = await ca.issue({ identity: dme });
    await writeCertificate(dir, third, { files });
    await until(() => loaded.serial === third.serial);
    assert.deepEqual(seen, [second.serial]);
    loaded.close();
  }));

Deno.test("a renewal that is broken or names somebody else is reported and not taken", () =>
  withAuthority(async ({ ca, folder, clock }) => {
    const { log, records } = memoryLogger(clock);
    const dir = `${folder}/tls`;
    const first = await ca.issue({ identity: dme });
    await writeCertificate(dir, first, { files });
    const loaded = await loadIdentity(dir, { files, clock, log, intervalMs: 10 });
    const errors = () => records.filter((record) => record.level === "error").map((record) => String(record.error));
    await files.writeAtomic(`${dir}/cert.pem`, "nonsense");
    await until(() => errors().some((error) => error.includes("cannot be read")));
    await writeCertificate(dir, await ca.issue({ identity: { ...dme, region: "us" } }), { files });
    await until(() => errors().some((error) => error.includes("now names region/us/service/dme")));
    assert.equal(loaded.serial, first.serial);
    loaded.close();
  }));

Deno.test("a folder that cannot serve as an identity is refused with the reason", () =>
  withAuthority(async ({ ca, folder, clock }) => {
    const { log } = memoryLogger(clock);
    const deps = { files, clock, log };
    const dir = `${folder}/tls`;
    await assert.rejects(loadIdentity(dir, deps), /Cannot read .*cert\.pem/);
    await writeCertificate(dir, await ca.issue({ identity: dme, ttlMs: -60_000 }), { files });
    await assert.rejects(loadIdentity(dir, deps), /expired at/);
    const issued = await ca.issue({ identity: dme });
    await writeCertificate(dir, { ...issued, keyPem: (await ca.issue({ identity: dme })).keyPem }, { files });
    await assert.rejects(loadIdentity(dir, deps), /does not belong to/);
    await writeCertificate(dir, await ca.issuePublic({ dnsNames: ["mc.example"] }), { files });
    await assert.rejects(loadIdentity(dir, deps), /does not name a service/);
    const server = await loadServerCertificate(dir, deps);
    assert.ok(server.ca.includes("BEGIN CERTIFICATE"));
    server.close();
  }));

Deno.test("an identity that ran out while it was held makes its service unready", () =>
  withAuthority(async ({ ca, folder, clock }) => {
    const dir = `${folder}/tls`;
    await writeCertificate(dir, await ca.issue({ identity: dme, ttlMs: 60_000 }), { files });
    let shiftMs = 0;
    const shifted = { ...clock, now: () => clock.now() + shiftMs };
    const loaded = await loadIdentity(dir, { files, clock: shifted, log: memoryLogger().log });
    assert.equal(loaded.readyCheck(), undefined);
    shiftMs = 120_000;
    assert.match(loaded.readyCheck() ?? "", /expired/);
    loaded.close();
  }));
