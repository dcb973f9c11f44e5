/**
 * Access keys of cloudlets: how a cloudlet proves to its region who it is, before it has a certificate.
 *
 * @module
 */
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
