import type { PlatformMeta } from "../../platform/mod.ts";

/** Variables of a cloudlet. */
export const Variable = {
  flavors: "FAKE_FLAVORS",
  ramMax: "FAKE_RAM_MAX",
  vcpusMax: "FAKE_VCPUS_MAX",
  diskMax: "FAKE_DISK_MAX",
  externalIpsMax: "FAKE_EXTERNAL_IPS_MAX",
  gpusMax: "FAKE_GPUS_MAX",
  delay: "FAKE_DELAY_MS",
  fail: "FAKE_FAIL",
  stall: "FAKE_STALL",
  missingImages: "FAKE_MISSING_IMAGES",
  addresses: "FAKE_ADDRESSES",
} as const;

/** Steps that can be made to fail or to stand still. */
export const STEPS = [
  "init",
  "resources",
  "create-cluster",
  "update-cluster",
  "delete-cluster",
  "create-appinst",
  "update-appinst",
  "delete-appinst",
  "power",
  "maintenance",
  "trust-policy",
] as const;

/** Name of a step. */
export type StepName = typeof STEPS[number];

const AMOUNT = /^(?:0|[1-9][0-9]{0,11})$/;
const STEP_LIST = new RegExp(`^(?:(?:${STEPS.join("|")})(?::[^,]+)?(?:,|$))*$`);

/** What never changes about the platform. */
export const META: PlatformMeta = {
  type: "fake",
  description: "Pretended infrastructure with clusters and virtual machines, for tests and demonstrations",
  deployments: ["kubernetes", "helm", "docker", "vm"],
  cloudletServicesLocal: true,
  properties: [
    {
      name: Variable.flavors,
      description: 'sizes of machines, as "NAME VCPUS/RAM MB/DISK GB KEY=VALUE …; …", properties being optional',
      default: "x1.tiny 1/1024/20; x1.small 2/4096/40; x1.medium 4/8192/80; x1.large 8/16384/160",
      pattern:
        /^\s*[^\s;]+ [0-9]+\/[0-9]+\/[0-9]+(?: [^\s;=]+=[^\s;]+)*\s*(?:;\s*[^\s;]+ [0-9]+\/[0-9]+\/[0-9]+(?: [^\s;=]+=[^\s;]+)*\s*)*$/,
    },
    { name: Variable.ramMax, description: "memory that there is, in megabytes", default: "1024000", pattern: AMOUNT },
    { name: Variable.vcpusMax, description: "virtual CPUs that there are", default: "1000", pattern: AMOUNT },
    { name: Variable.diskMax, description: "disk that there is, in gigabytes", default: "50000", pattern: AMOUNT },
    { name: Variable.externalIpsMax, description: "addresses that there are", default: "100", pattern: AMOUNT },
    { name: Variable.gpusMax, description: "accelerators that there are", default: "20", pattern: AMOUNT },
    {
      name: Variable.delay,
      description: "pause after each line of progress, 0 to 60000 milliseconds",
      default: "0",
      pattern: /^(?:0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|60000)$/,
    },
    {
      name: Variable.fail,
      description: `steps that fail, with commas between, each ${
        STEPS.join(", ")
      }; "STEP:TEXT" is for keys that hold TEXT`,
      default: "",
      pattern: STEP_LIST,
    },
    {
      name: Variable.stall,
      description: "steps that never end by themselves; the same form as for those that fail",
      default: "",
      pattern: STEP_LIST,
    },
    {
      name: Variable.missingImages,
      description: "an image whose path holds this text does not exist",
      default: "does-not-exist",
    },
    {
      name: Variable.addresses,
      description: "first of the addresses that are given away, the one of the shared load balancer",
      default: "127.1.0.1",
      pattern: /^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/,
    },
  ],
  accessVariables: [],
  quotaResources: [],
};
