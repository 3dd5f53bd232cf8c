import {
  _FusedMatMul,
  Add,
  BatchMatMul,
  backend_util,
  Concat,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  Elu,
  FusedConv2D,
  FusedDepthwiseConv2D,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  LeakyRelu,
  type NamedAttrMap,
  Prelu,
  Relu,
  Relu6,
  Sigmoid,
  Slice,
  type TensorInfo,
  Transpose,
  util,
} from '@tensorflow/tfjs-core';
import { Conv2d } from '../index.js';
import type { DepthwiseBackend } from './backend.js';
import { activationOf, type FusedAttrs, perChannel } from './epilogue.js';
import { axesOf, type ConvAttrs, type ConvGeometry, channelAxis, explicitPadding, geometryOf } from './geometry.js';
import type { Padded } from './padding.js';
import { POINTWISE } from './pointwise.js';

/** The name under which tfjs knows the backend. */
export const BACKEND_NAME = 'depthwise';

/** The kernel of {@link groupedConv2d}; tfjs has none of that kind. */
export const GROUPED_CONV2D = 'DepthwiseGroupedConv2D';

export interface GroupedAttrs extends ConvAttrs {
  groups: number;
}

interface MatMulInputs {
  a: TensorInfo;
  b: TensorInfo;
  bias?: TensorInfo;
  preluActivationWeights?: TensorInfo;
}

interface MatMulAttrs extends FusedAttrs {
  transposeA: boolean;
  transposeB: boolean;
}

interface ConvInputs {
  x: TensorInfo;
  filter: TensorInfo;
  bias?: TensorInfo;
  preluActivationWeights?: TensorInfo;
}

/** How often each of our kernels has run since the start of the process, by tfjs's name for it. */
export const kernelCalls = new Map<string, number>();

/** How often a call of such a kernel was left to tfjs's own. */
export const fallbackCalls = new Map<string, number>();

function count(calls: Map<string, number>, name: string): void {
  calls.set(name, (calls.get(name) ?? 0) + 1);
}

/** What follows from the arguments of a convolution beside their values. */
export interface ConvCall {
  layer: Conv2d;
  /** Whether the input is what a padded tensor was made of. */
  padsItself: boolean;
  outShape: readonly number[];
}

// Undefined where the problem isn't ours: the caller falls back on tfjs's own kernel.
function convolve(
  backend: DepthwiseBackend,
  inputs: ConvInputs,
  attrs: ConvAttrs & FusedAttrs & { groups?: number },
  depthwise: boolean,
  outRank = 4,
): TensorInfo | undefined {
  const { x, filter, bias, preluActivationWeights: weights } = inputs;
  if (x.dtype !== 'float32' || filter.dtype !== 'float32') return undefined;
  const padded = backend.paddedFrom(x);
  const given = [
    depthwise,
    outRank,
    x.shape,
    padded?.shape,
    padded?.paddings,
    filter.shape,
    bias?.dataId,
    bias?.shape,
    weights?.dataId,
    weights?.shape,
    attrs.dataFormat,
    attrs.strides,
    attrs.dilations,
    attrs.pad,
    attrs.dimRoundingMode,
    attrs.groups,
    attrs.activation,
    attrs.leakyreluAlpha,
  ];
  let call = backend.layers.recall(filter.dataId, given);
  if (!call) {
    call = prepare(backend, inputs, padded, attrs, depthwise, outRank);
    if (!call) return undefined;
    backend.layers.remember(filter.dataId, given, call);
  }
  const { layer, padsItself } = call;
  const outShape = [...call.outShape];
  const data = backend.newArray(util.sizeFromShape(outShape));
  const input = padsItself
    ? { data: padded!.values, shape: padded!.shape }
    : { data: backend.float32(x), shape: x.shape };
  layer.runSync(input, { out: { data, shape: outShape } });
  return backend.float32Tensor(outShape, data);
}

// A depthwise filter [fh, fw, C, M] has the memory of the grouped filter [fh, fw, 1, C * M].
function prepare(
  backend: DepthwiseBackend,
  { x, filter, bias, preluActivationWeights: weights }: ConvInputs,
  padded: Padded | undefined,
  attrs: ConvAttrs & FusedAttrs & { groups?: number },
  depthwise: boolean,
  outRank: number,
): ConvCall | undefined {
  const { dataFormat } = attrs;
  if (dataFormat !== 'NHWC' && dataFormat !== 'NCHW') return undefined;
  const channels = x.shape[channelAxis(dataFormat)]!;
  const [fh, fw, third, fourth] = filter.shape as [number, number, number, number];
  const groups = depthwise ? channels : (attrs.groups ?? 1);
  if (channels !== third * (depthwise ? 1 : groups) || channels * fh * fw * fourth === 0) return undefined;
  // tfjs leaves this check to the kernel.
  if (depthwise && !backend_util.eitherStridesOrDilationsAreOne(attrs.strides, attrs.dilations ?? 1)) return undefined;
  const geometry = geometryOf(attrs, axesOf(x.shape, dataFormat), [fh, fw]);
  if (!geometry) return undefined;
  const shape = depthwise ? [fh, fw, 1, third * fourth] : filter.shape;
  const outChannels = shape[3]!;
  const output = { channels: outChannels, rank: outRank, dataFormat };
  const activation = activationOf(backend, attrs, weights, output);
  const biases = bias && perChannel(backend, bias, output);
  if (!activation || (bias && !biases)) return undefined;

  const { strides, dilations, out } = geometry;
  const own = ownPadding(padded, geometry.padding, dataFormat);
  const padding = own ?? geometry.padding;
  const key = [
    dataFormat,
    groups,
    attrs.activation ?? 'linear',
    attrs.leakyreluAlpha ?? '',
    ...shape,
    ...strides,
    ...dilations,
    ...padding[0],
    ...padding[1],
  ];
  const layer = backend.layers.get(filter.dataId, [bias?.dataId, weights?.dataId], key, () => {
    const options = { strides, dilations, padding, dataFormat, groups, activation, ...(biases && { bias: biases }) };
    return new Conv2d({ data: backend.float32(filter), shape }, options);
  });
  const outShape = dataFormat === 'NHWC' ? [x.shape[0]!, ...out, outChannels] : [x.shape[0]!, outChannels, ...out];
  return { layer, padsItself: own !== undefined, outShape };
}

// The padding of a convolution whose input is a padded tensor whose values nobody has needed yet: they aren't written here
// either, its padding becomes the convolution's. Undefined where it doesn't pad rows and columns alone.
function ownPadding(
  padded: Padded | undefined,
  padding: ConvGeometry['padding'],
  dataFormat: 'NHWC' | 'NCHW',
): ConvGeometry['padding'] | undefined {
  const [batch, channel] = [padded?.paddings[0], padded?.paddings[channelAxis(dataFormat)]];
  if (!padded || batch![0] + batch![1] + channel![0] + channel![1] > 0) return undefined;
  const [rows, columns] = axesOf(padded.paddings, dataFormat);
  const [[top, bottom], [left, right]] = padding;
  return [
    [top + rows[0], bottom + rows[1]],
    [left + columns[0], right + columns[1]],
  ];
}

// A product of matrices is a 1x1 convolution: the rows of `a` are pixels, `b` is the filter. Undefined where a matrix is
// transposed or there are many on the right.
function multiply(
  backend: DepthwiseBackend,
  { a, b, bias, preluActivationWeights }: MatMulInputs,
  { transposeA, transposeB, ...fused }: MatMulAttrs,
): TensorInfo | undefined {
  const [k, n] = b.shape.slice(-2) as [number, number];
  const single = util.sizeFromShape(b.shape.slice(0, -2)) === 1 && b.shape.length <= a.shape.length;
  if (transposeA || transposeB || !single || a.shape.at(-1) !== k) return undefined;
  const rows = util.sizeFromShape(a.shape.slice(0, -1));
  if (rows === 0) return undefined;
  const y = convolve(
    backend,
    {
      x: { ...a, shape: [1, rows, 1, k] },
      filter: { ...b, shape: [1, 1, k, n] },
      ...(bias && { bias }),
      ...(preluActivationWeights && { preluActivationWeights }),
    },
    { ...fused, strides: 1, dilations: 1, pad: 'valid', dataFormat: 'NHWC' },
    false,
    a.shape.length,
  );
  return y && { ...y, shape: [...a.shape.slice(0, -1), n] };
}

/** Runs another kernel of the backend on tensors without handing them to tfjs's engine. */
function runKernel(
  backend: DepthwiseBackend,
  name: string,
  inputs: Record<string, TensorInfo>,
  attrs: NamedAttrMap = {},
): TensorInfo {
  return getKernel(name, BACKEND_NAME).kernelFunc({ inputs, backend, attrs }) as TensorInfo;
}

const BACKPROPS = [
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
];

const ACTIVATION_KERNELS = {
  relu: Relu,
  relu6: Relu6,
  elu: Elu,
  prelu: Prelu,
  leakyrelu: LeakyRelu,
  sigmoid: Sigmoid,
} as const;

// A bias or prelu weights that vary over the pixels: the convolution is ours, the rest tfjs's. In NCHW a tensor of rank
// 1 goes with the channels. Undefined where tfjs doesn't know the activation, or it lacks its weights.
function fusedInSteps(
  backend: DepthwiseBackend,
  { x, filter, bias, preluActivationWeights: weights }: ConvInputs,
  attrs: ConvAttrs & FusedAttrs,
  convolution: string,
): TensorInfo | undefined {
  const { activation: given, leakyreluAlpha: alpha = 0.2, ...convAttrs } = attrs;
  const activation = given ?? 'linear';
  if (activation !== 'linear' && !(activation in ACTIVATION_KERNELS)) return undefined;
  if (activation === 'prelu' && !weights) return undefined;
  const aligned = (info: TensorInfo): TensorInfo =>
    attrs.dataFormat === 'NCHW' && info.shape.length === 1 && info.shape[0] !== 1
      ? { ...info, shape: [info.shape[0]!, 1, 1] }
      : info;
  const replace = (previous: TensorInfo, next: TensorInfo): TensorInfo => {
    backend.disposeIntermediateTensorInfo(previous);
    return next;
  };
  let y = runKernel(backend, convolution, { x, filter }, convAttrs as unknown as NamedAttrMap);
  if (bias) y = replace(y, runKernel(backend, Add, { a: y, b: aligned(bias) }));
  if (activation === 'linear') return y;
  const inputs = activation === 'prelu' ? { x: y, alpha: aligned(weights!) } : { x: y };
  return replace(y, runKernel(backend, ACTIVATION_KERNELS[activation], inputs, { alpha }));
}

// tfjs's own kernel, told what it would get wrong in words that it gets right: it takes a number as padding for the
// height's on both axes, and its depthwise kernel reads NCHW as if it were NHWC.
function byTfjs<Attrs extends ConvAttrs>(kernelName: string) {
  const own = tfjsOwn<ConvInputs, Attrs>(kernelName);
  return (backend: DepthwiseBackend, inputs: ConvInputs, given: Attrs): TensorInfo => {
    const { pad, dataFormat } = given;
    const attrs = typeof pad === 'number' ? { ...given, pad: explicitPadding(pad, dataFormat ?? 'NHWC') } : given;
    if (kernelName !== DepthwiseConv2dNative || dataFormat !== 'NCHW') return own(backend, inputs, attrs);
    const transpose = (x: TensorInfo, perm: number[]) => runKernel(backend, Transpose, { x }, { perm });
    const x = transpose(inputs.x, [0, 2, 3, 1]);
    const axes = Array.isArray(attrs.pad) ? { pad: [attrs.pad[0], attrs.pad[2], attrs.pad[3], attrs.pad[1]] } : {};
    const y = own(backend, { ...inputs, x }, { ...attrs, ...axes, dataFormat: 'NHWC' });
    const result = transpose(y, [0, 3, 1, 2]);
    for (const info of [x, y]) backend.disposeIntermediateTensorInfo(info);
    return result;
  };
}

// What a backend without grouped convolution does: slice, convolve, concatenate.
function groupedInSteps(backend: DepthwiseBackend, { x, filter }: ConvInputs, attrs: GroupedAttrs): TensorInfo {
  const { groups, ...convAttrs } = attrs;
  const axis = channelAxis(attrs.dataFormat);
  const part = (info: TensorInfo, dim: number, g: number): TensorInfo => {
    const size = info.shape.map((length, i) => (i === dim ? length / groups : length));
    const begin = size.map((length, i) => (i === dim ? g * length : 0));
    return runKernel(backend, Slice, { x: info }, { begin, size });
  };
  const outputs = Array.from({ length: groups }, (_, g) => {
    const inputs = { x: part(x, axis, g), filter: part(filter, 3, g) };
    const y = runKernel(backend, Conv2D, inputs, convAttrs as unknown as NamedAttrMap);
    for (const info of Object.values(inputs)) backend.disposeIntermediateTensorInfo(info);
    return y;
  });
  const y = runKernel(backend, Concat, outputs as unknown as Record<string, TensorInfo>, { axis });
  for (const info of outputs) backend.disposeIntermediateTensorInfo(info);
  return y;
}

interface KernelArgs<Inputs, Attrs> {
  inputs: Inputs;
  backend: DepthwiseBackend;
  attrs: Attrs;
}

type Run<Inputs, Attrs> = (backend: DepthwiseBackend, inputs: Inputs, attrs: Attrs) => TensorInfo | undefined;

/** A kernel that is ours where `run` gives a result, and `otherwise` gives it where that is undefined. */
function kernel<Inputs, Attrs>(
  kernelName: string,
  run: Run<Inputs, Attrs>,
  otherwise: (backend: DepthwiseBackend, inputs: Inputs, attrs: Attrs) => TensorInfo = tfjsOwn(kernelName),
): KernelConfig {
  const kernelFunc = ({ inputs, backend, attrs }: KernelArgs<Inputs, Attrs>): TensorInfo => {
    const y = run(backend, inputs, attrs);
    count(y ? kernelCalls : fallbackCalls, kernelName);
    return y ?? otherwise(backend, inputs, attrs);
  };
  return { kernelName, backendName: BACKEND_NAME, kernelFunc: kernelFunc as unknown as KernelFunc };
}

function tfjsOwn<Inputs, Attrs>(kernelName: string) {
  const { kernelFunc } = getKernel(kernelName, 'cpu');
  return (backend: DepthwiseBackend, inputs: Inputs, attrs: Attrs): TensorInfo =>
    kernelFunc({ inputs, backend, attrs } as unknown as Parameters<KernelFunc>[0]) as TensorInfo;
}

type FusedConvAttrs = ConvAttrs & FusedAttrs;

function convolutionKernels(name: string, fusedName: string, depthwise: boolean): KernelConfig[] {
  const fusedByTfjs = byTfjs<FusedConvAttrs>(fusedName);
  return [
    kernel(
      name,
      (backend, inputs: ConvInputs, attrs: ConvAttrs) => convolve(backend, inputs, attrs, depthwise),
      byTfjs(name),
    ),
    kernel(
      fusedName,
      (backend, inputs: ConvInputs, attrs: FusedConvAttrs) => convolve(backend, inputs, attrs, depthwise),
      (backend, inputs, attrs) => fusedInSteps(backend, inputs, attrs, name) ?? fusedByTfjs(backend, inputs, attrs),
    ),
  ];
}

// The gradients' kernels are tfjs's own; like the convolutions they have to be told what a number as padding means.
function backpropKernel(name: string): KernelConfig {
  const kernelFunc = byTfjs<ConvAttrs>(name);
  return {
    kernelName: name,
    backendName: BACKEND_NAME,
    kernelFunc: (({ inputs, backend, attrs }: KernelArgs<ConvInputs, ConvAttrs>) =>
      kernelFunc(backend, inputs, attrs)) as unknown as KernelFunc,
  };
}

/** Our kernels, in place of those of tfjs's CPU backend with the same names, and the grouped one beside them. */
export function ourKernels(): KernelConfig[] {
  return [
    ...convolutionKernels(DepthwiseConv2dNative, FusedDepthwiseConv2D, true),
    ...convolutionKernels(Conv2D, FusedConv2D, false),
    ...BACKPROPS.map(backpropKernel),
    kernel(
      GROUPED_CONV2D,
      (backend, inputs: ConvInputs, attrs: GroupedAttrs) => convolve(backend, inputs, attrs, false),
      groupedInSteps,
    ),
    kernel(BatchMatMul, multiply),
    kernel(_FusedMatMul, multiply),
    ...Object.entries(POINTWISE).map(([name, run]) => kernel(name, run)),
  ];
}
