/**
 * SHA-512's block function (FIPS 180-4, 6.4.2) as a WebAssembly module, put together here. It works on 64-bit words, which
 * JavaScript's numbers are not; and a call into the runtime's own costs more than the hash itself, and three are needed for each.
 *
 * @module
 */

/** Octets that are hashed at once, and that the state has. */
export const BLOCK_BYTES = 128;
export const STATE_BYTES = 64;

const WORD_BYTES = 8;
const ROUNDS = 80;
/** Rounds between two steps of the message schedule, and its words. */
const STRIDE = 16;

/** What lies where in the module's memory: state, round constants, blocks; in all one page. */
const STATE_AT = 0;
const CONSTANTS_AT = STATE_BYTES;
const CONSTANTS_END = CONSTANTS_AT + ROUNDS * WORD_BYTES;
const BLOCKS_AT = 1024;
const PAGE_BYTES = 65_536;

/** Octets of the code of an instruction. */
type Code = readonly number[];

const unsigned = (value: number): Code => value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
const signed = (value: bigint): Code =>
  value >= -64n && value < 64n ? [Number(value & 127n)] : [Number(value & 127n) | 128, ...signed(value >> 7n)];

const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const tee = (local: number): Code => [0x22, ...unsigned(local)];
const load = (offset: number): Code => [0x29, 3, ...unsigned(offset)];
const store = (offset: number): Code => [0x37, 3, ...unsigned(offset)];
const i32 = (value: number): Code => [0x41, ...signed(BigInt(value))];
const i64 = (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))];
const [I32_ADD, I32_SUB, I32_LESS] = [[0x6a], [0x6b], [0x49]] as const;
const [ADD, AND, OR, XOR] = [[0x7c], [0x83], [0x84], [0x85]] as const;
const [SHIFT_LEFT, SHIFT_RIGHT, ROTATE_LEFT, ROTATE_RIGHT] = [[0x86], [0x88], [0x89], [0x8a]] as const;
const [LOOP, IF, END] = [[0x03, 0x40], [0x04, 0x40], [0x0b]] as const;
const repeat = (depth: number): Code => [0x0c, depth];
const repeatIf = (depth: number): Code => [0x0d, depth];
const code = (...parts: readonly Code[]): Code => parts.flat();
const each = (count: number, make: (at: number) => Code): Code =>
  Array.from({ length: count }, (_, at) => make(at)).flat();

/** Locals: parameters, the working variables a to h, the schedule, a scratch word, the state, and the constants' place. */
const [DATA, BLOCKS] = [0, 1] as const;
const variable = (at: number) => 2 + (at & 7);
const word = (at: number) => 10 + (at & 15);
const SCRATCH = 26;
const state = (at: number) => 27 + at;
const CONSTANT = 35;
const [WORD_LOCALS, ADDRESS_LOCALS] = [33, 1] as const;

const rotated = (local: number, by: number) => code(get(local), i64(BigInt(by)), ROTATE_RIGHT);
const shifted = (local: number, by: number) => code(get(local), i64(BigInt(by)), SHIFT_RIGHT);

/** Turns the octets of the word on the stack around, since memory is little-endian. */
function turned(): Code {
  const swap = (by: bigint, mask: bigint) =>
    code(
      ...[get(SCRATCH), i64(by), SHIFT_RIGHT, i64(mask), AND],
      ...[get(SCRATCH), i64(mask), AND, i64(by), SHIFT_LEFT, OR, set(SCRATCH)],
    );
  return code(
    set(SCRATCH),
    ...[swap(8n, 0x00ff00ff00ff00ffn), swap(16n, 0x0000ffff0000ffffn)],
    ...[get(SCRATCH), i64(32n), ROTATE_LEFT],
  );
}

/** One round; the variables stay where they are and change their names from round to round. */
function round(at: number): Code {
  const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, name) => variable(name - at + 8)) as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  return code(
    ...[get(h), rotated(e, 14), rotated(e, 18), XOR, rotated(e, 41), XOR, ADD],
    ...[get(f), get(g), XOR, get(e), AND, get(g), XOR, ADD],
    ...[get(CONSTANT), load(at * WORD_BYTES), ADD, get(word(at)), ADD, tee(SCRATCH)],
    ...[get(d), ADD, set(d)],
    ...[get(SCRATCH), rotated(a, 28), rotated(a, 34), XOR, rotated(a, 39), XOR, ADD],
    ...[get(a), get(b), AND, get(c), get(a), get(b), OR, AND, OR, ADD, set(h)],
  );
}

/** The next word of the schedule, in the place of the one sixteen before. */
function schedule(at: number): Code {
  const [early, late] = [word(at + 1), word(at + 14)];
  return code(
    ...[get(word(at)), rotated(early, 1), rotated(early, 8), XOR, shifted(early, 7), XOR, ADD],
    ...[get(word(at + 9)), ADD],
    ...[rotated(late, 19), rotated(late, 61), XOR, shifted(late, 6), XOR, ADD, set(word(at))],
  );
}

/** `hash(data, blocks)`: takes blocks from a place on into the state. */
function hashFunction(): Code {
  return code(
    each(8, (at) => code(i32(STATE_AT), load(at * WORD_BYTES), turned(), set(state(at)))),
    LOOP,
    each(8, (at) => code(get(state(at)), set(variable(at)))),
    each(STRIDE, (at) => code(get(DATA), load(at * WORD_BYTES), turned(), set(word(at)))),
    ...[i32(CONSTANTS_AT), set(CONSTANT)],
    LOOP,
    each(STRIDE, round),
    ...[get(CONSTANT), i32(STRIDE * WORD_BYTES), I32_ADD, tee(CONSTANT), i32(CONSTANTS_END), I32_LESS],
    ...[IF, each(STRIDE, schedule), repeat(1), END],
    END,
    each(8, (at) => code(get(state(at)), get(variable(at)), ADD, set(state(at)))),
    ...[get(DATA), i32(BLOCK_BYTES), I32_ADD, set(DATA)],
    ...[get(BLOCKS), i32(1), I32_SUB, tee(BLOCKS), repeatIf(0)],
    END,
    each(8, (at) => code(i32(STATE_AT), get(state(at)), turned(), store(at * WORD_BYTES))),
  );
}

/** The module: one function and one page of memory, both exported. */
function assemble(): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const body = code([2, WORD_LOCALS, 0x7e, ADDRESS_LOCALS, 0x7f], hashFunction(), END);
  return Uint8Array.from(code(
    [...[0x00, 0x61, 0x73, 0x6d], ...[1, 0, 0, 0]],
    section(1, [1, 0x60, 2, 0x7f, 0x7f, 0]),
    section(3, [1, 0]),
    section(5, [1, 0, 1]),
    section(7, [2, ...[1, 0x6d, 2, 0], ...[1, 0x68, 0, 0]]),
    section(10, [1, ...unsigned(body.length), ...body]),
  ));
}

const { m: memory, h: hash } = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports as {
  m: WebAssembly.Memory;
  h: (data: number, blocks: number) => void;
};

const octets = new Uint8Array(memory.buffer);

/** The state, as octets: of a hash that is finished, the hash. Of the module; whoever hashes next writes over it. */
export const hashState: Uint8Array = octets.subarray(STATE_AT, STATE_BYTES);

/** Room for what is hashed, of the module as well. */
export const hashInput: Uint8Array = octets.subarray(BLOCKS_AT);

/** Takes the first blocks of {@linkcode hashInput} into {@linkcode hashState}. @param blocks at least 1 */
export function hashBlocks(blocks: number): void {
  hash(BLOCKS_AT, blocks);
}

/** Ends what is hashed as the standard says. @param end of it in {@linkcode hashInput}. @param total its octets, those hashed before included. @returns Blocks that are left to hash */
export function padInput(end: number, total: number): number {
  const blocks = Math.ceil((end + 1 + 16) / BLOCK_BYTES);
  hashInput[end] = 0x80;
  hashInput.fill(0, end + 1, blocks * BLOCK_BYTES);
  lengths.setUint32(blocks * BLOCK_BYTES - 4, total * 8);
  return blocks;
}

const lengths = new DataView(memory.buffer, BLOCKS_AT);

/** The first 64 bits of the fraction of a root of a number, by whole numbers. */
function fraction(of: number, degree: bigint): bigint {
  const wanted = BigInt(of) << (64n * degree);
  let [low, high] = [0n, 1n << 80n];
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** degree <= wanted) low = middle;
    else high = middle - 1n;
  }
  return BigInt.asUintN(64, low);
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}

const constants = new DataView(memory.buffer, CONSTANTS_AT);
primes(ROUNDS).forEach((prime, at) => constants.setBigUint64(at * WORD_BYTES, fraction(prime, 3n), true));

/** The state of a hash of nothing yet. */
export const INITIAL_STATE: Uint8Array<ArrayBuffer> = new Uint8Array(STATE_BYTES);
const initial = new DataView(INITIAL_STATE.buffer);
primes(8).forEach((prime, at) => initial.setBigUint64(at * WORD_BYTES, fraction(prime, 2n)));

if (octets.length !== PAGE_BYTES) throw new Error("The module has not one page of memory");
