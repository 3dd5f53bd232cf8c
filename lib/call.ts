import type { Geometry, Weights } from './convolution.js';
import { formatShape, mismatch, unreadable } from './errors.js';
import { readSignal } from './job.js';
import { givenOptions, type Place } from './options.js';
import { allocate, checkDisjoint, readTensor, type Tensor } from './tensor.js';

/** What is given anew to each call: everything of it read once. */
export interface Call {
  readonly input: Float32Array;
  readonly inputShape: readonly number[];
  readonly out: Out | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Where an output is to be written. */
export interface Out {
  /** The caller's own object, which is what a call returns. */
  readonly tensor: Tensor;
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Reads the input, `out` and `signal` of a call; the other options at `place` are left to readConvolution. */
export function readCall(place: Place, value: unknown, options: unknown): Call {
  const { data: input, shape: inputShape } = readTensor('input', value, 3, 4, true);
  if (options === undefined) return { input, inputShape, out: undefined, signal: undefined };
  try {
    const { out, signal } = givenOptions(place, options)!;
    return {
      input,
      inputShape,
      out: out === undefined ? undefined : { tensor: out as Tensor, ...readTensor('out', out, 3, 4, true) },
      signal: place.options.has('signal') ? readSignal(signal) : undefined,
    };
  } catch (error) {
    throw unreadable(`the options of ${place.name}`, error);
  }
}

/**
 * @throws RangeError ERR_SHAPE_MISMATCH unless `out` has the output's shape, ERR_OVERLAP where it shares memory with
 *   the input or, where the call reads them, the caller's own weights.
 */
export function checkOut({ out, input }: Call, { outputShape }: Geometry, weights?: Weights): void {
  if (out === undefined) return;
  const { data, shape } = out;
  if (shape.length !== outputShape.length || shape.some((size, i) => size !== outputShape[i])) {
    throw mismatch('out.shape', `be the output's shape ${formatShape(outputShape)}`, formatShape(shape));
  }
  checkDisjoint(data, 'input', input);
  if (weights === undefined) return;
  const { filter, bias, activation } = weights;
  checkDisjoint(data, 'filter', filter);
  if (bias !== undefined) checkDisjoint(data, 'bias', bias);
  if (activation.slopes !== undefined) checkDisjoint(data, 'activation.alpha', activation.slopes);
}

/** Where a call's output goes: the data of `out`, or a new array. @throws RangeError ERR_OUT_OF_MEMORY */
export function outputData({ out }: Call, geometry: Geometry): Float32Array {
  return out === undefined ? allocate(geometry) : out.data;
}

/** What a call returns: `out`, or a new tensor with a shape of its own. */
export function result({ out }: Call, { outputShape }: Geometry, data: Float32Array): Tensor {
  return out === undefined ? { data, shape: [...outputShape] } : out.tensor;
}
