import { types } from './builtins.js';

/** What every error of this package carries as `code`, in Node's style. */
export type ErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_INVALID_STATE'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_OVERLAP'
  | 'ERR_SHAPE_MISMATCH'
  | 'ERR_UNKNOWN_OPTION';

// The wrong kind of thing is a TypeError, the wrong value of the right kind a RangeError.
const CLASS_OF = {
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: RangeError,
  ERR_INVALID_STATE: TypeError,
  ERR_OUT_OF_MEMORY: RangeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_OVERLAP: RangeError,
  ERR_SHAPE_MISMATCH: RangeError,
  ERR_UNKNOWN_OPTION: TypeError,
} as const satisfies Record<ErrorCode, ErrorConstructor>;

export type CodedError = Error & { code: ErrorCode };

export function codedError(code: ErrorCode, message: string, options?: ErrorOptions): CodedError {
  // Defined, not assigned: a setter that a program put on Object.prototype would swallow it.
  const property = { __proto__: null, value: code, writable: true, enumerable: true, configurable: true };
  return Object.defineProperty(new CLASS_OF[code](message, options), 'code', property) as CodedError;
}

/** "`name` must be `expected`, got `value`; `hint`", as a TypeError. */
export function wrongType(name: string, expected: string, value: unknown, hint?: string): CodedError {
  return codedError('ERR_INVALID_ARG_TYPE', expectation(name, expected, describe(value), hint));
}

/** The same as a RangeError: the right type, a value that is not one of those that are meant. */
export function wrongValue(name: string, expected: string, value: unknown, hint?: string): CodedError {
  return codedError('ERR_INVALID_ARG_VALUE', expectation(name, expected, describe(value), hint));
}

/** The same for numbers that are too small, too large, fractional or NaN. */
export function outOfRange(name: string, expected: string, value: unknown, hint?: string): CodedError {
  return codedError('ERR_OUT_OF_RANGE', expectation(name, expected, describe(value), hint));
}

/** The same for shapes that don't fit each other, their data or the groups. */
export function mismatch(name: string, expected: string, received: string, hint?: string): CodedError {
  return codedError('ERR_SHAPE_MISMATCH', expectation(name, expected, received, hint));
}

function expectation(name: string, expected: string, received: string, hint: string | undefined): string {
  return `${name} must ${expected}, got ${received}${hint ? `; ${hint}` : ''}`;
}

/**
 * What a getter or a proxy of the caller's threw while `name` was read, as an error with a code; errors of this package
 * pass as they are.
 */
export function unreadable(name: string, error: unknown): Error {
  let reason = 'an exception';
  try {
    if (error instanceof Error) {
      if (Object.hasOwn(CLASS_OF, String((error as Partial<CodedError>).code))) return error;
      reason = String(error.message);
    } else {
      reason = describe(error);
    }
  } catch {
    // What was thrown can't be read either.
  }
  return codedError('ERR_INVALID_ARG_TYPE', `${name} could not be read: ${reason}`, { cause: error });
}

/** A value as messages show it: short, and without running more of the caller's code than a name's lookup. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(object: object): string {
  try {
    if (types.isProxy(object)) return 'a Proxy';
    if (Array.isArray(object)) return describeNumbers(object) ?? `an array of ${object.length}`;
    const name = Object.getPrototypeOf(object)?.constructor?.name;
    if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object';
    return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
  } catch {
    return 'an object';
  }
}

/** Eight numbers at most; each is looked at once, since a getter's may be something long the next time. */
function describeNumbers(array: readonly unknown[]): string | undefined {
  const { length } = array;
  if (length > 8) return undefined;
  const numbers: number[] = [];
  for (let i = 0; i < length; i++) {
    const value = array[i];
    if (typeof value !== 'number') return undefined;
    numbers.push(value);
  }
  return formatShape(numbers);
}

export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
