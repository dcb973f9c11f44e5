/**
 * Asks again and again until the answer is there, and fails with the last reason after the deadline.
 * @param what Words for the error.
 * @param probe Returns the awaited value, or undefined (or throws) while it is not there.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  limitMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  let last: unknown = "nothing yet";
  while (Date.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
      last = "nothing yet";
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${limitMs / 1_000} s in vain for ${what}`, { cause: last });
}
