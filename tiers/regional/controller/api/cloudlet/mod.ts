/**
 * What is done with cloudlets: made, changed, led into maintenance and back, given a trust policy, removed.
 *
 * @module
 */
export { createCloudlet, resumeCloudlet } from "./create.ts";
export { followUpdate, updateCloudlet } from "./update.ts";
export { removeCloudlet, resumeRemoval } from "./remove.ts";
export { cloudletAllianceCalls } from "./alliance.ts";
export { pushTrustPolicy } from "./trust.ts";
export { cloudletSecretPath, dropSecrets } from "./secrets.ts";
