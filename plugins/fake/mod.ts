/**
 * A pretended infrastructure with kubernetes and docker clusters and virtual machines, for tests and demonstrations.
 * Nothing runs on it; everything else is as on a real one: it lasts, has sizes and limits, takes time and can fail.
 *
 * @module
 */
import { createFakePlatform } from "./platform.ts";

export default createFakePlatform;
