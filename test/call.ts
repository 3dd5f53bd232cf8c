// The ways to make the same call.
import {
  Conv2d,
  type Conv2dOptions,
  conv2d,
  conv2dSync,
  DepthwiseConv2d,
  type DepthwiseConv2dOptions,
  depthwiseConv2d,
  depthwiseConv2dSync,
  type RunOptions,
  type RunSyncOptions,
  type Tensor,
} from '../lib/index.js';
import type { Call } from './cases.js';

export function callSync({ operator, input, filter, options }: Call, run: RunSyncOptions = {}): Tensor {
  return operator === 'conv2d'
    ? conv2dSync(input, filter, { ...options, ...run })
    : depthwiseConv2dSync(input, filter, { ...withoutGroups(options), ...run });
}

export function callAsync({ operator, input, filter, options }: Call, run: RunOptions = {}): Promise<Tensor> {
  return operator === 'conv2d'
    ? conv2d(input, filter, { ...options, ...run })
    : depthwiseConv2d(input, filter, { ...withoutGroups(options), ...run });
}

export function layerOf({ operator, filter, options }: Call): Conv2d | DepthwiseConv2d {
  return operator === 'conv2d' ? new Conv2d(filter, options) : new DepthwiseConv2d(filter, withoutGroups(options));
}

function withoutGroups({ groups: _, ...options }: Conv2dOptions): DepthwiseConv2dOptions {
  return options;
}

/** @throws Error unless both hold the same bits. */
export function expectSameBits(actual: Tensor, expected: Tensor, what: string): void {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`${what}: shape [${actual.shape}], expected [${expected.shape}]`);
  }
  const [a, b] = [bitsOf(actual), bitsOf(expected)];
  const at = a.findIndex((bits, i) => bits !== b[i]);
  if (a.length !== b.length || at >= 0) {
    throw new Error(`${what}: [${at}] is ${actual.data[at]}, expected the same bits as ${expected.data[at]}`);
  }
}

function bitsOf({ data }: Tensor): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

/** An `out` amid sentinels, at an offset that no vector is aligned to. */
export function guardedOut(shape: readonly number[], offset: number): { out: Tensor; expectUntouchedAround(): void } {
  const length = shape.reduce((product, size) => product * size, 1);
  const around = 64;
  const whole = new Uint32Array(offset + length + around).fill(SENTINEL);
  const data = new Float32Array(whole.buffer, 4 * offset, length);
  return {
    out: { data, shape: [...shape] },
    expectUntouchedAround() {
      const written = whole.findIndex((bits, i) => (i < offset || i >= offset + length) && bits !== SENTINEL);
      if (written >= 0) throw new Error(`element ${written - offset} was written, of an out of ${length}`);
    },
  };
}

// A NaN that no computation makes.
const SENTINEL = 0x7fc0dead;
