import type { Activation } from './activation.js';
import { codedError, describe, wrongType } from './errors.js';
import type { AxisPadding } from './geometry.js';
import { suggest } from './suggest.js';
import type { Tensor, TensorLike } from './tensor.js';
import {
  findUnknown,
  isRecord,
  type Pair,
  readArray,
  readChoice,
  readInteger,
  readPair,
  withoutPollution,
} from './validate.js';

/** The order of an input's and an output's dimensions: [batch, height, width, channels] or [batch, channels, …]. */
export type DataFormat = 'NHWC' | 'NCHW';

/** The order of a filter's dimensions: [height, width, in, out] or [out, in, height, width]. */
export type FilterFormat = 'HWIO' | 'OIHW';

/**
 * How a convolution is computed.
 *
 * - 'direct': as its definition has it. Before the activation an output is within
 *   `(taps + 4) * 2^-24 * (sum|x||w| + |bias|)` of the exact sum, taps counting filter elements times channels of a group.
 * - 'winograd': with a quarter of the multiplications where that is faster by a third or more: some 3x3 filters at
 *   stride 1 without dilation, with 16 or more channels in and out of each group. `explain` then names the kernel
 *   'winograd', and an output is within `(channels + 32) * 160 * 2^-24 * (max|x| * sum|w| + |bias|)` of the exact sum,
 *   channels counting those of a group, the maximum over the group's inputs; what is below 2^-100 or so may be lost.
 *   All else is computed directly, and so is what is near inputs that aren't finite.
 */
export type Algorithm = 'direct' | 'winograd';

/**
 * Rows and columns of padding, in pixels. It counts as zeros and is skipped, not multiplied.
 *
 * - 'valid': none.
 * - 'same': as much as gives `ceil(input / stride)` outputs, an odd pixel after (TensorFlow's SAME, ONNX's SAME_UPPER).
 * - 'same-lower': the same with an odd pixel before (ONNX's SAME_LOWER).
 * - n, [h, w] or [[top, bottom], [left, right]].
 */
export type Padding = 'valid' | 'same' | 'same-lower' | number | Pair | readonly [top: Pair, left: Pair];

/** What a depthwise convolution is made of besides its filter. */
export interface DepthwiseConv2dOptions {
  /** Pixels from one output to the next, n or [h, w]. Default 1. */
  readonly strides?: number | Pair | undefined;
  /** Pixels from one tap of the filter to the next, n or [h, w]. Default 1. */
  readonly dilations?: number | Pair | undefined;
  /** See {@link Padding}. Default 'valid'. */
  readonly padding?: Padding | undefined;
  /** Of input and output. Default 'NHWC'. */
  readonly dataFormat?: DataFormat | undefined;
  /** Of the filter. Default 'HWIO'. */
  readonly filterFormat?: FilterFormat | undefined;
  /** A value for each output channel, added before the activation. Default none. */
  readonly bias?: Float32Array | TensorLike | undefined;
  /** See {@link Activation}. Default 'linear'. */
  readonly activation?: Activation | undefined;
}

/** What a grouped convolution is made of besides its filter. */
export interface Conv2dOptions extends DepthwiseConv2dOptions {
  /**
   * Into how many groups input and output channels are divided; each group of outputs reads its own group of inputs
   * only. Divides both. Default 1.
   */
  readonly groups?: number | undefined;
  /** See {@link Algorithm}. Default 'direct'. */
  readonly algorithm?: Algorithm | undefined;
}

/** What a single synchronous call takes besides its input. */
export interface RunSyncOptions {
  /**
   * Where to write the output: a tensor of the output's shape, which is returned. It must not overlap input, filter,
   * bias or prelu's alpha. An async call writes it at its end. Default a new one.
   */
  readonly out?: Tensor | undefined;
}

/** What a single asynchronous call takes besides its input. */
export interface RunOptions extends RunSyncOptions {
  /** Rejects the promise with the signal's reason, and stops the work, or never starts it. Default none. */
  readonly signal?: AbortSignal | undefined;
}

/** Where options were given: the name that messages show, and the options that are meant there. */
export interface Place {
  readonly name: string;
  readonly options: ReadonlySet<string>;
}

export const DEPTHWISE_OPTIONS = [
  'strides',
  'dilations',
  'padding',
  'dataFormat',
  'filterFormat',
  'bias',
  'activation',
] as const;
export const CONV2D_OPTIONS = [...DEPTHWISE_OPTIONS, 'groups', 'algorithm'] as const;

export function place(name: string, ...options: readonly string[]): Place {
  return { name, options: new Set(options) };
}

const ALL_OPTIONS: ReadonlySet<string> = new Set([...CONV2D_OPTIONS, 'out', 'signal']);

// What other libraries call them, in lower case without separators.
const ALIASES: Readonly<Record<string, string>> = {
  stride: 'strides',
  subsample: 'strides',
  step: 'strides',
  pad: 'padding',
  pads: 'padding',
  autopad: 'padding',
  dilation: 'dilations',
  dilationrate: 'dilations',
  rate: 'dilations',
  rates: 'dilations',
  atrous: 'dilations',
  format: 'dataFormat',
  layout: 'dataFormat',
  inputformat: 'dataFormat',
  filterlayout: 'filterFormat',
  kernelformat: 'filterFormat',
  weightformat: 'filterFormat',
  group: 'groups',
  numgroups: 'groups',
  algo: 'algorithm',
  convalgo: 'algorithm',
  featuregroupcount: 'groups',
  act: 'activation',
  activationfn: 'activation',
  activationfunction: 'activation',
  biases: 'bias',
  usebias: 'bias',
  output: 'out',
  dst: 'out',
  abortsignal: 'signal',
};

const HINTS: Readonly<Record<string, string>> = {
  kernelsize: "the filter's shape tells its size",
  filters: "the filter's shape tells the number of output channels",
  inchannels: "the input's shape tells its channels",
  outchannels: "the filter's shape tells the number of output channels",
  depthmultiplier: "the filter's shape tells the channel multiplier",
  channelmultiplier: "the filter's shape tells the channel multiplier",
  multiplier: "the filter's shape tells the channel multiplier",
  alpha: "it belongs to the activation: { type: 'leakyRelu', alpha }",
  threads: 'setThreads(n) sets the number of threads',
  numthreads: 'setThreads(n) sets the number of threads',
  data: 'a tensor is not options; bias and out are given by name',
  shape: 'a tensor is not options; bias and out are given by name',
};

/**
 * The options to read: an object, or undefined, without names that `place` doesn't know. Inherited options count: an
 * instance of a class, or an object made from defaults by Object.create, works like a literal. What a program added to
 * Object.prototype doesn't.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE or ERR_UNKNOWN_OPTION, the latter with the name that was probably meant.
 */
export function givenOptions(place: Place, options: unknown): Record<string, unknown> | undefined {
  if (options === undefined) return undefined;
  if (!isRecord(options)) {
    const hint = place.options.has('strides') ? 'name each: { strides, padding, … }' : 'name each: { out, … }';
    throw wrongType(`the options of ${place.name}`, 'be an object', options, hint);
  }
  const unknown = findUnknown(options, place.options);
  if (unknown !== undefined) throw unknownOption(place, unknown);
  return withoutPollution(options, place.options) as Record<string, unknown>;
}

function unknownOption(place: Place, name: string): Error {
  const meant = ALL_OPTIONS.has(name) ? name : suggest(name, ALL_OPTIONS, ALIASES);
  const plain = name.toLowerCase().replace(/[-_\s.]/g, '');
  let hint = Object.hasOwn(HINTS, plain) ? HINTS[plain] : undefined;
  if (meant !== undefined) {
    const question = meant === name ? '' : `did you mean '${meant}'?`;
    const elsewhere = place.options.has(meant) ? '' : whereItBelongs(place, meant);
    hint = [question, elsewhere].filter(Boolean).join(' ');
  }
  return codedError(
    'ERR_UNKNOWN_OPTION',
    `unknown option ${describe(name)} of ${place.name}${hint ? `; ${hint}` : ''}`,
  );
}

function whereItBelongs(place: Place, option: string): string {
  if (option === 'out') return "'out' is given to each call of run or runSync";
  if (option === 'signal') {
    return place.options.has('out')
      ? "'signal' needs an asynchronous call: a synchronous one can't be aborted"
      : "'signal' is given to each call of run";
  }
  if (!place.options.has('strides')) return `'${option}' is given to the constructor`;
  if (option === 'algorithm') return "only conv2d has one: it doesn't help a depthwise convolution";
  return `a depthwise convolution has a group for each input channel; conv2d takes '${option}'`;
}

/** What decides how a convolution steps over its input, checked and with the defaults filled in. */
export interface Settings {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: readonly [height: AxisPadding, width: AxisPadding];
  readonly dataFormat: DataFormat;
  readonly filterFormat: FilterFormat;
  readonly groups: number;
  readonly algorithm: Algorithm;
}

const ONES: Pair = [1, 1];
const NONE: Pair = [0, 0];
const DEFAULTS: Settings = {
  strides: ONES,
  dilations: ONES,
  padding: [NONE, NONE],
  dataFormat: 'NHWC',
  filterFormat: 'HWIO',
  groups: 1,
  algorithm: 'direct',
};

/**
 * Reads the options of a convolution, each once. Bias and activation come back as they are: whether they fit depends on
 * the filter.
 */
export function readSettings(
  place: Place,
  options: unknown,
): { settings: Settings; bias: unknown; activation: unknown } {
  const given = givenOptions(place, options);
  if (given === undefined) return { settings: DEFAULTS, bias: undefined, activation: undefined };
  const { strides, dilations, padding, dataFormat, filterFormat, bias, activation } = given;
  const groups = place.options.has('groups') ? given.groups : undefined;
  const algorithm = place.options.has('algorithm') ? given.algorithm : undefined;
  const settings: Settings = {
    strides: strides === undefined ? ONES : readPair('strides', strides, 1),
    dilations: dilations === undefined ? ONES : readPair('dilations', dilations, 1),
    padding: padding === undefined ? DEFAULTS.padding : readPadding(padding),
    dataFormat: dataFormat === undefined ? 'NHWC' : readChoice('dataFormat', dataFormat, ['NHWC', 'NCHW'], DATA_NAMES),
    filterFormat:
      filterFormat === undefined ? 'HWIO' : readChoice('filterFormat', filterFormat, ['HWIO', 'OIHW'], FILTER_NAMES),
    groups: groups === undefined ? 1 : readInteger('groups', groups, 1, 'be an integer >= 1'),
    algorithm: algorithm === undefined ? 'direct' : readChoice('algorithm', algorithm, ['direct', 'winograd']),
  };
  return { settings, bias, activation };
}

const DATA_NAMES: Readonly<Record<string, DataFormat>> = { channelslast: 'NHWC', channelsfirst: 'NCHW' };
const FILTER_NAMES: Readonly<Record<string, FilterFormat>> = { hwcm: 'HWIO', rsck: 'HWIO', kcrs: 'OIHW' };
const PADDING_NAMES: Readonly<Record<string, 'same' | 'same-lower' | 'valid'>> = {
  sameupper: 'same',
  samelower: 'same-lower',
  none: 'valid',
  notset: 'valid',
};

function readPadding(value: unknown): Settings['padding'] {
  if (typeof value === 'string') {
    const mode = readChoice('padding', value, ['valid', 'same', 'same-lower'], PADDING_NAMES);
    return mode === 'valid' ? [NONE, NONE] : [mode, mode];
  }
  if (typeof value === 'number') {
    const n = readInteger('padding', value, 0, 'be an integer >= 0');
    return [
      [n, n],
      [n, n],
    ];
  }
  const expected = "be 'valid', 'same', 'same-lower', n, [h, w] or [[top, bottom], [left, right]]";
  const [height, width] = readArray('padding', value, 2, expected, paddingHint);
  if (!Array.isArray(height) && !Array.isArray(width)) {
    const [h, w] = readPair('padding', [height, width], 0);
    return [
      [h, h],
      [w, w],
    ];
  }
  return [readSides('padding[0]', height, 'top, bottom'), readSides('padding[1]', width, 'left, right')];
}

function readSides(name: string, value: unknown, sides: string): Pair {
  const each = 'be an integer >= 0';
  const [before, after] = readArray(name, value, 2, `be [${sides}]`);
  return [readInteger(`${name}[0]`, before, 0, each), readInteger(`${name}[1]`, after, 0, each)];
}

function paddingHint(length: number): string | undefined {
  if (length !== 4) return undefined;
  return "ONNX's [top, left, bottom, right] and TensorFlow's list of pairs are [[top, bottom], [left, right]] here";
}
