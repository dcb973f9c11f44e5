import { ControllerKind, fromJson, type JsonValue, toJson } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";

/** Prefix of everything that the controller keeps; its number is that of the key layout. */
export const STORE_PREFIX = "/v1/";

/** Who wrote the store and for which region. */
export const VERSION_ROW = "/v1/Version";

/** Rows of running operations (`OperationRow`). */
export const OPERATION_PREFIX = "/v1/Operation/";

/** Row of a running operation; while it is there nobody else works on the object. */
export function operationRow(kind: AnyKind, keyString: string): string {
  return `${OPERATION_PREFIX}${kind.kind}/${keyString}`;
}

/** Row of a living controller. */
export function controllerRow(id: string): string {
  return ControllerKind.storeKey({ addr: id });
}

/** Rows with the progress of operations, which stay for a while after their end. */
export const PROGRESS_PREFIX = "/v1/Progress/";

/** Row with the progress of the last operation on an object. */
export function progressRow(kind: AnyKind, keyString: string): string {
  return `${PROGRESS_PREFIX}${kind.kind}/${keyString}`;
}

/** Rows with what sites report to other controllers than those that run the operations. */
export const SITE_PROGRESS_PREFIX = "/v1/SiteProgress/";

/** Row with what a site reports of an operation to another controller than the one that runs it. */
export function siteProgressRow(kind: AnyKind, keyString: string): string {
  return `${SITE_PROGRESS_PREFIX}${kind.kind}/${keyString}`;
}

/** Rows that keep identifiers unique in the region. */
export function appInstIdRow(id: string): string {
  return `/v1/AppInstId/${id}`;
}

/** Rows that keep DNS labels of cloudlets unique in the region. */
export function cloudletLabelRow(label: string): string {
  return `/v1/CloudletDnsLabel/${label}`;
}

/** Rows that keep DNS labels of clusters and instances unique on their cloudlet, named by its own label. */
export function objectLabelRow(cloudletLabel: string, label: string): string {
  return `/v1/CloudletObjectDnsLabel/${cloudletLabel}/${label}`;
}

/** Row of the public ports that are taken on a cloudlet. */
export function cloudletRefsRow(cloudletKeyString: string): string {
  return `/v1/CloudletPorts/${cloudletKeyString}`;
}

/** Row of the instances in a cluster that is lent or has a load balancer of its own, with the ports that they hold there. */
export function clusterRefsRow(clusterKeyString: string): string {
  return `/v1/ClusterRefs/${clusterKeyString}`;
}

/** Row that keeps a pool of machines with one cloudlet. */
export function vmPoolUserRow(vmPoolKeyString: string): string {
  return `/v1/VMPoolUser/${vmPoolKeyString}`;
}

/** Row that keeps an Android package name with one app. */
export function androidPackageRow(name: string): string {
  return `/v1/AndroidPackage/${name}`;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes of a JSON value. */
export function encodeRow(value: JsonValue): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** The JSON value of a row's bytes. */
export function decodeRow(bytes: Uint8Array): JsonValue {
  return JSON.parse(decoder.decode(bytes));
}

/** Bytes of an object as it is stored: JSON, so that people and later versions can read it. */
export function encodeObject<T>(kind: AnyKind, object: T): Uint8Array {
  return encodeRow(toJson(kind.message, object, "store"));
}

/** The object of a stored row. Throws a JsonError when it is not one of this kind. */
export function decodeObject<T>(kind: AnyKind, bytes: Uint8Array): T {
  return fromJson(kind.message, decodeRow(bytes), "store") as T;
}
