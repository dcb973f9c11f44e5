/**
 * Access keys of cloudlets: how a cloudlet proves to its region who it is, before it has a certificate, and how its
 * services keep the certificates that they get so.
 *
 * @module
 */
export {
  type AccessOptions,
  type AccessSession,
  type KeptCertificate,
  openAccess,
  publicCertificate,
  serviceCertificate,
} from "./certificate.ts";
export { checkCertificate, type CloudletService, parseCloudlet } from "./cloudlet_name.ts";
export { type KeyWatchOptions, verifyKey, watchAccessKey } from "./key_watch.ts";
export { type AccessClient, type AccessClientOptions, createAccessClient } from "./client.ts";
export { type AccessKeyFile, accessKeyFile } from "./key_file.ts";
export {
  AccessKeyError,
  type AccessKeyPair,
  AccessMetadata,
  createAccessKey,
  readAccessKey,
  signCall,
  verifyCall,
  verifyLegacy,
} from "./keys.ts";
