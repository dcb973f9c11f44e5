/** Ticks a second in which Linux counts CPU time for programs, on every architecture. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used so far, all threads, own code and the kernel's for it, µs (Linux, 10 ms steps). */
export function cpuMicroseconds(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name in the second field may hold spaces; what follows its closing bracket is plain.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * (1e6 / TICKS_PER_SECOND);
}

/** Memory of a process that is in RAM, bytes (Linux). */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kib) * 1_024;
}
