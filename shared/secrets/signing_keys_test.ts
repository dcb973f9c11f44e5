import assert from "node:assert/strict";
import { environmentOf, FakeClock, systemFiles, systemRandom } from "../runtime/mod.ts";
import { ensureSigningKey, openSecrets, rotateSigningKey, type SecretStore, signingKeys } from "./mod.ts";

const PATH = "eu/jwtkeys/dme";

async function withStore(
  work: (store: SecretStore, reads: () => number, clock: FakeClock) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock();
  const inner = await openSecrets(`file:${folder}/s`, {
    files: systemFiles(),
    clock,
    random: systemRandom(),
    environment: environmentOf({}),
  });
  let reads = 0;
  const store: SecretStore = {
    get: (path, options) => inner.get(path, options),
    put: (path, data, options) => inner.put(path, data, options),
    delete: (path) => inner.delete(path),
    watch: (path, options) => inner.watch(path, options),
    close: () => inner.close(),
    versions: (path) => {
      reads++;
      return inner.versions(path);
    },
  };
  await work(store, () => reads, clock).finally(() => Deno.remove(folder, { recursive: true }));
}

Deno.test("the key before the current one is valid, the one before that is not", () =>
  withStore(async (store, _reads, clock) => {
    const random = systemRandom();
    await Promise.all([ensureSigningKey(store, PATH, random), ensureSigningKey(store, PATH, random)]);
    assert.equal((await store.versions(PATH)).length, 1);
    const first = (await signingKeys(store, PATH, clock).current()).secret;
    const text = (await store.get(PATH))!.data.secret as string;
    assert.equal(new TextDecoder().decode(first), text, "the text itself is the key");
    await rotateSigningKey(store, PATH, random);
    const keys = signingKeys(store, PATH, clock);
    assert.equal((await keys.current()).kid, 2);
    assert.deepEqual(await keys.byKid(1), first);
    await rotateSigningKey(store, PATH, random);
    await clock.advance(300_000);
    assert.equal((await keys.current()).kid, 3);
    assert.equal(await keys.byKid(1), undefined);
    assert.ok(await keys.byKid(2));
  }));

Deno.test("an unseen newer key is fetched once however many ask, and forged numbers cost one look-up in 5 s", () =>
  withStore(async (store, reads, clock) => {
    await ensureSigningKey(store, PATH, systemRandom());
    const keys = signingKeys(store, PATH, clock);
    await keys.current();
    await rotateSigningKey(store, PATH, systemRandom());
    const before = reads();
    await clock.advance(5_000);
    const found = await Promise.all(Array.from({ length: 50 }, () => keys.byKid(2)));
    assert.ok(found.every((secret) => secret !== undefined));
    assert.equal(reads() - before, 1);
    for (let forged = 100; forged < 150; forged++) assert.equal(await keys.byKid(forged), undefined);
    assert.equal(reads() - before, 1);
    await clock.advance(5_000);
    await keys.byKid(1_000);
    assert.equal(reads() - before, 2);
  }));

Deno.test("known keys survive a store that cannot be reached; without any the fault is told", () =>
  withStore(async (store, _reads, clock) => {
    await assert.rejects(signingKeys(store, PATH, clock).current(), /no signing key at eu\/jwtkeys\/dme/);
    await ensureSigningKey(store, PATH, systemRandom());
    let down = false;
    const flaky: SecretStore = {
      ...store,
      versions: (path) => down ? Promise.reject(new Error("down")) : store.versions(path),
    };
    const keys = signingKeys(flaky, PATH, clock);
    const { kid } = await keys.current();
    down = true;
    await clock.advance(600_000);
    assert.equal((await keys.current()).kid, kid);
    await assert.rejects(signingKeys(flaky, PATH, clock).current(), /down/);
  }));
