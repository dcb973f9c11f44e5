/** What stands around variables unless an app says otherwise. */
export const DEFAULT_DELIMITER = "{{ }}";

/** The two words of a delimiter such as `{{ }}`; undefined when it is none. */
export function splitDelimiter(delimiter: string): readonly [open: string, close: string] | undefined {
  const words = (delimiter === "" ? DEFAULT_DELIMITER : delimiter).split(" ");
  return words.length === 2 && words[0] !== "" && words[1] !== "" ? [words[0]!, words[1]!] : undefined;
}

/** A text with each variable replaced by a word, so that what stands around them can be read as YAML. */
export function withoutTemplates(text: string, delimiter = DEFAULT_DELIMITER): string {
  const words = splitDelimiter(delimiter);
  if (words === undefined) return text;
  const [open, close] = words;
  const parts: string[] = [];
  let from = 0;
  for (;;) {
    const begin = text.indexOf(open, from);
    const end = begin < 0 ? -1 : text.indexOf(close, begin + open.length);
    if (end < 0) return parts.join("") + text.slice(from);
    parts.push(text.slice(from, begin), "x");
    from = end + close.length;
  }
}
