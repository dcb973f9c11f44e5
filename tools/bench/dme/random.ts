/** Numbers in [0, 1) that are the same in every run and every process: a multiply-with-carry generator. @param seed above 0 */
export function seededRandom(seed: number): () => number {
  let z = 362_436_069 ^ seed;
  let w = 521_288_629 + seed;
  return () => {
    z = (36_969 * (z & 65_535) + (z >>> 16)) | 0;
    w = (18_000 * (w & 65_535) + (w >>> 16)) | 0;
    return (((z << 16) + (w & 65_535)) >>> 0) / 2 ** 32;
  };
}
