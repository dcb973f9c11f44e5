/** Reads environment variables. */
export interface Environment {
  /** The value, or undefined when it is unset, empty, or not granted to this process. */
  get(name: string): string | undefined;
}

/** The process's environment, as far as its permissions reach. */
export function systemEnvironment(): Environment {
  return {
    get(name) {
      try {
        return Deno.env.get(name) || undefined;
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) return undefined;
        throw error;
      }
    },
  };
}

/** An environment out of a plain record, for tests and tools. */
export function environmentOf(values: Readonly<Record<string, string | undefined>>): Environment {
  return { get: (name) => Object.hasOwn(values, name) ? values[name] || undefined : undefined };
}
