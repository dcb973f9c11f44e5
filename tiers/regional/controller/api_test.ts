import { apiCases } from "./testing/api_cases.ts";
import { openStore } from "../../../shared/store/mod.ts";

for (const { name, run } of apiCases) {
  Deno.test(`controller: ${name}`, async () => {
    const store = await openStore("sqlite::memory:");
    try {
      await run(store);
    } finally {
      await store.close();
    }
  });
}
