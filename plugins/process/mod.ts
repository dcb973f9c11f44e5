/**
 * Platform `process`: an app is a JavaScript or TypeScript module, run on the site's own machine by a runtime whose
 * permissions are exactly what the app's manifest asks for.
 *
 * @module
 */
import type { CreatePlatform } from "../../shared/platform/mod.ts";
import { createProcessPlatform } from "./platform.ts";

const create: CreatePlatform = createProcessPlatform;
export default create;
