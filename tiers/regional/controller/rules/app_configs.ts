import { readEnvList, readYaml } from "../../../../shared/manifest/mod.ts";
import type { App, ConfigFile } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";

/** Kinds of configuration files (specification 3.5). */
export const CONFIG_KIND = {
  envVars: "envVarsYaml",
  helm: "helmCustomizationYaml",
  access: "appAccessCustomization",
} as const;

/** Most files of an app. */
const MAX_CONFIGS = 20;
/** Longest file in characters. */
export const MAX_CONFIG_CHARACTERS = 64 * 1024;

/** Whether a text is an http or https URL and nothing else. */
export function isUrl(text: string): boolean {
  return /^https?:\/\/\S+$/.test(text) && URL.canParse(text);
}

/** Checks an app's configuration files; what is behind a URL is checked when it has been fetched. */
export function checkConfigs(app: Pick<App, "configs" | "deployment" | "templateDelimiter">, issues: Issues): void {
  issues.check(app.configs.length <= MAX_CONFIGS, "configs", app.configs.length, `may be at most ${MAX_CONFIGS}`);
  for (const [index, file] of app.configs.slice(0, MAX_CONFIGS).entries()) {
    const path = `configs[${index}]`;
    const rule = kindRule(file.kind, app.deployment);
    if (rule !== undefined) issues.add(`${path}.kind`, file.kind, rule);
    if (file.config === "") issues.add(`${path}.config`, "", "is required");
    else if (rule === undefined && !isUrl(file.config)) {
      const fault = configRule(file.kind, file.config, app.templateDelimiter);
      // Values may be secrets of the developer, so messages never show them.
      if (fault !== undefined) issues.add(`${path}.config`, undefined, fault);
    }
  }
}

/** The files that are given by URL, with their JSON paths. */
export function remoteConfigs({ configs }: Pick<App, "configs">): { path: string; file: ConfigFile }[] {
  return configs.map((file, index) => ({ path: `configs[${index}].config`, file })).filter(({ file }) =>
    isUrl(file.config)
  );
}

/** The rule that the text of a file breaks, or undefined. */
export function configRule(kind: string, text: string, delimiter: string): string | undefined {
  if (text.length > MAX_CONFIG_CHARACTERS) {
    return `has ${text.length} characters, at most ${MAX_CONFIG_CHARACTERS} are allowed`;
  }
  const { rule } = readYaml(text, delimiter);
  if (rule !== undefined) return rule;
  return kind === CONFIG_KIND.envVars ? readEnvList(text).rule : undefined;
}

function kindRule(kind: string, deployment: string): string | undefined {
  switch (kind) {
    case CONFIG_KIND.envVars:
      return deployment === "kubernetes" ? undefined : "is for deployment kubernetes only";
    case CONFIG_KIND.helm:
      return deployment === "helm" ? undefined : "is for deployment helm only";
    case CONFIG_KIND.access:
      return undefined;
    default:
      return `must be ${Object.values(CONFIG_KIND).join(", ")}`;
  }
}
