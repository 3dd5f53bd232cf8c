// The contract, computed as its definition has it: one loop per dimension, in float64, sharing no code with lib/. What
// every result is held against, and how far from it a result may be.
import type { Activation, Conv2dOptions, Tensor } from '../lib/index.js';

export type OperatorName = 'depthwiseConv2d' | 'conv2d';

export interface Reference {
  readonly shape: number[];
  /** The exact result, activation included. */
  readonly output: Float64Array;
  /** The smallest and the largest that a result may be. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** How many products of an input and a weight were summed up in all. */
  readonly products: number;
}

interface Axis {
  readonly input: number;
  readonly output: number;
  readonly filter: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

const UNIT_ROUNDOFF = 2 ** -24;
const SMALLEST = 2 ** -149;

/** Options must be valid: the reference doesn't check them. */
export function reference(
  operator: OperatorName,
  input: Tensor,
  filter: Tensor,
  options: Conv2dOptions = {},
): Reference {
  const nhwc = (options.dataFormat ?? 'NHWC') === 'NHWC';
  const hwio = (options.filterFormat ?? 'HWIO') === 'HWIO';
  const [batch, a, b, c] = (input.shape.length === 4 ? input.shape : [1, ...input.shape]) as Four;
  const [inHeight, inWidth, inChannels] = nhwc ? [a, b, c] : [b, c, a];

  // A depthwise convolution is one with a group for each input channel; its HWIO filter [fh, fw, C, M] holds the numbers
  // of [fh, fw, 1, C * M] in the same order.
  const depthwise = operator === 'depthwiseConv2d';
  const groups = depthwise ? inChannels : (options.groups ?? 1);
  const [f0, f1, f2, f3] = filter.shape as Four;
  const [filterHeight, filterWidth] = hwio ? [f0, f1] : [f2, f3];
  const outChannels = hwio ? (depthwise ? f2 * f3 : f3) : f0;
  const inPerGroup = inChannels / groups;
  const outPerGroup = outChannels / groups;

  const rows = axis(options, 0, inHeight, filterHeight);
  const columns = axis(options, 1, inWidth, filterWidth);
  const image = nhwc ? [rows.output, columns.output, outChannels] : [outChannels, rows.output, columns.output];
  const shape = input.shape.length === 4 ? [batch, ...image] : image;

  const inputAt = nhwc
    ? (n: number, y: number, x: number, i: number) => ((n * inHeight + y) * inWidth + x) * inChannels + i
    : (n: number, y: number, x: number, i: number) => ((n * inChannels + i) * inHeight + y) * inWidth + x;
  const filterAt = hwio
    ? (ky: number, kx: number, i: number, o: number) => ((ky * filterWidth + kx) * inPerGroup + i) * outChannels + o
    : (ky: number, kx: number, i: number, o: number) => ((o * inPerGroup + i) * filterHeight + ky) * filterWidth + kx;
  const outputAt = nhwc
    ? (n: number, y: number, x: number, o: number) => ((n * rows.output + y) * columns.output + x) * outChannels + o
    : (n: number, y: number, x: number, o: number) => ((n * outChannels + o) * rows.output + y) * columns.output + x;

  const taps = filterHeight * filterWidth * inPerGroup;
  const bias = options.bias && ('data' in options.bias ? options.bias.data : options.bias);
  const length = shape.reduce((product, size) => product * size, 1);
  const result = {
    shape,
    output: new Float64Array(length),
    low: new Float64Array(length),
    high: new Float64Array(length),
  };
  let products = 0;

  // What Winograd's algorithm may err by: the largest input is that of the 6x6 which the output's square of 4x4 reads,
  // and what is below some 2^-100 may be lost. What isn't finite is computed directly.
  const winograd = options.algorithm === 'winograd' && filterHeight === 3 && filterWidth === 3;
  const largestInput = memo((n = 0, row = 0, column = 0, group = 0) => {
    let most = 0;
    for (let y = Math.max(row, 0); y < Math.min(row + 6, inHeight); y++) {
      for (let x = Math.max(column, 0); x < Math.min(column + 6, inWidth); x++) {
        for (let i = group * inPerGroup; i < (group + 1) * inPerGroup; i++) {
          most = Math.max(most, Math.abs(input.data[inputAt(n, y, x, i)]!));
        }
      }
    }
    return most;
  });
  const sumOfWeights = memo((o = 0) => {
    let sum = 0;
    for (let i = 0; i < inPerGroup; i++) {
      for (let tap = 0; tap < 9; tap++) sum += Math.abs(filter.data[filterAt(Math.floor(tap / 3), tap % 3, i, o)]!);
    }
    return sum;
  });
  const winogradError = (n: number, oy: number, ox: number, o: number): number => {
    const most = largestInput(
      n,
      oy - (oy % 4) - rows.before,
      ox - (ox % 4) - columns.before,
      Math.floor(o / outPerGroup),
    );
    const weights = sumOfWeights(o);
    const magnitude = most * weights + Math.abs(bias ? bias[o]! : 0);
    if (!Number.isFinite(magnitude)) return 0;
    return (inPerGroup + 32) * 160 * UNIT_ROUNDOFF * magnitude + 2 ** -120 * (1 + most + weights);
  };

  for (let n = 0; n < batch; n++) {
    for (let oy = 0; oy < rows.output; oy++) {
      for (let ox = 0; ox < columns.output; ox++) {
        for (let o = 0; o < outChannels; o++) {
          const firstChannel = Math.floor(o / outPerGroup) * inPerGroup;
          let sum = bias ? bias[o]! : 0;
          let magnitude = Math.abs(sum);
          for (let ky = 0; ky < filterHeight; ky++) {
            const iy = oy * rows.stride + ky * rows.dilation - rows.before;
            if (iy < 0 || iy >= inHeight) continue;
            for (let kx = 0; kx < filterWidth; kx++) {
              const ix = ox * columns.stride + kx * columns.dilation - columns.before;
              if (ix < 0 || ix >= inWidth) continue;
              products += inPerGroup;
              for (let i = 0; i < inPerGroup; i++) {
                const product =
                  input.data[inputAt(n, iy, ix, firstChannel + i)]! * filter.data[filterAt(ky, kx, i, o)]!;
                sum += product;
                magnitude += Math.abs(product);
              }
            }
          }
          const at = outputAt(n, oy, ox, o);
          // Each of the sum's roundings, in the denormal range too, where they are absolute: half the smallest number.
          const direct = (taps + 4) * UNIT_ROUNDOFF * magnitude + ((taps + 1) * SMALLEST) / 2;
          const error = winograd ? Math.max(direct, winogradError(n, oy, ox, o)) : direct;
          const activation = scalarActivation(options.activation ?? 'linear', o);
          result.output[at] = activation.apply(sum);
          [result.low[at], result.high[at]] = Number.isFinite(sum)
            ? tolerated(activation, sum, error)
            : [result.output[at]!, result.output[at]!];
        }
      }
    }
  }
  return { ...result, products };
}

type Four = [number, number, number, number];

function axis(options: Conv2dOptions, index: 0 | 1, input: number, filter: number): Axis {
  const stride = pick(options.strides ?? 1, index);
  const dilation = pick(options.dilations ?? 1, index);
  const span = (filter - 1) * dilation + 1;
  const { padding = 'valid' } = options;
  if (padding === 'same' || padding === 'same-lower') {
    const output = Math.ceil(input / stride);
    const total = Math.max((output - 1) * stride + span - input, 0);
    const before = padding === 'same' ? Math.floor(total / 2) : Math.ceil(total / 2);
    return { input, output, filter, stride, dilation, before };
  }
  const ofAxis = padding === 'valid' ? 0 : typeof padding === 'number' ? padding : padding[index];
  const [before, after] = typeof ofAxis === 'number' ? [ofAxis, ofAxis] : ofAxis;
  const output = Math.floor((input + before + after - span) / stride) + 1;
  return { input, output, filter, stride, dilation, before };
}

/** The function, computed once for each list of arguments. */
function memo(compute: (...args: number[]) => number): (...args: number[]) => number {
  const known = new Map<string, number>();
  return (...args) => {
    const key = args.join();
    const value = known.get(key) ?? compute(...args);
    known.set(key, value);
    return value;
  };
}

function pick(value: number | readonly [number, number], index: 0 | 1): number {
  return typeof value === 'number' ? value : value[index];
}

interface ScalarActivation {
  apply(x: number): number;
  /** Where the function turns from falling to rising; between two such points it is monotonous. */
  readonly turns: readonly number[];
  /** Whether it only chooses among its argument and float32 constants, and so adds no rounding of its own. */
  readonly exact: boolean;
}

/** An activation in float64, for one output channel. */
export function scalarActivation(activation: Activation, channel: number): ScalarActivation {
  const spec = typeof activation === 'string' ? { type: activation } : activation;
  const sloped = (alpha: number): ScalarActivation => ({
    apply: (x) => (x < 0 ? alpha * x : x),
    turns: [0],
    exact: false,
  });
  switch (spec.type) {
    case 'linear':
      return { apply: (x) => x, turns: [], exact: true };
    case 'relu':
      return { apply: (x) => Math.max(x, 0), turns: [], exact: true };
    case 'relu6':
      return { apply: (x) => clamp(x, 0, 6), turns: [], exact: true };
    case 'clip':
      return { apply: (x) => clamp(x, Math.fround(spec.min), Math.fround(spec.max)), turns: [], exact: true };
    case 'elu':
      return { apply: (x) => (x < 0 ? Math.expm1(x) : x), turns: [], exact: false };
    case 'sigmoid':
      return { apply: sigmoid, turns: [], exact: false };
    case 'tanh':
      return { apply: Math.tanh, turns: [], exact: false };
    case 'hardSigmoid':
      return { apply: (x) => clamp(x + 3, 0, 6) / 6, turns: [], exact: false };
    case 'hardSwish':
      return { apply: (x) => (x * clamp(x + 3, 0, 6)) / 6, turns: [-1.5], exact: false };
    case 'silu':
      return { apply: (x) => x * sigmoid(x), turns: [-1.278464542761074], exact: false };
    case 'gelu':
      return { apply: (x) => 0.5 * x * erfc(-x / Math.SQRT2), turns: [-0.751791524693564], exact: false };
    case 'leakyRelu':
      return sloped(Math.fround(spec.alpha));
    case 'prelu':
      return sloped(spec.alpha[channel]!);
  }
}

/**
 * All that the activation may give where its argument is within `error` of `sum`, widened by the activation's own error.
 * Steep activations stretch the interval by themselves; non-monotonous ones may have their extreme inside it.
 */
function tolerated({ apply, turns, exact }: ScalarActivation, sum: number, error: number): [low: number, high: number] {
  const values = [sum - error, sum, sum + error, ...turns.filter((turn) => Math.abs(turn - sum) <= error)].map(apply);
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (exact) return [low, high];
  const own = 1e-6 + 4 * 2 ** -23 * Math.max(Math.abs(low), Math.abs(high));
  return [low - own, high + own];
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

function sigmoid(x: number): number {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/** The complementary error function to about 1e-15 of its value: its series near 0, Lentz's continued fraction beyond. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x < 0) return 2 - erfc(-x);
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= -(x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  if (x > 27) return 0;
  let fraction = x;
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** @throws Error that shows the worst output, unless `actual` has the reference's shape and every output is within its bounds. */
export function expectWithin(actual: Tensor, expected: Reference, what: () => string = () => 'the output'): void {
  if (actual.shape.length !== expected.shape.length || actual.shape.some((size, i) => size !== expected.shape[i])) {
    throw new Error(`${what()} has shape [${actual.shape}], expected [${expected.shape}]`);
  }
  if (actual.data.length !== expected.output.length) {
    throw new Error(`${what()} has ${actual.data.length} elements, expected ${expected.output.length}`);
  }
  for (let i = 0; i < actual.data.length; i++) {
    const value = actual.data[i]!;
    const wanted = expected.output[i]!;
    const right = Number.isNaN(wanted)
      ? Number.isNaN(value)
      : (value >= expected.low[i]! && value <= expected.high[i]!) || overflowed(value, expected, i);
    if (!right) {
      const at = unravel(i, expected.shape);
      throw new Error(`${what()}[${at}] is ${value}, expected ${wanted} in [${expected.low[i]}, ${expected.high[i]}]`);
    }
  }
}

// What exceeds the largest float32 by half a unit rounds to infinity.
function overflowed(value: number, { low, high }: Reference, i: number): boolean {
  const limit = 2 ** 128 - 2 ** 103;
  return (value === Infinity && high[i]! >= limit) || (value === -Infinity && low[i]! <= -limit);
}

function unravel(index: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    at.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return at;
}
