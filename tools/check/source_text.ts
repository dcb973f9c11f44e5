/** A source file with parts blanked out; line breaks stay, so that line numbers hold. */
export interface SourceText {
  /** Without comments. */
  readonly code: string;
  /** Without comments and without the contents of strings, templates and regular expressions. */
  readonly bare: string;
}

/** Characters after which a slash begins a regular expression rather than divides. */
const BEFORE_REGEXP = new Set("(,=:[!&|?{};+-*%<>~^\n");
const WORDS_BEFORE_REGEXP = /\b(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/;

/** Blanks comments and strings of a TypeScript source, well enough to look for names in what is left. */
export function blankSource(text: string): SourceText {
  const code = [...text];
  const bare = [...text];
  const length = code.length;
  let position = 0;
  let before = "\n";

  const blank = (target: string[], from: number, to: number) => {
    for (let i = from; i < to; i++) if (target[i] !== "\n") target[i] = " ";
  };
  const at = (offset: number) => code[position + offset];
  const wordBefore = () => bare.slice(Math.max(0, position - 12), position).join("").trimEnd();

  /** Skips a quoted text or regular expression; returns the position after its end. */
  const quoted = (end: string): number => {
    let i = position + 1;
    let inClass = false;
    while (i < length && code[i] !== "\n") {
      if (code[i] === "\\") i++;
      else if (end === "/" && code[i] === "[") inClass = true;
      else if (end === "/" && code[i] === "]") inClass = false;
      else if (code[i] === end && !inClass) return i + 1;
      i++;
    }
    return i;
  };

  /** Skips a template; what stands in its `${}` is code again. */
  const template = () => {
    position++;
    while (position < length && code[position] !== "`") {
      if (code[position] === "\\") {
        blank(bare, position, position + 2);
        position += 2;
      } else if (code[position] === "$" && at(1) === "{") {
        position += 2;
        scan("}");
        position++;
      } else {
        blank(bare, position, position + 1);
        position++;
      }
    }
    position++;
  };

  const scan = (until: string | undefined) => {
    let depth = 0;
    before = "\n";
    while (position < length) {
      const char = code[position]!;
      if (char === until && depth === 0) return;
      if (char === "/" && (at(1) === "/" || at(1) === "*")) {
        const end = at(1) === "/" ? indexOf(code, "\n", position) : indexOf(code, "*/", position + 2) + 2;
        blank(code, position, Math.min(end, length));
        blank(bare, position, Math.min(end, length));
        position = end;
        continue;
      }
      if (char === '"' || char === "'") {
        const end = quoted(char);
        blank(bare, position + 1, end - 1);
        position = end;
      } else if (char === "`") {
        template();
      } else if (char === "/" && (BEFORE_REGEXP.has(before) || WORDS_BEFORE_REGEXP.test(wordBefore()))) {
        const end = quoted("/");
        blank(bare, position + 1, end - 1);
        position = end;
      } else {
        if (char === "{") depth++;
        if (char === "}") depth--;
        position++;
      }
      if (char.trim() !== "") before = char;
    }
  };

  scan(undefined);
  return { code: code.join(""), bare: bare.join("") };
}

function indexOf(text: readonly string[], wanted: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === wanted[0] && (wanted.length === 1 || text[i + 1] === wanted[1])) return i;
  }
  return text.length;
}

/** Number, from 1, of the line that a position is on. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < position; i = text.indexOf("\n", i + 1)) line++;
  return line;
}
