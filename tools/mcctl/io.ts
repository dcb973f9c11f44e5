/** What a request to the master controller needs beyond its text. */
export interface Trust {
  /** PEM of certificates that are trusted besides the system's. */
  readonly ca?: string;
  /** Takes any certificate. */
  readonly skipVerify: boolean;
}

/** A reply, its body as it arrives. */
export interface Reply {
  readonly status: number;
  readonly statusText: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Everything outside of the program: replaced in tests. */
export interface Io {
  out(text: string): void;
  error(text: string): void;
  /** Whether the output goes to a terminal. */
  readonly isTerminal: boolean;
  environment(name: string): string | undefined;
  /** Reads a line without showing it. Throws UsageError when there is nobody to ask. */
  readSecret(prompt: string): Promise<string>;
  /** Text of a file; undefined when there is none. */
  readFile(path: string): Promise<string | undefined>;
  /** Writes a file that only its owner may read. */
  writePrivateFile(path: string, text: string): Promise<void>;
  post(url: string, body: string, headers: Readonly<Record<string, string>>, trust: Trust): Promise<Reply>;
}
