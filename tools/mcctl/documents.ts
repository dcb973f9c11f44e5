/** Longest JSON document of a reply, characters; more is a broken peer. */
const MAX_DOCUMENT_CHARACTERS = 64 * 1024 * 1024;

/** The lines of a body as they arrive, without empty ones. */
export async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end).trim();
      rest = rest.slice(end + 1);
      if (line !== "") yield line;
    }
    if (rest.length > MAX_DOCUMENT_CHARACTERS) throw new Error("The reply holds a line that is too long");
  }
  const last = (rest + decoder.decode()).trim();
  if (last !== "") yield last;
}

/** The JSON documents of a body, one a line, or one that spreads over all lines. */
export async function* readDocuments(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let pending = "";
  for await (const line of readLines(body)) {
    pending += pending === "" ? line : `\n${line}`;
    let document: unknown;
    try {
      document = JSON.parse(pending);
    } catch {
      continue;
    }
    pending = "";
    yield document;
  }
  if (pending !== "") throw new Error("The reply ends inside a JSON document");
}
