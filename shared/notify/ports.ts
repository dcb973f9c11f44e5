/** Time as notify needs it; the clock of `shared/rpc` fits. */
export interface NotifyClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` once after `ms`; the returned function cancels it. */
  after(ms: number, task: () => void): () => void;
}

/** Takes what is worth a log line. */
export type NotifyLog = (level: "info" | "warn" | "error", message: string, fields: Record<string, unknown>) => void;
