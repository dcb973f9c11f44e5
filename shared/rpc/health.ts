import type { CallContext } from "./context.ts";
import { RpcError } from "./error.ts";
import type { Codec, Method } from "./method.ts";
import type { RpcServer } from "./server.ts";
import { Status } from "./status.ts";
import { numberField, readFields, textField, textOf } from "./wire.ts";

/** What a health check answers (grpc.health.v1, HealthCheckResponse.ServingStatus). */
export const ServingStatus = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
/** One of the four answers. */
export type ServingStatus = typeof ServingStatus[keyof typeof ServingStatus];

/** Asks for the health of a service; "" stands for the server as a whole. */
export interface HealthCheckRequest {
  service: string;
}
/** The answer. */
export interface HealthCheckResponse {
  status: ServingStatus;
}

const requestCodec: Codec<HealthCheckRequest> = {
  encode: ({ service }) => service === "" ? new Uint8Array() : textField(1, service),
  decode(bytes) {
    const name = readFields(bytes).findLast(([number]) => number === 1);
    return { service: name === undefined ? "" : textOf(name[1]) };
  },
};

const responseCodec: Codec<HealthCheckResponse> = {
  encode: ({ status }) => status === 0 ? new Uint8Array() : numberField(1, status),
  decode(bytes) {
    const status = readFields(bytes).findLast(([number]) => number === 1)?.[1] ?? ServingStatus.UNKNOWN;
    // An answer that is newer than we are is none that we can act on.
    return { status: STATUSES.find((known) => known === status) ?? ServingStatus.UNKNOWN };
  },
};
const STATUSES: readonly ServingStatus[] = Object.values(ServingStatus);

type Check = Method<HealthCheckRequest, HealthCheckResponse> & {
  readonly requestStream: false;
  readonly responseStream: false;
};
type Watch = Method<HealthCheckRequest, HealthCheckResponse> & {
  readonly requestStream: false;
  readonly responseStream: true;
};

/** The standard health service, for clients. */
export const HealthService: {
  readonly name: string;
  readonly methods: { readonly check: Check; readonly watch: Watch };
} = {
  name: "grpc.health.v1.Health",
  methods: {
    check: {
      path: "/grpc.health.v1.Health/Check",
      requestStream: false,
      responseStream: false,
      input: requestCodec,
      output: responseCodec,
    },
    watch: {
      path: "/grpc.health.v1.Health/Watch",
      requestStream: false,
      responseStream: true,
      input: requestCodec,
      output: responseCodec,
    },
  },
};

/** Says what the health service of a server answers. */
export interface Health {
  /** Sets the answer for a service, "" for the server as a whole. */
  set(service: string, serving: boolean): void;
}

/** Adds the standard health service; the server as a whole serves from the start. */
export function addHealth(server: RpcServer): Health {
  const states = new Map<string, ServingStatus>([["", ServingStatus.SERVING]]);
  const watchers = new Set<() => void>();

  async function* watch({ service }: HealthCheckRequest, { signal }: CallContext): AsyncGenerator<HealthCheckResponse> {
    let told: ServingStatus | undefined;
    let wake = (): void => {};
    const changed = (): void => wake();
    watchers.add(changed);
    signal.addEventListener("abort", changed);
    try {
      while (!signal.aborted) {
        const status = states.get(service) ?? ServingStatus.SERVICE_UNKNOWN;
        const next = new Promise<void>((resolve) => wake = resolve);
        if (status !== told) {
          told = status;
          yield { status };
          if (states.get(service) !== told) continue;
        }
        if (!signal.aborted) await next;
      }
    } finally {
      watchers.delete(changed);
    }
  }

  server.addService(HealthService, {
    check({ service }) {
      const status = states.get(service);
      if (status === undefined) throw new RpcError(Status.NOT_FOUND, `Service ${JSON.stringify(service)} is unknown`);
      return { status };
    },
    watch,
  });

  return {
    set(service, serving) {
      states.set(service, serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
      for (const wake of watchers) wake();
    },
  };
}
