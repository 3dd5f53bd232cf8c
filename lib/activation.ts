import { types } from './builtins.js';
import { codedError, describe, outOfRange, wrongType, wrongValue } from './errors.js';
import { suggest } from './suggest.js';
import { checkChannelValues } from './tensor.js';
import { findUnknown, isRecord, readChoice, withoutPollution } from './validate.js';

/** The activations that have no parameters of their own. */
export type PlainActivation =
  | 'linear'
  | 'relu'
  | 'relu6'
  | 'elu'
  | 'sigmoid'
  | 'tanh'
  | 'silu'
  | 'hardSwish'
  | 'hardSigmoid'
  | 'gelu';

/**
 * What is applied to each output after the bias, while it is still in a register.
 *
 * - linear: x; relu: max(x, 0); relu6: min(max(x, 0), 6); elu: x, or exp(x) - 1 below 0;
 * - sigmoid: 1 / (1 + exp(-x)); tanh; silu: x * sigmoid(x); gelu: x * (1 + erf(x / sqrt(2))) / 2;
 * - hardSigmoid: relu6(x + 3) / 6 (PyTorch's and Keras 3's); hardSwish: x * hardSigmoid(x);
 * - leakyRelu: x, or alpha * x below 0; prelu: the same with an alpha for each output channel;
 * - clip: min(max(x, min), max); -Infinity and Infinity leave a side open.
 *
 * NaN stays NaN through each of them.
 */
export type Activation =
  | PlainActivation
  | { readonly type: PlainActivation }
  | { readonly type: 'leakyRelu'; readonly alpha: number }
  | { readonly type: 'prelu'; readonly alpha: Float32Array }
  | { readonly type: 'clip'; readonly min: number; readonly max: number };

// In the order of ActivationKind in native/core/problem.h.
const TYPES = [
  'linear',
  'relu',
  'relu6',
  'elu',
  'sigmoid',
  'tanh',
  'silu',
  'hardSwish',
  'hardSigmoid',
  'gelu',
  'leakyRelu',
  'prelu',
  'clip',
] as const;
type ActivationType = (typeof TYPES)[number];

const ALIASES: Readonly<Record<string, ActivationType>> = {
  none: 'linear',
  identity: 'linear',
  swish: 'silu',
  hswish: 'hardSwish',
  hardsilu: 'hardSwish',
  hsigmoid: 'hardSigmoid',
  logistic: 'sigmoid',
  lrelu: 'leakyRelu',
  clamp: 'clip',
  hardtanh: 'clip',
};

const PLAIN_NAMES: ReadonlySet<string> = new Set(['type']);
const PARAMETERS: Readonly<Partial<Record<ActivationType, ReadonlySet<string>>>> = {
  leakyRelu: new Set(['type', 'alpha']),
  prelu: new Set(['type', 'alpha']),
  clip: new Set(['type', 'min', 'max']),
};
const ALL_PARAMETERS: ReadonlySet<string> = new Set(['type', 'alpha', 'min', 'max']);
const EXAMPLES: Readonly<Partial<Record<ActivationType, string>>> = {
  leakyRelu: "{ type: 'leakyRelu', alpha: 0.01 }",
  prelu: "{ type: 'prelu', alpha: new Float32Array(outChannels) }",
  clip: "{ type: 'clip', min: 0, max: 6 }",
};

/** An activation as the addon takes it: `kind` is the index of the type, `slopes` are prelu's alphas. */
export interface ActivationSpec {
  readonly kind: number;
  readonly alpha: number;
  readonly lo: number;
  readonly hi: number;
  readonly slopes: Float32Array | undefined;
}

export const LINEAR: ActivationSpec = { kind: 0, alpha: 0, lo: 0, hi: 0, slopes: undefined };

/** @throws TypeError or RangeError where `value` is no {@link Activation} for `channels` output channels. */
export function readActivation(value: unknown, channels: number): ActivationSpec {
  if (typeof value === 'string') {
    const type = readChoice('activation', value, TYPES, ALIASES);
    const example = EXAMPLES[type];
    if (example) throw wrongValue('activation', `be an object for '${type}'`, value, `write ${example}`);
    return { ...LINEAR, kind: TYPES.indexOf(type) };
  }
  if (!isRecord(value)) throw wrongType('activation', "be a name or { type: … }, such as 'relu'", value);

  const given: { type?: unknown; alpha?: unknown; min?: unknown; max?: unknown } = withoutPollution(
    value,
    ALL_PARAMETERS,
  );
  const type = readChoice('activation.type', given.type, TYPES, ALIASES);
  const known = PARAMETERS[type] ?? PLAIN_NAMES;
  const unknown = findUnknown(value, known);
  if (unknown !== undefined) throw unknownParameter(type, unknown, known);
  const spec = { ...LINEAR, kind: TYPES.indexOf(type) };

  if (type === 'leakyRelu') {
    const { alpha } = given;
    return { ...spec, alpha: readFinite('activation.alpha', alpha) };
  }
  if (type === 'prelu') {
    const { alpha } = given;
    if (!types.isFloat32Array(alpha)) throw wrongType('activation.alpha', 'be a Float32Array', alpha, alphaHint(alpha));
    checkChannelValues('activation.alpha', alpha, channels);
    return { ...spec, slopes: alpha };
  }
  if (type === 'clip') {
    const { min, max } = given;
    const lo = readBound('activation.min', min);
    const hi = readBound('activation.max', max);
    if (lo > hi) throw outOfRange('activation.min', `be <= activation.max (${hi})`, lo);
    return { ...spec, lo, hi };
  }
  return spec;
}

/** A number that is finite as a float too. */
function readFinite(name: string, value: unknown): number {
  const expected = 'be a finite float32 number';
  if (typeof value !== 'number') throw wrongType(name, expected, value);
  if (!Number.isFinite(Math.fround(value))) throw outOfRange(name, expected, value);
  return Math.fround(value);
}

function readBound(name: string, value: unknown): number {
  const expected = 'be a number, not NaN';
  if (typeof value !== 'number') throw wrongType(name, expected, value);
  if (Number.isNaN(value)) throw outOfRange(name, expected, value);
  return Math.fround(value);
}

function alphaHint(alpha: unknown): string | undefined {
  return typeof alpha === 'number' ? "one slope for all channels is { type: 'leakyRelu', alpha }" : undefined;
}

function unknownParameter(type: ActivationType, name: string, known: ReadonlySet<string>): Error {
  const others = [...known].filter((other) => other !== 'type');
  const meant = suggest(name, others);
  const takes = others.length ? `takes ${others.join(', ')}` : 'takes no parameters';
  const hint = meant ? `did you mean '${meant}'?` : `'${type}' ${takes}`;
  return codedError('ERR_UNKNOWN_OPTION', `unknown option ${describe(name)} of activation '${type}'; ${hint}`);
}
