import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import { applyMask, Settings, type SettingsApi, SettingsKind } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { refuse } from "../../faults.ts";
import { Issues } from "../../rules/issues.ts";
import { checkSettings, withDefaults } from "../../rules/settings.ts";
import { requireReferences } from "../../state/references.ts";
import { currentSettings, SETTINGS_KEY } from "../../state/settings.ts";
import { done } from "../requests.ts";

/** Handlers of SettingsApi. */
export function settingsApi({ region }: ApiContext): Handlers<typeof SettingsApi> {
  return {
    async updateSettings(request) {
      await region.change(async (tx) => {
        const before = withDefaults(await tx.get(SettingsKind, SETTINGS_KEY));
        const settings = Settings.create(before);
        const issues = new Issues();
        if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
        const { changed, refused } = applyMask(Settings, settings, request, request.fields);
        for (const { field, rule } of refused) issues.add(field, undefined, rule);
        checkSettings(settings, issues);
        refuse(issues.list);
        if (changed.length === 0) return;
        await requireReferences(tx, SettingsKind, settings, before);
        tx.put(SettingsKind, withDefaults(settings));
      });
      return done("Updated settings");
    },
    async resetSettings() {
      // deno-lint-ignore require-await -- async as transactions are
      await region.change(async (tx) => tx.put(SettingsKind, withDefaults(undefined)));
      return done("Reset settings");
    },
    // deno-lint-ignore require-await -- async as calls are
    showSettings: async () => currentSettings(region.cache),
  };
}
