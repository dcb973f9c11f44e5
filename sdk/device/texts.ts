// Enumerations of the client API, by the texts that replies of the REST form hold.

/** State of a cloudlet; devices are sent to those that are `Ready`. */
export const CLOUDLET_STATES = [
  "Unknown",
  "Errors",
  "Ready",
  "Offline",
  "NotPresent",
  "Init",
  "Upgrade",
  "NeedSync",
] as const;
/** @see CLOUDLET_STATES */
export type CloudletState = typeof CLOUDLET_STATES[number];

/** Steps of a cloudlet's maintenance; `UnderMaintenance` is when nothing works there. */
export const MAINTENANCE_STATES = [
  "NormalOperation",
  "MaintenanceStart",
  "FailoverRequested",
  "FailoverDone",
  "FailoverError",
  "MaintenanceStartNoFailover",
  "CrmRequested",
  "CrmUnderMaintenance",
  "CrmError",
  "NormalOperationInit",
  "UnderMaintenance",
] as const;
/** @see MAINTENANCE_STATES */
export type MaintenanceState = typeof MAINTENANCE_STATES[number];

/** Health of an instance; `Ok` and `Unknown` (not probed yet) are usable. */
export const HEALTH_CHECKS = ["Unknown", "RootlbOffline", "ServerFail", "Ok", "CloudletOffline"] as const;
/** @see HEALTH_CHECKS */
export type HealthCheck = typeof HEALTH_CHECKS[number];

/** Protocol of a port. */
export const PROTOCOLS = ["Unknown", "Tcp", "Udp", "Http"] as const;
/** @see PROTOCOLS */
export type Protocol = typeof PROTOCOLS[number];

/** What became of the priority session that FindCloudlet asks for by itself where the app has a profile. */
export const QOS_RESULTS = ["NotAttempted", "SessionCreated", "SessionFailed"] as const;
/** @see QOS_RESULTS */
export type QosResult = typeof QOS_RESULTS[number];

/** Profile of a priority session: low latency, or some 20, 50, 100 Mbit/s down. */
export const QOS_PROFILES = [
  "NoPriority",
  "LowLatency",
  "ThroughputDownS",
  "ThroughputDownM",
  "ThroughputDownL",
] as const;
/** @see QOS_PROFILES */
export type QosProfile = typeof QOS_PROFILES[number];

/** Protocol of a priority session, one for each direction. */
export const QOS_PROTOCOLS = ["Tcp", "Udp", "Any"] as const;
/** @see QOS_PROTOCOLS */
export type QosProtocol = typeof QOS_PROTOCOLS[number];

/** What became of a priority session that was to be deleted. */
export const QOS_DELETIONS = ["Unknown", "Deleted", "NotFound"] as const;
/** @see QOS_DELETIONS */
export type QosDeletion = typeof QOS_DELETIONS[number];

/** How a claimed place compares with what the operator's network knows. */
export const LOCATION_CHECKS = [
  "Unknown",
  "Verified",
  "MismatchSameCountry",
  "MismatchOtherCountry",
  "RoamingCountryMatch",
  "RoamingCountryMismatch",
  "ErrorUnauthorized",
  "ErrorOther",
] as const;
/** @see LOCATION_CHECKS */
export type LocationCheck = typeof LOCATION_CHECKS[number];

/** Whether the operator's network tells where the device is. */
export const LOCATION_ANSWERS = ["Unknown", "Found", "Denied"] as const;
/** @see LOCATION_ANSWERS */
export type LocationAnswer = typeof LOCATION_ANSWERS[number];

/** Events that a matching engine sends. */
export const SERVER_EVENTS = [
  "Unknown",
  "InitConnection",
  "LatencyRequest",
  "LatencyProcessed",
  "CloudletState",
  "CloudletMaintenance",
  "AppinstHealth",
  "CloudletUpdate",
  "Error",
] as const;
/** @see SERVER_EVENTS */
export type ServerEventType = typeof SERVER_EVENTS[number];
