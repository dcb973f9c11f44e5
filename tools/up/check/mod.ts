/** `up --demo --check`: the main job once, against a platform of its own. @module */
export { runCheck } from "./run_check.ts";
