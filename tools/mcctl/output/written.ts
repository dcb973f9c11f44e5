import { ExecOutput, ExecSource, fromJson } from "../../../shared/schema/mod.ts";
import type { Io } from "../io.ts";

/** Prints what an instance writes, as it comes. */
export interface WrittenPrinter {
  item(item: unknown): void;
  /** The exit code of what has ended, 0 for logs; undefined when nobody has told the end. */
  end(): number | undefined;
}

/**
 * Output goes to output and errors to errors. On a terminal characters that could steer it are left out, as they are
 * others' words; elsewhere everything is passed on as text in UTF-8.
 */
export function writtenPrinter(io: Io): WrittenPrinter {
  const streams = {
    [ExecSource.EXEC_STDOUT]: { decoder: new TextDecoder(), write: (text: string) => io.out(text) },
    [ExecSource.EXEC_STDERR]: { decoder: new TextDecoder(), write: (text: string) => io.error(text) },
  };
  let exitCode: number | undefined;
  function write(source: ExecSource, data: Uint8Array | undefined): void {
    const { decoder, write } = streams[source] ?? streams[ExecSource.EXEC_STDOUT];
    const text = data === undefined ? decoder.decode() : decoder.decode(data, { stream: true });
    const shown = io.isTerminal ? text.replace(/(?![\n\t\r])\p{Cc}/gu, "") : text;
    if (shown !== "") write(shown);
  }
  return {
    item(item) {
      const { data, source, ended, exitCode: code } = fromJson(ExecOutput, item);
      write(source, data);
      if (ended) exitCode = code;
    },
    end() {
      write(ExecSource.EXEC_STDOUT, undefined);
      write(ExecSource.EXEC_STDERR, undefined);
      return exitCode;
    },
  };
}
