import { MAX_KUBERNETES_CHARACTERS, readCompose, readComposeArchive } from "../../../../shared/manifest/mod.ts";
import { type App, ImageType, type Issue } from "../../../../shared/schema/mod.ts";
import { configRule, MAX_CONFIG_CHARACTERS, remoteConfigs } from "../rules/app_configs.ts";
import { composeImages } from "../rules/app_compose.ts";
import { dockerForm, isArchiveUrl, isManifestUrl } from "../rules/app_manifest.ts";
import { Issues } from "../rules/issues.ts";
import { chartFault } from "./charts.ts";
import { moduleFault } from "./files.ts";
import { ovfFault, qcowFault } from "./machine_images.ts";
import { SourceError, type SourceReader } from "./reader.ts";
import { imageExists, type SecretReader } from "./registry.ts";

/** What becomes of an image that is not found: nobody looks, the caller is told, or the app is refused. */
export type ImageCheck = "off" | "warn" | "require";

/** Longest time for all that is asked outside for one call, in milliseconds. */
const TIME_LIMIT_MS = 10_000;
const MAX_ARCHIVE_BYTES = 1024 * 1024;
/** Bytes of a character at most. */
const MAX_CHARACTER_BYTES = 4;

/** Fields that name something outside. */
export type OutsideField = "configs" | "deployment_manifest" | "image_path";

/** What was found outside. */
export interface Findings {
  readonly issues: readonly Issue[];
  /** What the caller should know, though the call goes on. */
  readonly warnings: readonly string[];
}

/** What apps have outside of the region: images, and manifests and configurations that are given by URL. */
export class AppSources {
  readonly #reader: SourceReader;
  readonly #secrets: SecretReader | undefined;
  readonly #imageCheck: ImageCheck;

  constructor(reader: SourceReader, secrets: SecretReader | undefined, imageCheck: ImageCheck) {
    this.#reader = reader;
    this.#secrets = secrets;
    this.#imageCheck = imageCheck;
  }

  /** Puts the text of a manifest that is given by URL in the place of the URL. */
  async fetchManifest(app: App): Promise<Issue[]> {
    if (!isManifestUrl(app)) return [];
    const issues = new Issues();
    try {
      const bytes = await this.#reader.read(app.deploymentManifest, MAX_KUBERNETES_CHARACTERS, timeLimit());
      app.deploymentManifest = new TextDecoder().decode(bytes);
    } catch (error) {
      issues.add("deployment_manifest", app.deploymentManifest, `cannot be read: ${reasonOf(error)}`);
    }
    return issues.list;
  }

  /**
   * Looks at what an app has outside, at all of it at the same time.
   *
   * @param skip whether a field is not to be looked at, as it is what it was, or known to be wrong
   */
  async look(app: App, skip: (field: OutsideField) => boolean): Promise<Findings> {
    const issues = new Issues();
    const warnings: string[] = [];
    // Most apps have nothing outside, and a timer for each would outlive its call by far.
    let limit: AbortSignal | undefined;
    const signal = () => limit ??= timeLimit();
    const tasks: Promise<void>[] = [];
    if (!skip("configs")) {
      tasks.push(...remoteConfigs(app).map((remote) => this.#lookAtConfig(app, remote, issues, signal)));
    }
    if (!skip("deployment_manifest") && app.deployment === "docker" && isArchiveUrl(app.deploymentManifest)) {
      tasks.push(this.#lookAtArchive(app, issues, signal));
    }
    const fault = (path: string, image: string, look: () => Promise<string | undefined>) =>
      tasks.push(this.#lookAtImage({ path, image, look }, issues, warnings));
    if (!skip("deployment_manifest") && app.deployment === "docker" && dockerForm(app) === "compose text") {
      for (const { path, image } of composeImages(readCompose(app.deploymentManifest).app)) {
        fault(path, image, () => this.#dockerFault(image, signal()));
      }
    }
    if (!skip("image_path") && app.imagePath !== "") {
      fault("image_path", app.imagePath, () => this.#imageFault(app, signal()));
    }
    await Promise.all(tasks);
    return { issues: issues.list, warnings };
  }

  async #lookAtConfig(
    app: App,
    { path, file }: ReturnType<typeof remoteConfigs>[number],
    issues: Issues,
    signal: () => AbortSignal,
  ): Promise<void> {
    try {
      const bytes = await this.#reader.read(file.config, MAX_CONFIG_CHARACTERS * MAX_CHARACTER_BYTES, signal());
      const rule = configRule(file.kind, new TextDecoder().decode(bytes), app.templateDelimiter);
      if (rule !== undefined) issues.add(path, file.config, `names a file that ${rule}`);
    } catch (error) {
      issues.add(path, file.config, `cannot be read: ${reasonOf(error)}`);
    }
  }

  async #lookAtArchive(app: App, issues: Issues, signal: () => AbortSignal): Promise<void> {
    const { deploymentManifest: url } = app;
    try {
      const rule = await readComposeArchive(await this.#reader.read(url, MAX_ARCHIVE_BYTES, signal()));
      if (rule !== undefined) issues.add("deployment_manifest", url, rule);
    } catch (error) {
      issues.add("deployment_manifest", url, `cannot be read: ${reasonOf(error)}`);
    }
  }

  async #lookAtImage(
    { path, image, look }: { path: string; image: string; look: () => Promise<string | undefined> },
    issues: Issues,
    warnings: string[],
  ): Promise<void> {
    // A region that names no hosts has nobody to ask.
    if (this.#imageCheck === "off" || (this.#imageCheck === "warn" && this.#reader.hosts.isEmpty)) return;
    let fault: string | undefined;
    try {
      fault = await look();
    } catch (error) {
      fault = `cannot be checked: ${reasonOf(error)}`;
    }
    if (fault === undefined) return;
    if (this.#imageCheck === "require") issues.add(path, image, fault);
    else warnings.push(`${path} ${fault}`);
  }

  async #dockerFault(image: string, signal: AbortSignal): Promise<string | undefined> {
    if (await imageExists(this.#reader, this.#secrets, image, signal)) return undefined;
    return "names an image that its registry does not have";
  }

  async #imageFault(app: App, signal: AbortSignal): Promise<string | undefined> {
    switch (app.imageType) {
      case ImageType.IMAGE_TYPE_DOCKER:
        return await this.#dockerFault(app.imagePath, signal);
      case ImageType.IMAGE_TYPE_QCOW:
        return await qcowFault(this.#reader, app.imagePath, signal);
      case ImageType.IMAGE_TYPE_OVF:
        return await ovfFault(this.#reader, app.imagePath, signal);
      case ImageType.IMAGE_TYPE_HELM:
        return await chartFault(this.#reader, this.#secrets, app.imagePath, signal);
      case ImageType.IMAGE_TYPE_MODULE:
        return await moduleFault(this.#reader, app.imagePath, signal);
      default:
        return undefined;
    }
  }
}

function timeLimit(): AbortSignal {
  return AbortSignal.timeout(TIME_LIMIT_MS);
}

function reasonOf(error: unknown): string {
  if (error instanceof SourceError) return error.message;
  throw error;
}
