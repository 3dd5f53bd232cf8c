import type { Activation, Padding, Pair } from '../index.js';
import { UsageError } from './errors.js';

/** The numbers of '1,-2.5'; NaN for what is none, and for what is empty. */
export function numbers(text: string): number[] {
  return text.split(',').map((item) => (item.trim() === '' ? Number.NaN : Number(item)));
}

export function integer(name: string, text: string, min: number): number {
  const [value, ...more] = numbers(text) as [number, ...number[]];
  if (more.length > 0 || !Number.isSafeInteger(value) || value < min) {
    throw new UsageError(`${name} must be a whole number of at least ${min}, got '${text}'`);
  }
  return value;
}

/** '3' or '3,2' as the options take it. */
export function pair(name: string, text: string): number | Pair {
  const values = numbers(text);
  if (values.length > 2 || !values.every((n) => Number.isSafeInteger(n) && n >= 1)) {
    throw new UsageError(`${name} must be a whole number of at least 1, or two as in 2,1; got '${text}'`);
  }
  return values.length === 1 ? values[0]! : (values as unknown as Pair);
}

/** 'valid', 'same', 'same-lower', '1', '1,2' or 'top,bottom,left,right'. */
export function padding(text: string): Padding {
  if (text === 'valid' || text === 'same' || text === 'same-lower') return text;
  const values = numbers(text);
  if (values.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    const [top, bottom, left, right] = values as [number, number, number, number];
    if (values.length === 1) return top;
    if (values.length === 2) return [top, bottom]; // [h, w]
    if (values.length === 4) {
      return [
        [top, bottom],
        [left, right],
      ];
    }
  }
  throw new UsageError(`--padding must be valid, same, same-lower, n, h,w or top,bottom,left,right; got '${text}'`);
}

const PLAIN = 'linear relu relu6 elu sigmoid tanh silu hardSwish hardSigmoid gelu'.split(' ');

/** What `--help` lists. */
export const ACTIVATIONS = `${PLAIN.join(', ')}, leakyRelu:ALPHA, clip:MIN,MAX, prelu:FILE`;

/** A name, 'leakyRelu:0.1' or 'clip:0,1'; prelu's slopes come from a file and are put in by the caller. */
export function activation(text: string): Activation | 'prelu' {
  const [name, argument] = text.split(/:(.*)/s) as [string, string | undefined];
  if (argument === undefined && PLAIN.includes(name)) return name as Activation;
  if (argument !== undefined) {
    if (name === 'prelu') return 'prelu';
    const values = numbers(argument);
    if (values.every((n) => !Number.isNaN(n))) {
      if (name === 'leakyRelu' && values.length === 1) return { type: 'leakyRelu', alpha: values[0]! };
      if (name === 'clip' && values.length === 2) return { type: 'clip', min: values[0]!, max: values[1]! };
    }
  }
  throw new UsageError(`--activation must be one of ${ACTIVATIONS}; got '${text}'`);
}
