import assert from "node:assert/strict";

/** Checks that a call is refused with a status and a message that has a fragment, and starts with a capital. */
export async function refused(
  answer: Promise<{ status: number; text: string }> | { status: number; text: string },
  status: number,
  fragment: string | RegExp,
): Promise<void> {
  const { status: actual, text } = await answer;
  assert.equal(actual, status, text);
  const message = String(JSON.parse(text).message);
  if (typeof fragment === "string") assert.ok(message.includes(fragment), `${message} lacks ${fragment}`);
  else assert.match(message, fragment);
  assert.equal(message[0], message[0]!.toUpperCase());
}
