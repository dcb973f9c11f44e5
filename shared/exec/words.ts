/** Why a command line cannot be divided into words. */
export type WordFault = "a quote is not closed" | "a backslash ends it";

/**
 * Words of a command line by the quoting rules of POSIX shells (2.2 Quoting): single quotes keep everything, double quotes
 * everything but `\` before `$`, a backquote, `"`, `\` and the end of a line; a backslash outside of quotes keeps the next
 * character. Nothing is expanded, and operators are words like any other.
 */
export function splitWords(text: string): readonly string[] | WordFault {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return "a quote is not closed";
      word = (word ?? "") + text.slice(at + 1, end);
      at = end;
    } else if (character === '"') {
      word ??= "";
      for (at++; text[at] !== '"'; at++) {
        if (at >= text.length) return "a quote is not closed";
        if (text[at] === "\\" && /[$`"\\\n]/.test(text[at + 1] ?? "")) {
          at++;
          if (text[at] !== "\n") word += text[at];
        } else word += text[at];
      }
    } else if (character === "\\") {
      if (++at >= text.length) return "a backslash ends it";
      // A backslash before the end of a line joins the lines.
      if (text[at] !== "\n") word = (word ?? "") + text[at];
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}
