import type { ProvenSession, Session } from "../cookies/mod.ts";
import type { Point, Ranked } from "../matching/mod.ts";
import type { RegionInstance } from "./desk.ts";

/** What is written down of calls, beside counting them. Called on their way: must be quick and must not throw. */
export interface Records {
  /** A session was given an instance of an app. @param app table id of the app */
  found(
    session: ProvenSession,
    app: string,
    match: Ranked<RegionInstance>,
    location: { latitude: number; longitude: number },
  ): void;
  /**
   * A device has searched for an app. @param app table id of the app. @param carrier organization, "" for any.
   * @param foundKm distance of the best, as matching has it; undefined: nothing was found
   */
  searched(app: string, carrier: string, from: Point, foundKm: number | undefined): void;
  /** A device has registered. */
  registered(session: Session): void;
}

/** Writes nothing down. */
export const noRecords: Records = { found() {}, searched() {}, registered() {} };

/** Under what a call is counted: filled in by the call as far as it comes. */
export interface CallNote {
  /** Table id of the app; "" for a call that belongs to none. */
  app: string;
  /** Table id of the cloudlet on which an instance was found; "" for none. */
  cloudlet: string;
  /** Carrier under which it was found. */
  carrier: string;
}
