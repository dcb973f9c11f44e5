import { type MetricsStore, openMetricsStore } from "../../../../shared/metrics/mod.ts";
import type { SecretStore } from "../../../../shared/secrets/mod.ts";
import type { ServiceContext } from "../../../../shared/service/mod.ts";
import type { ControllerConfig } from "../options.ts";

/** Opens the metrics store for the life of the service, with the account that the secret store holds for it. */
export async function openMetrics(
  context: ServiceContext<ControllerConfig>,
  url: string,
  secrets: SecretStore | undefined,
): Promise<MetricsStore> {
  const { clock, log, config, metrics } = context;
  const store = await openMetricsStore(url, {
    clock,
    log,
    account: async () => {
      const found = (await secrets?.get(`${config.region}/accounts/influxdb`))?.data;
      if (found === undefined) return undefined;
      return { username: String(found["username"] ?? ""), password: String(found["password"] ?? "") };
    },
  });
  for (const limit of store.limits) log.info("Metrics store", { limit });
  context.onClose("metrics", () => store.close(config.grace / 2));
  metrics.gauge({
    name: "controller_metrics_points",
    help: "Points of metrics that wait, were written, or were dropped.",
    labels: ["is"],
  }).collect(() => {
    const { queued, written, dropped } = store.stats();
    return [[{ is: "queued" }, queued], [{ is: "written" }, written], [{ is: "dropped" }, dropped]];
  });
  return store;
}
