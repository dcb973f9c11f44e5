import assert from "node:assert/strict";
import {
  App,
  AppKind,
  AutoProvPolicy,
  AutoProvPolicyKind,
  Cloudlet,
  CloudletKind,
  ClusterInst,
  ClusterInstKind,
  type ObjectKind,
  Settings,
  SettingsKind,
} from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import { referencesOf } from "./references.ts";

function references<T extends object>(kind: ObjectKind<T, never>, object: T): string[] {
  return referencesOf(kind as AnyKind, object).map(({ kind, keyString }) => `${kind.kind} ${keyString}`);
}

Deno.test("references by name take the other parts of the key from the object", () => {
  const app = App.create({
    key: { organization: "acme", name: "a", version: "1" },
    defaultFlavor: { name: "small" },
    autoProvPolicies: ["p", "q", "p"],
    alertPolicies: ["x"],
  });
  assert.deepEqual(references(AppKind as never, app), [
    'Flavor {"name":"small"}',
    'AutoProvPolicy {"organization":"acme","name":"p"}',
    'AutoProvPolicy {"organization":"acme","name":"q"}',
    'AlertPolicy {"organization":"acme","name":"x"}',
  ]);
  const cluster = ClusterInst.create({
    key: { clusterKey: { name: "c" }, cloudletKey: { organization: "oper", name: "edge" }, organization: "acme" },
    networks: ["video"],
    autoScalePolicy: "grow",
  });
  const found = references(ClusterInstKind as never, cluster);
  assert.ok(
    found.includes('Network {"cloudlet_key":{"organization":"oper","name":"edge"},"name":"video"}'),
    `${found}`,
  );
  assert.ok(found.includes('AutoScalePolicy {"organization":"acme","name":"grow"}'), `${found}`);
});

Deno.test("references inside lists are found, and empty optional ones left out", () => {
  const key = { organization: "oper", name: "edge" };
  const policy = AutoProvPolicy.create({ cloudlets: [{ key }, { key: { ...key, name: "other" } }] });
  assert.deepEqual(references(AutoProvPolicyKind as never, policy), [
    'Cloudlet {"organization":"oper","name":"edge"}',
    'Cloudlet {"organization":"oper","name":"other"}',
  ]);
  assert.deepEqual(references(CloudletKind as never, Cloudlet.create({ key })), []);
  assert.deepEqual(references(CloudletKind as never, Cloudlet.create({ key, trustPolicy: "t" })), [
    'TrustPolicy {"organization":"oper","name":"t"}',
  ]);
  assert.deepEqual(references(SettingsKind as never, Settings.create()), []);
});
