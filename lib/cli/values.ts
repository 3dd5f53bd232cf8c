import type { Activation, Padding, Pair } from '../index.js';
import { UsageError } from './errors.js';

/** '3' or '3,2' as the options take it. */
export function pair(name: string, text: string): number | Pair {
  const numbers = text.split(',').map(Number);
  if (numbers.length > 2 || numbers.some((n) => !Number.isInteger(n)) || /(^|,)\s*(,|$)/.test(text)) {
    throw new UsageError(`--${name} must be a whole number or two, as in 2 or 2,1; got '${text}'`);
  }
  return numbers.length === 1 ? numbers[0]! : (numbers as unknown as Pair);
}

export function integer(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || text.trim() === '') {
    throw new UsageError(`--${name} must be a whole number of at least ${min}, got '${text}'`);
  }
  return value;
}

/** 'valid', 'same', 'same-lower', '1', '1,2' or 'top,bottom,left,right'. */
export function padding(text: string): Padding {
  if (text === 'valid' || text === 'same' || text === 'same-lower') return text;
  const numbers = text.split(',').map(Number);
  if (/^\s*\d+(\s*,\s*\d+)*\s*$/.test(text) && [1, 2, 4].includes(numbers.length)) {
    const [top, bottom, left, right] = numbers as [number, number, number, number];
    if (numbers.length === 1) return top;
    return numbers.length === 2
      ? [top, bottom]
      : [
          [top, bottom],
          [left, right],
        ];
  }
  throw new UsageError(`--padding must be valid, same, same-lower, n, h,w or top,bottom,left,right; got '${text}'`);
}

const PLAIN = 'linear relu relu6 elu sigmoid tanh silu hardSwish hardSigmoid gelu'.split(' ');

/** A name, 'leakyRelu:0.1' or 'clip:0,1'; prelu's slopes come from a file and are put in by the caller. */
export function activation(text: string): Activation | 'prelu' {
  const [name, argument] = text.split(/:(.*)/s) as [string, string | undefined];
  const numbers = argument === undefined ? [] : argument.split(',').map(Number);
  if (argument === undefined && PLAIN.includes(name)) return name as Activation;
  if (name === 'prelu' && argument !== undefined) return 'prelu';
  if (numbers.every((n) => !Number.isNaN(n))) {
    if (name === 'leakyRelu' && numbers.length === 1) return { type: 'leakyRelu', alpha: numbers[0]! };
    if (name === 'clip' && numbers.length === 2) return { type: 'clip', min: numbers[0]!, max: numbers[1]! };
  }
  throw new UsageError(
    `--activation must be ${PLAIN.join(', ')}, leakyRelu:ALPHA, clip:MIN,MAX or prelu:FILE; got '${text}'`,
  );
}
