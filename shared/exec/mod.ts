/**
 * What controllers and sites agree on about shells, commands and logs.
 * @module
 */
export * from "./messages.ts";
export { parseSince } from "./since.ts";
export { splitWords, type WordFault } from "./words.ts";
