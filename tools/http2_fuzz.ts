/**
 * The long form of the fuzzer of `shared/http2`.
 *
 *     deno run tools/http2_fuzz.ts [--inputs=1000000] [--seed=1]
 *
 * Prints the seed of the first input that fails, and exits with 1.
 *
 * @module
 */
import { fuzzOne } from "../shared/http2/testing/fuzz.ts";

function flag(name: string, otherwise: number): number {
  const given = Deno.args.find((arg) => arg.startsWith(`--${name}=`));
  return given === undefined ? otherwise : Number(given.slice(name.length + 3));
}

if (import.meta.main) {
  const inputs = flag("inputs", 1_000_000);
  const first = flag("seed", 1);
  const started = performance.now();
  const ends = new Map<string, number>();
  for (let seed = first; seed < first + inputs; seed++) {
    // Promises settle between inputs, or they would pile up.
    if (seed % 1_000 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    try {
      const end = String(fuzzOne(seed).ended).replace(/\d+/g, "N");
      ends.set(end, (ends.get(end) ?? 0) + 1);
    } catch (error) {
      console.error(`Seed ${seed} fails`, error);
      Deno.exit(1);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${inputs} inputs in ${seconds} s, heap ${(Deno.memoryUsage().heapUsed / 1e6).toFixed(0)} MB; they ended:`,
  );
  for (const [end, count] of [...ends].sort((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(9)}  ${end}`);
}
