/** What a figure was measured on; part of every benchmark's JSON line. */
export interface MachineFacts {
  /** CPU model as the kernel names it. */
  cpu: string;
  /** Logical processors that the process may use. */
  cores: number;
  /** Physical memory in MiB. */
  memoryMib: number;
  /** Kernel release. */
  kernel: string;
  /** Version of the runtime, e.g. "deno 2.8.2". */
  runtime: string;
}

/** Reads the facts of this machine. Needs the `sys` and, for the CPU's name on Linux, `read` permission. */
export function machineFacts(): MachineFacts {
  return {
    cpu: cpuModel(),
    cores: navigator.hardwareConcurrency,
    memoryMib: Math.round(Deno.systemMemoryInfo().total / 2 ** 20),
    kernel: `${Deno.build.os} ${Deno.osRelease()}`,
    runtime: `deno ${Deno.version.deno}`,
  };
}

function cpuModel(): string {
  try {
    return /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
  } catch {
    return Deno.build.arch;
  }
}
