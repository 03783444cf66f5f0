/** What goes in: strings and numbers that reach C unchanged, or are refused. */

import koffi from 'koffi';
import { badArgument } from './error.js';

/** What a value is, for a message: never its content, which may be a secret or long. */
function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  const type = typeof value;
  return `${type === 'object' ? 'an' : 'a'} ${type}`;
}

/** A text that C sees whole: without a NUL, which would end it there, and without half a character. */
export function text(value: string, name: string): string {
  if (typeof value !== 'string') throw badArgument(name, `is ${kind(value)}, not a string`);
  if (value.includes('\0')) throw badArgument(name, 'contains a NUL');
  if (!value.isWellFormed()) throw badArgument(name, 'is not Unicode: it has half of a surrogate pair');
  return value;
}

/** An integer that fits into the C type; koffi would let others wrap around. */
export function integer(value: number, name: string, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const found = typeof value === 'number' ? value : kind(value);
  throw badArgument(name, `is ${found}, not an integer from ${least} to ${most}`);
}
export const uint32 = (value: number, name: string) => integer(value, name, 0, 0xffff_ffff);

/** One JSON object: written as it is, or as its text. */
export function document(value: object | string, name: string): string {
  if (typeof value === 'string') return text(value, name);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badArgument(name, `is ${kind(value)}, not an object or its JSON`);
  }
  return JSON.stringify(value);
}

/** Bytes, or a text as UTF-8. */
export function bytesOf(value: string | Uint8Array, name: string): Uint8Array {
  if (typeof value === 'string') return encoder.encode(value);
  if (value instanceof Uint8Array) return value;
  throw badArgument(name, `is ${kind(value)}, not a string or a Uint8Array`);
}

const encoder = new TextEncoder();
/** Texts one after the other, and their addresses: what the functions with `const char *const *` get. */
let bytes = new Uint8Array(new ArrayBuffer(16 * 1024));
let base = Number(koffi.address(bytes));
let addresses = new Uint32Array(new ArrayBuffer(2 * 4 * 1024));

/**
 * A list of texts as C sees it, until the next call of this function: so it stands in the arguments of a
 * call that copies it. Several times as fast as an array of strings through koffi.
 */
export function list(values: readonly string[], name: string): Uint32Array {
  if (!Array.isArray(values)) throw badArgument(name, `is ${kind(values)}, not an array of strings`);
  // With an index, because a hole of an array is passed over by its methods.
  for (let index = 0; index < values.length; index++) {
    if (typeof values[index] !== 'string') text(values[index]!, `${name}[${index}]`);
  }
  const joined = values.join('\0');
  reserve(joined.length * 3 + 1, values.length);
  const end = encoder.encodeInto(joined, bytes).written;
  bytes[end] = 0;
  let found = 0;
  for (let start = 0, at = 0; at <= end; at++) {
    if (bytes[at] !== 0) continue;
    addresses[2 * found] = base + start;
    addresses[2 * found + 1] = (base + start) / 0x1_0000_0000;
    found++;
    start = at + 1;
  }
  // A NUL inside a text makes one too many; `text` says which, and why.
  if ((found !== values.length && values.length > 0) || !joined.isWellFormed()) {
    values.forEach((value, index) => text(value, `${name}[${index}]`));
  }
  return addresses;
}

function reserve(length: number, count: number): void {
  if (bytes.length < length) {
    bytes = new Uint8Array(new ArrayBuffer(2 * length));
    base = Number(koffi.address(bytes));
  }
  if (addresses.length < 2 * count) addresses = new Uint32Array(new ArrayBuffer(16 * count));
}
