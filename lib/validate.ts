import { types } from './builtins.js';
import { outOfRange, wrongType, wrongValue } from './errors.js';
import { suggest } from './suggest.js';

/** Height and width, in this order. */
export type Pair = readonly [height: number, width: number];

/** `value` if it is a safe integer >= `least`, else an error that says `expected`. */
export function readInteger(name: string, value: unknown, least: number, expected: string): number {
  if (typeof value !== 'number') throw wrongType(name, expected, value);
  if (!Number.isSafeInteger(value) || value < least) throw outOfRange(name, expected, value);
  return value + 0; // -0 becomes 0
}

/** A number for both axes, or [height, width]. */
export function readPair(name: string, value: unknown, least: number): Pair {
  const each = `be an integer >= ${least}`;
  if (typeof value === 'number') {
    const n = readInteger(name, value, least, each);
    return [n, n];
  }
  const expected = `${each} or [height, width]`;
  const [height, width] = readArray(name, value, 2, expected, lengthHint);
  return [readInteger(`${name}[0]`, height, least, each), readInteger(`${name}[1]`, width, least, each)];
}

function lengthHint(length: number): string | undefined {
  return length === 4 ? "TensorFlow's [1, h, w, 1] is [h, w] here" : undefined;
}

/** The elements of an array of just this length, each read once. */
export function readArray(
  name: string,
  value: unknown,
  length: number,
  expected: string,
  hint?: (length: number) => string | undefined,
): unknown[] {
  if (!Array.isArray(value)) throw wrongType(name, expected, value);
  const actual = value.length;
  if (actual !== length) throw wrongValue(name, expected, value, hint?.(actual));
  return Array.from({ length }, (_, i) => value[i]);
}

/** `value` if it is one of `choices`. Where it isn't, the error lists them and names the likely one. */
export function readChoice<T extends string>(
  name: string,
  value: unknown,
  choices: readonly T[],
  aliases?: Readonly<Record<string, T>>,
): T {
  if (choices.includes(value as T)) return value as T;
  const expected = `be ${list(choices)}`;
  if (typeof value !== 'string') throw wrongType(name, expected, value);
  const meant = suggest(value, choices, aliases);
  throw wrongValue(name, expected, value, meant && `did you mean '${meant}'?`);
}

export function list(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `'${choice}'`);
  return quoted.length < 2 ? quoted.join() : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/**
 * Whether `value` can hold named options: any object but those that hold something else (arrays, buffers, maps, …),
 * which would otherwise pass as objects without options.
 */
export function isRecord(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.getPrototypeOf(value) === Object.prototype) return true; // a literal: spares the other questions
  return !(
    Array.isArray(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isPromise(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isBoxedPrimitive(value)
  );
}

/**
 * `record`, or where a program has added names to Object.prototype, a copy of the `known` ones without those: nobody
 * passed them, and a polluted prototype must not change results.
 */
export function withoutPollution(record: object, known: ReadonlySet<string>): object {
  for (const _ in Object.prototype) {
    const copy = Object.create(null);
    for (const name of known) {
      if (isPassed(record, name)) copy[name] = (record as Record<string, unknown>)[name];
    }
    return copy;
  }
  return record;
}

function isPassed(record: object, name: string): boolean {
  if (!(name in Object.prototype)) return true;
  for (let owner = record; owner !== null && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, name)) return true;
  }
  return false;
}

/**
 * The first name in `record`, own or inherited, that is not `known`. Left out are names whose value is undefined, which
 * means absent everywhere in this package, and what a program added to Object.prototype.
 */
export function findUnknown(record: object, known: ReadonlySet<string>): string | undefined {
  for (const name in record) {
    if (known.has(name)) continue;
    if (name in Object.prototype && !Object.hasOwn(record, name)) continue;
    if ((record as Record<string, unknown>)[name] !== undefined) return name;
  }
  return undefined;
}
