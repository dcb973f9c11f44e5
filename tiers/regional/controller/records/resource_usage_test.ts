import assert from "node:assert/strict";
import { CloudletRefs, PlatformType } from "../../../../shared/schema/mod.ts";
import { resourceUsagePoints } from "./resource_usage.ts";

const key = { organization: "oper", name: "berlin" };
const updatedAt = { seconds: 1000, nanos: 0 };

Deno.test("what a cloudlet has given away is one point of resources and one for each size of machine", () => {
  const refs = CloudletRefs.create({
    key,
    updatedAt,
    used: { "RAM": 2048, "vCPUs": 3, "Instances": 2, "Unheard Of": 7 },
    usedFlavors: { small: 2, large: 1 },
  });
  const points = resourceUsagePoints(refs, PlatformType.PLATFORM_TYPE_OPENSTACK);
  const tags = { cloudlet: "berlin", cloudletorg: "oper" };
  assert.deepEqual(points, [
    {
      measurement: "openstack-resource-usage",
      tags,
      fields: { ramUsed: 2048n, vcpusUsed: 3n, gpusUsed: 0n, externalIpsUsed: 0n, instancesUsed: 2n },
      timeMs: 1_000_000,
    },
    {
      measurement: "cloudlet-flavor-usage",
      tags: { ...tags, flavor: "small" },
      fields: { count: 2n },
      timeMs: 1_000_000,
    },
    {
      measurement: "cloudlet-flavor-usage",
      tags: { ...tags, flavor: "large" },
      fields: { count: 1n },
      timeMs: 1_000_000,
    },
  ]);
});

Deno.test("what has gone back to nothing is told as nothing", () => {
  const [point] = resourceUsagePoints(CloudletRefs.create({ key, updatedAt }), PlatformType.PLATFORM_TYPE_AWS_EKS);
  assert.deepEqual([point!.measurement, point!.fields], ["aws-eks-resource-usage", {
    ramUsed: 0n,
    vcpusUsed: 0n,
    gpusUsed: 0n,
    externalIpsUsed: 0n,
  }]);
});
