import { openStore, type Store } from "../../shared/store/mod.ts";
import { apiCases } from "../../tiers/regional/controller/testing/api_cases.ts";
import { startEtcd } from "./etcd.ts";

const REAL = Deno.env.get("ARCHIPELAGO_REAL") === "1";

for (const { name, run } of apiCases) {
  Deno.test({
    name: `controller on etcd: ${name}`,
    ignore: !REAL,
    // The gRPC client of etcd frees its sockets and timers a moment after close.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const etcd = await startEtcd();
      let store: Store | undefined;
      try {
        store = await openStore(`etcd:${etcd.url}`);
        await run(store);
      } finally {
        await store?.close();
        await etcd.dispose();
      }
    },
  });
}
