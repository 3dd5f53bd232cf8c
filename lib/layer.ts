/// <reference lib="esnext.disposable" preserve="true" />
import { checkOut, outputData, readCall, result } from './call.js';
import {
  type Convolution,
  type Geometry,
  geometryFor,
  layerSpec,
  type Operator,
  readConvolution,
} from './convolution.js';
import { codedError, unreadable } from './errors.js';
import { runJob } from './job.js';
import { type Explanation, encodeLayer, encodeProblem, type LayerHandle, native, type PlanHandle } from './native.js';
import { type Place, place, type RunOptions, type RunSyncOptions } from './options.js';
import { checkAllocatable, readShape, type Tensor, type TensorLike } from './tensor.js';

const RUN = place('run', 'out', 'signal');
const RUN_SYNC = place('runSync', 'out');

// Node 20 has this symbol, but not in the vm contexts that some test runners make.
const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** What the layer classes have in common: all but how the filter's shape is understood. */
export abstract class Layer {
  readonly #convolution: Convolution;
  #handle: LayerHandle | undefined;
  /** The plan of the last call; most layers see inputs of one shape only. */
  #last: (Geometry & { readonly plan: PlanHandle }) | undefined;

  /** @internal */
  constructor(operator: Operator, place: Place, filter: unknown, options: unknown) {
    const { convolution, weights } = readConvolution(operator, place, filter, options);
    const { bias, activation } = weights;
    this.#convolution = convolution;
    this.#handle = native.createLayer(
      encodeLayer(layerSpec(convolution, activation)),
      weights.filter,
      bias,
      activation.slopes,
    );
  }

  /**
   * Computes one output, off the JS thread; or on it, before the call returns, where no other call is under way and that
   * takes no longer than handing it over would: some 100 us at most. The input is copied before the call returns, unless
   * its memory is a SharedArrayBuffer.
   *
   * @param input [batch, height, width, inC] in NHWC, [batch, inC, height, width] in NCHW, or either without batch.
   * @param options See {@link RunOptions}.
   * @returns The output, or `out`. Rejects with a TypeError or RangeError with a `code` where the arguments are wrong,
   *   with the signal's reason where it was aborted.
   *
   * @example
   * import { DepthwiseConv2d } from 'depthwise';
   *
   * const filter = { data: new Float32Array(3 * 3 * 32).fill(1 / 9), shape: [3, 3, 32, 1] };
   * const layer = new DepthwiseConv2d(filter, { strides: 2, padding: 'same' });
   * const input = { data: new Float32Array(8 * 8 * 32).fill(1), shape: [1, 8, 8, 32] };
   * const output = await layer.run(input, { signal: AbortSignal.timeout(1000) });
   * console.log(output.shape); // [ 1, 4, 4, 32 ]
   */
  async run(input: TensorLike, options?: RunOptions): Promise<Tensor> {
    Layer.#check(this, 'run');
    const call = readCall(RUN, input, options);
    const prepared = this.#prepare(call.inputShape);
    checkOut(call, prepared);
    const data = await runJob(call.signal, (done) => {
      return native.runAsync(prepared.plan, call.input, outputData(call, prepared), call.out === undefined, done);
    });
    return result(call, prepared, data);
  }

  /**
   * Computes one output on the JS thread, with all threads of the pool helping. Nothing is copied.
   *
   * @param input See {@link run}.
   * @param options See {@link RunSyncOptions}.
   * @throws TypeError or RangeError with a `code` where the arguments are wrong.
   *
   * @example
   * import { DepthwiseConv2d } from 'depthwise';
   *
   * const filter = { data: new Float32Array(3 * 3 * 32).fill(1 / 9), shape: [3, 3, 32, 1] };
   * const layer = new DepthwiseConv2d(filter, { strides: 2, padding: 'same' });
   * const input = { data: new Float32Array(8 * 8 * 32).fill(1), shape: [1, 8, 8, 32] };
   * const out = { data: new Float32Array(4 * 4 * 32), shape: [1, 4, 4, 32] };
   * console.log(layer.runSync(input, { out }) === out); // true: nothing was allocated
   */
  runSync(input: TensorLike, options?: RunSyncOptions): Tensor {
    Layer.#check(this, 'runSync');
    const call = readCall(RUN_SYNC, input, options);
    const prepared = this.#prepare(call.inputShape);
    checkOut(call, prepared);
    const data = outputData(call, prepared);
    native.run(prepared.plan, call.input, data, call.out === undefined);
    return result(call, prepared, data);
  }

  /**
   * The shape of the output for inputs of `inputShape`, in the same format and of the same rank.
   *
   * @throws TypeError or RangeError with a `code` where the layer doesn't take such inputs.
   *
   * @example
   * import { DepthwiseConv2d } from 'depthwise';
   *
   * const filter = { data: new Float32Array(3 * 3 * 32).fill(1 / 9), shape: [3, 3, 32, 1] };
   * const layer = new DepthwiseConv2d(filter, { strides: 2, padding: 'same' });
   * console.log(layer.outputShape([1, 112, 112, 32])); // [ 1, 56, 56, 32 ]
   */
  outputShape(inputShape: readonly number[]): number[] {
    Layer.#check(this, 'outputShape');
    this.#open();
    return [...geometryFor(this.#convolution, readInputShape(inputShape)).outputShape];
  }

  /**
   * Which kernel will run on inputs of `inputShape`, on which ISA and how many threads at most, and how much work that
   * is: `flops` are two for each tap that doesn't fall on padding, `bytes` are input, weights and output, once each.
   *
   * @throws TypeError or RangeError with a `code` where the layer doesn't take such inputs.
   *
   * @example
   * import { DepthwiseConv2d } from 'depthwise';
   *
   * const filter = { data: new Float32Array(3 * 3 * 32).fill(1 / 9), shape: [3, 3, 32, 1] };
   * const layer = new DepthwiseConv2d(filter, { strides: 2, padding: 'same' });
   * const { flops, bytes } = layer.explain([1, 4, 4, 32]);
   * console.log(flops); // 1600: 25 of the 36 taps of each channel lie on the input, a multiplication and an addition each
   */
  explain(inputShape: readonly number[]): Explanation {
    Layer.#check(this, 'explain');
    return native.explain(this.#prepare(readInputShape(inputShape)).plan);
  }

  /**
   * Frees the weights now instead of when the layer is collected. Calls that run already finish; any later use throws
   * ERR_INVALID_STATE. Disposing twice is nothing.
   *
   * @example
   * import { Conv2d } from 'depthwise';
   *
   * const filter = { data: new Float32Array(9), shape: [3, 3, 1, 1] };
   * {
   *   using layer = new Conv2d(filter); // disposed at the end of the block
   *   console.log(layer.outputShape([1, 5, 5, 1])); // [ 1, 3, 3, 1 ]
   * }
   */
  [dispose](): void {
    if (this.#handle === undefined) return;
    const handle = this.#handle;
    this.#handle = undefined;
    this.#last = undefined;
    native.disposeLayer(handle);
  }

  /** The methods' `this` is what they are called on: nothing, where one was taken off its layer and passed on. */
  static #check(layer: unknown, method: string): void {
    if (typeof layer === 'object' && layer !== null && #convolution in layer) return;
    const expected = `be called on its layer: layer.${method}(…), or layer.${method}.bind(layer) to pass it on`;
    throw codedError('ERR_INVALID_ARG_TYPE', `${method} must ${expected}`);
  }

  #open(): LayerHandle {
    if (this.#handle === undefined) throw codedError('ERR_INVALID_STATE', 'this layer was disposed');
    return this.#handle;
  }

  #prepare(inputShape: readonly number[]): Geometry & { readonly plan: PlanHandle } {
    const last = this.#last;
    if (last !== undefined && equal(last.inputShape, inputShape)) return last;
    const handle = this.#open();
    const geometry = geometryFor(this.#convolution, inputShape);
    checkAllocatable(geometry);
    this.#last = { ...geometry, plan: native.prepare(handle, encodeProblem(geometry.problem)) };
    return this.#last;
  }
}

function readInputShape(value: unknown): readonly number[] {
  try {
    return readShape('inputShape', '', value, 3, 4, true);
  } catch (error) {
    throw unreadable('inputShape', error);
  }
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
