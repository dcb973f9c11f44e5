import assert from "node:assert/strict";
import fc from "fast-check";
import { FlavorInfo } from "../../../../shared/schema/mod.ts";
import { infos } from "../testing/fixture/mod.ts";
import { isMatch, matchFlavor, type SiteOffer, type WantedSize } from "./flavor_match.ts";

const T4 = { gpu: { pci: "t4:1" } };

function offer(id: keyof typeof infos, tables: SiteOffer["tables"] = {}): SiteOffer {
  return {
    flavors: infos[id].flavors,
    tables,
    zones: ["nova", "zone-GPU-1", "gpu-2"],
    images: ["ubuntu", "ubuntu-gpu"],
  };
}

function wanted(ramMb: number, vcpus: number, diskGb: number, optional: Record<string, string> = {}): WantedSize {
  return { name: "f", ramMb, vcpus, diskGb, optional };
}

const TINY = wanted(1024, 1, 1);
const LARGE = wanted(8192, 10, 40);

function name(request: WantedSize, from: SiteOffer): string {
  const match = matchFlavor(request, from);
  return isMatch(match) ? match.name : match.fault;
}

Deno.test("the smallest size that is large enough is taken, by processors, memory and disk", () => {
  assert.equal(name(TINY, offer("C0")), "tiny2");
  assert.equal(name(wanted(2048, 2, 2), offer("C0")), "medium");
  assert.equal(name(wanted(4096, 4, 41), offer("C0")), "lg-master");
  assert.deepEqual(["C1", "C2", "C3"].map((id) => name(TINY, offer(id as "C1"))), ["small2", "medium3", "large"]);
  assert.equal(name(LARGE, offer("C1")), "no-flavor");
});

Deno.test("sizes with accelerators are left to those who ask: by their name, and by what the site's tables say", () => {
  assert.equal(name(LARGE, offer("C0")), "large");
  assert.equal(name(LARGE, offer("C0", T4)), "large-pci");
  assert.equal(name(wanted(1024, 11, 1), offer("C0")), "no-flavor");
});

Deno.test("an accelerator is matched by kind, specification and count, and comes with its zone and image", () => {
  const tables = T4;
  const gpu = (text: string) => name(wanted(1024, 1, 1, { gpu: text }), offer("C0", tables));
  assert.deepEqual(
    ["pci:1", "pci:t4:1", "gpu:1", "pci:2", "pci:v100:1"].map(gpu),
    ["large", "large", "large", "no-flavor", "no-flavor"],
  );
  const match = matchFlavor(wanted(1024, 1, 1, { gpu: "pci:1" }), offer("C0", tables));
  assert.deepEqual(isMatch(match) && [match.availabilityZone, match.image, match.optRes], [
    "zone-GPU-1",
    "ubuntu-gpu",
    "gpu",
  ]);
  const plain = matchFlavor(TINY, offer("C0", tables));
  assert.deepEqual(isMatch(plain) && [plain.availabilityZone, plain.image, plain.optRes], ["", "", ""]);
  assert.equal(
    name(wanted(1024, 1, 1, { gpu: "vgpu:nvidia-63:1" }), offer("C0", { gpu: { vgpu: "nvidia" } })),
    "large-nvidia",
  );
  assert.equal(
    name(wanted(1024, 1, 1, { gpu: "vmware:1" }), offer("C0", { gpu: { vmware: "vgpu=1" } })),
    "large-generic-gpu",
  );
});

Deno.test("a site without accelerators, or without that kind, says so", () => {
  const request = wanted(1024, 1, 1, { gpu: "pci:1" });
  assert.match((matchFlavor(request, offer("C0")) as { reason: string }).reason, /no GPUs, which flavor f asks for/);
  const other = matchFlavor(request, offer("C0", { gpu: { vgpu: "x" } }));
  assert.deepEqual(other, { fault: "no-gpu", reason: "the site has no GPUs of kind pci, which flavor f asks for" });
  assert.equal(name(wanted(1, 1, 1, { nas: "ceph:1" }), offer("C0")), "no-flavor");
});

Deno.test("what is offered beyond what was asked for does not match", () => {
  const tables = { ...T4, nas: { nas: "ceph-20" } };
  assert.equal(name(wanted(1024, 1, 1, { gpu: "pci:1" }), offer("C0", tables)), "large");
  assert.equal(name(wanted(1024, 1, 1, { gpu: "pci:1", nas: "nas:ceph-20:1" }), offer("C0", tables)), "large2");
  assert.equal(name(wanted(1024, 1, 1, { nas: "nas:1" }), offer("C0", tables)), "no-flavor");
});

Deno.test("a size without a disk of its own gets a volume as large as the flavor's", () => {
  const flavors = [FlavorInfo.create({ name: "diskless", vcpus: 4, ram: 4096 })];
  const match = matchFlavor(wanted(1024, 1, 30), { ...offer("C0"), flavors });
  assert.deepEqual(isMatch(match) && [match.name, match.diskGb, match.externalVolumeGb], ["diskless", 30, 30]);
});

Deno.test("a site that lists no sizes makes machines as they are asked for", () => {
  const match = matchFlavor(wanted(7, 3, 5), { ...offer("C0"), flavors: [] });
  assert.deepEqual(isMatch(match) && [match.name, match.ramMb, match.vcpus, match.diskGb], ["f", 7, 3, 5]);
});

Deno.test("property: a match is large enough, and no smaller size would have been", () => {
  const amount = fc.integer({ min: 1, max: 8 });
  const size = fc.record({ vcpus: amount, ram: amount, disk: fc.integer({ min: 0, max: 8 }) });
  fc.assert(fc.property(fc.array(size, { minLength: 1, maxLength: 8 }), amount, amount, amount, (sizes, v, r, d) => {
    const flavors = sizes.map((each, i) => FlavorInfo.create({ name: `s${i}`, ...each }));
    const request = wanted(r, v, d);
    const fits = flavors.filter(({ vcpus, ram, disk }) => vcpus >= v && ram >= r && (disk === 0 || disk >= d));
    const match = matchFlavor(request, { flavors, tables: {}, zones: [], images: [] });
    if (!isMatch(match)) return assert.equal(fits.length, 0);
    const least = Math.min(...fits.map(({ vcpus }) => vcpus));
    assert.equal(match.vcpus, least);
    assert.ok(fits.some((flavor) => flavor.name === match.name));
  }));
});
