import { storeConformance } from "./conformance.ts";
import { openStore } from "./mod.ts";

for (const { name, run } of storeConformance) {
  Deno.test(`sqlite::memory: ${name}`, async () => {
    const store = await openStore("sqlite::memory:");
    try {
      await run(store);
    } finally {
      await store.close();
    }
  });

  Deno.test(`sqlite:FILE ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    const store = await openStore(`sqlite:${folder}/store.db`);
    try {
      await run(store);
    } finally {
      await store.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
