/**
 * Platform `docker`: instances are containers of a Docker Engine, clusters are its networks.
 *
 * @module
 */
import type { CreatePlatform } from "../../shared/platform/mod.ts";
import { createDockerPlatform } from "./platform.ts";

const create: CreatePlatform = createDockerPlatform;
export default create;
