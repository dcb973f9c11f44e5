import { appCases } from "./app_cases.ts";
import { catalogCases } from "./catalog_cases.ts";
import { clusterCases } from "./cluster_cases.ts";
import { cloudletRuleCases } from "./cloudlet_rule_cases.ts";
import { cloudletCases } from "./cloudlet_cases.ts";
import { dryRunCases } from "./dry_run_cases.ts";
import { execCases } from "./exec_cases.ts";
import { gpuDriverCases } from "./gpu_driver_cases.ts";
import { instanceCases } from "./instance_cases.ts";
import { matchCases } from "./match_cases.ts";
import { operatorCases } from "./operator_cases.ts";
import { metricsCases } from "./metrics_cases.ts";
import { lifecycleCases } from "./lifecycle_cases.ts";
import { operationCases } from "./operation_cases.ts";
import { pagingCases } from "./paging_cases.ts";
import { policyCases } from "./policy_cases.ts";
import { recordCases } from "./record_cases.ts";
import { autoProvCases } from "./auto_prov_cases.ts";
import { standingCases } from "./standing_cases.ts";
import { choiceCases } from "./choice_cases.ts";
import { fixtureCases } from "./fixture_cases.ts";
import { resumeCases } from "./resume_cases.ts";
import { forceCases } from "./force_cases.ts";
import { portCases } from "./port_cases.ts";
import { trustCases } from "./trust_cases.ts";
import { updateCases } from "./update_cases.ts";
import { resourceCases } from "./resource_cases.ts";
import { resourceQueryCases } from "./resource_query_cases.ts";
import { settingsCases } from "./settings_cases.ts";
import { vmPoolCases } from "./vm_pool_cases.ts";
import type { ApiCase } from "./support.ts";

export type { ApiCase };

/** What the controller does on a store, with a fake site on real replication. */
export const apiCases: ApiCase[] = [
  ...catalogCases,
  ...appCases,
  ...trustCases,
  ...cloudletCases,
  ...cloudletRuleCases,
  ...instanceCases,
  ...clusterCases,
  ...updateCases,
  ...portCases,
  ...forceCases,
  ...resumeCases,
  ...fixtureCases,
  ...choiceCases,
  ...standingCases,
  ...autoProvCases,
  ...operationCases,
  ...lifecycleCases,
  ...pagingCases,
  ...dryRunCases,
  ...settingsCases,
  ...operatorCases,
  ...policyCases,
  ...vmPoolCases,
  ...gpuDriverCases,
  ...recordCases,
  ...metricsCases,
  ...matchCases,
  ...resourceCases,
  ...resourceQueryCases,
  ...execCases,
];
