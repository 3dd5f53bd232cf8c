import { describe, expectTypeOf, it } from 'vitest';
import {
  type Activation,
  availableIsas,
  Conv2d,
  type Conv2dOptions,
  conv2d,
  conv2dSync,
  DepthwiseConv2d,
  type DepthwiseConv2dOptions,
  depthwiseConv2d,
  depthwiseConv2dSync,
  type Explanation,
  getThreads,
  type Isa,
  isa,
  setThreads,
  type Tensor,
  type TensorLike,
  version,
} from '../lib/index.js';

declare const x: Tensor;
declare const f: Tensor;
declare const frozen: { readonly data: Float32Array; readonly shape: readonly [1, 2, 3, 4] };
declare const onnx: { readonly data: Float32Array; readonly dims: readonly number[]; readonly type: 'float32' };
declare const signal: AbortSignal;

describe('functions', () => {
  it('return tensors or promises of them', () => {
    expectTypeOf(depthwiseConv2dSync(x, f)).toEqualTypeOf<Tensor>();
    expectTypeOf(conv2dSync(x, f, { groups: 2 })).toEqualTypeOf<Tensor>();
    expectTypeOf(depthwiseConv2d(x, f)).toEqualTypeOf<Promise<Tensor>>();
    expectTypeOf(conv2d(x, f, { groups: 2, signal })).toEqualTypeOf<Promise<Tensor>>();
  });

  it('take read-only tensors and those with dims', () => {
    expectTypeOf(frozen).toExtend<TensorLike>();
    expectTypeOf(onnx).toExtend<TensorLike>();
    conv2dSync(frozen, onnx, { bias: onnx });
  });

  it('refuse what has no shape, no data or the wrong data', () => {
    // @ts-expect-error no shape
    conv2dSync({ data: new Float32Array(1) }, f);
    // @ts-expect-error no data
    conv2dSync({ shape: [1, 1, 1] }, f);
    // @ts-expect-error doubles
    conv2dSync({ data: new Float64Array(1), shape: [1, 1, 1] }, f);
    // @ts-expect-error no filter
    conv2dSync(x);
    // @ts-expect-error null
    conv2dSync(null, f);
  });

  it('know where each option belongs', () => {
    depthwiseConv2dSync(x, f, { out: x });
    depthwiseConv2d(x, f, { out: x, signal });
    // @ts-expect-error groups are conv2d's
    depthwiseConv2dSync(x, f, { groups: 2 });
    // @ts-expect-error algorithm is conv2d's
    depthwiseConv2dSync(x, f, { algorithm: 'direct' });
    // @ts-expect-error a synchronous call can't be aborted
    conv2dSync(x, f, { signal });
    // @ts-expect-error it is strides
    conv2dSync(x, f, { stride: 2 });
    // @ts-expect-error null is no option
    conv2dSync(x, f, null);
    // @ts-expect-error null is no value either
    conv2dSync(x, f, { strides: null });
  });
});

describe('options', () => {
  it('have every value of the table, or undefined', () => {
    const all: Conv2dOptions[] = [
      { strides: 2, dilations: [1, 2], padding: 'same', dataFormat: 'NCHW', filterFormat: 'OIHW', groups: 2 },
      { padding: 'valid' },
      { padding: 'same-lower' },
      { padding: 1 },
      { padding: [1, 2] },
      {
        padding: [
          [1, 2],
          [3, 4],
        ],
      },
      { bias: new Float32Array(1) },
      { bias: x },
      { algorithm: 'direct' },
      { algorithm: 'winograd' },
      { strides: undefined, padding: undefined, bias: undefined, activation: undefined, groups: undefined },
      { algorithm: undefined },
    ];
    expectTypeOf(all[0]!.strides).toEqualTypeOf<number | readonly [height: number, width: number] | undefined>();
    expectTypeOf<Conv2dOptions>().toExtend<DepthwiseConv2dOptions>();
  });

  it('refuse other values', () => {
    // @ts-expect-error three numbers
    const strides: Conv2dOptions = { strides: [1, 2, 3] };
    // @ts-expect-error upper case
    const padding: Conv2dOptions = { padding: 'SAME' };
    // @ts-expect-error lower case
    const dataFormat: Conv2dOptions = { dataFormat: 'nhwc' };
    // @ts-expect-error four numbers
    const pads: Conv2dOptions = { padding: [1, 1, 1, 1] };
    // @ts-expect-error another
    const algorithm: Conv2dOptions = { algorithm: 'fft' };
    // @ts-expect-error an array of numbers
    const bias: Conv2dOptions = { bias: [1, 2] };
    void [strides, padding, dataFormat, pads, algorithm, bias];
  });

  it('have activations with their parameters', () => {
    const all: Activation[] = [
      ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh', 'silu', 'hardSwish', 'hardSigmoid', 'gelu'] as const),
      { type: 'gelu' },
      { type: 'leakyRelu', alpha: 0.1 },
      { type: 'prelu', alpha: new Float32Array(4) },
      { type: 'clip', min: 0, max: 6 },
    ];
    // @ts-expect-error alpha is required
    const bare: Activation = 'leakyRelu';
    // @ts-expect-error alpha is required
    const leaky: Activation = { type: 'leakyRelu' };
    // @ts-expect-error an alpha for each channel
    const prelu: Activation = { type: 'prelu', alpha: 0.1 };
    // @ts-expect-error max is required
    const clip: Activation = { type: 'clip', min: 0 };
    // @ts-expect-error relu has none
    const relu: Activation = { type: 'relu', alpha: 0.1 };
    void [all, bare, leaky, prelu, clip, relu];
  });
});

describe('layers', () => {
  const layer = new DepthwiseConv2d(f, { activation: 'relu6' });

  it('run, tell their output shape and explain', () => {
    expectTypeOf(layer.run(x, { signal, out: x })).toEqualTypeOf<Promise<Tensor>>();
    expectTypeOf(layer.runSync(x, { out: x })).toEqualTypeOf<Tensor>();
    expectTypeOf(layer.outputShape([1, 2, 3, 4] as const)).toEqualTypeOf<number[]>();
    expectTypeOf(new Conv2d(f, { groups: 2 }).explain([1, 2, 3])).toEqualTypeOf<Explanation>();
    expectTypeOf<Explanation>().toEqualTypeOf<{
      kernel: string;
      isa: Isa;
      threads: number;
      flops: number;
      bytes: number;
    }>();
  });

  it('are disposable', () => {
    expectTypeOf(layer).toExtend<Disposable>();
    using scoped = new Conv2d(f);
    scoped.runSync(x);
  });

  it('know where each option belongs', () => {
    // @ts-expect-error out is a call's
    new Conv2d(f, { out: x });
    // @ts-expect-error groups are Conv2d's
    new DepthwiseConv2d(f, { groups: 2 });
    // @ts-expect-error a synchronous call can't be aborted
    layer.runSync(x, { signal });
    // @ts-expect-error strides are the layer's
    layer.run(x, { strides: 2 });
  });
});

describe('the runtime', () => {
  it('is typed', () => {
    expectTypeOf(isa).toEqualTypeOf<Isa>();
    expectTypeOf<Isa>().toEqualTypeOf<'avx512' | 'avx2' | 'neon' | 'portable'>();
    expectTypeOf(availableIsas).toEqualTypeOf<readonly Isa[]>();
    expectTypeOf(version).toEqualTypeOf<string>();
    expectTypeOf(getThreads).toEqualTypeOf<() => number>();
    expectTypeOf(setThreads).toEqualTypeOf<(threads: number) => void>();
  });
});
