/** Time as this library needs it; passed in by tests that control it. */
export interface RpcClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

/** Longest delay that a timer of the runtime takes, ms (2^31 - 1); longer ones are cut and asked for again. */
const MAX_TIMER_MS = 0x7fffffff;

/** The runtime's own clock and timers. */
export const systemRpcClock: RpcClock = {
  now: () => Date.now(),
  after(delayMs, task) {
    let timer = 0 as unknown as ReturnType<typeof setTimeout>;
    const arm = (left: number): void => {
      timer = left > MAX_TIMER_MS
        ? setTimeout(() => arm(left - MAX_TIMER_MS), MAX_TIMER_MS)
        : setTimeout(task, Math.max(0, left));
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
