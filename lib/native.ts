import { loadAddon } from './load_addon.js';

// The one door to the addon. Sizes cross it as a Float64Array, whose fields are named here and in the same order in
// native/binding/addon.cc.

const LAYER_FIELDS = [
  'filterHeight',
  'filterWidth',
  'inChannelsPerGroup',
  'outChannels',
  'groups', // 0: each problem says its own (a depthwise OIHW filter doesn't tell its input's channels)
  'filterFormat', // 0 HWIO, 1 OIHW
  'activation', // the index of its kind
  'alpha',
  'lo',
  'hi',
] as const;

const PROBLEM_FIELDS = [
  'batch',
  'inHeight',
  'inWidth',
  'inChannels',
  'outHeight',
  'outWidth',
  'outChannels',
  'filterHeight',
  'filterWidth',
  'strideHeight',
  'strideWidth',
  'dilationHeight',
  'dilationWidth',
  'padTop',
  'padLeft',
  'groups',
  'dataFormat', // 0 NHWC, 1 NCHW
  'filterFormat',
  'algorithm', // 0 direct, 1 winograd
] as const;

export type LayerSpec = Readonly<Record<(typeof LAYER_FIELDS)[number], number>>;
export type Problem = Readonly<Record<(typeof PROBLEM_FIELDS)[number], number>>;

declare const opaque: unique symbol;
export type LayerHandle = { readonly [opaque]: 'layer' };
export type PlanHandle = { readonly [opaque]: 'plan' };
export type JobHandle = { readonly [opaque]: 'job' };

/** Called once, on the JS thread, when a job is done, failed or was aborted (then `error.code` is 'ABORTED'). */
export type JobCallback = (error: Error | null, output: Float32Array) => void;

/** An instruction set that the kernels are compiled for; 'portable' is what every CPU runs. */
export type Isa = 'avx512' | 'avx2' | 'neon' | 'portable';

/** What `explain` says of a plan. */
export interface Explanation {
  /** The micro-kernel that runs. */
  kernel: string;
  isa: Isa;
  /** How many threads the work is worth, at most. */
  threads: number;
  /** Two for each tap that doesn't fall on padding: a multiplication and an addition. */
  flops: number;
  /** Input, weights and output, once each. */
  bytes: number;
}

/**
 * The addon. It checks again every length against the problem before it touches memory; its errors have the classes and
 * codes of errors.ts.
 */
export interface Native {
  readonly version: string;
  readonly availableIsas: readonly Isa[];

  /** Once per environment, at import. '' and 0 leave the choice to the addon. */
  configure(isa: Isa | '', threads: number): void;
  isa(): Isa;
  setThreads(threads: number): void;
  getThreads(): number;
  defaultThreads(): number;

  /** Copies filter, bias and slopes. */
  createLayer(
    spec: Float64Array,
    filter: Float32Array,
    bias: Float32Array | undefined,
    slopes: Float32Array | undefined,
  ): LayerHandle;
  /** Calls that run already finish. */
  disposeLayer(layer: LayerHandle): void;
  prepare(layer: LayerHandle, problem: Float64Array): PlanHandle;
  explain(plan: PlanHandle): Explanation;
  /** `isOwn`: the output was made for this call; what it holds counts for nothing. */
  run(plan: PlanHandle, input: Float32Array, output: Float32Array, isOwn: boolean): void;
  /**
   * Copies the input unless it lives in a SharedArrayBuffer. `output` is written at the end, on the JS thread, unless it is
   * the call's own, which no program sees before the callback.
   */
  runAsync(
    plan: PlanHandle,
    input: Float32Array,
    output: Float32Array,
    isOwn: boolean,
    callback: JobCallback,
  ): JobHandle;
  /** The job's callback gets an error with code 'ABORTED', and its output is not written, unless it is done already. */
  abort(job: JobHandle): void;

  /** Without a layer: reads the filter where it is. */
  runOnce(
    spec: Float64Array,
    problem: Float64Array,
    filter: Float32Array,
    bias: Float32Array | undefined,
    slopes: Float32Array | undefined,
    input: Float32Array,
    output: Float32Array,
    isOwn: boolean,
  ): void;
  /** Copies the filter, too. */
  runOnceAsync(
    spec: Float64Array,
    problem: Float64Array,
    filter: Float32Array,
    bias: Float32Array | undefined,
    slopes: Float32Array | undefined,
    input: Float32Array,
    output: Float32Array,
    isOwn: boolean,
    callback: JobCallback,
  ): JobHandle;

  // What stands between convolutions; native/core/elementwise.h says what each does. `out` may be `x`, but for pools.
  clamp(x: Float32Array, lo: number, hi: number, out: Float32Array): void;
  /** Repeats `b`, whose length divides that of `a`. */
  add(a: Float32Array, b: Float32Array, out: Float32Array): void;
  normalize(x: Float32Array, mean: Float32Array, factor: Float32Array, offset: Float32Array, out: Float32Array): void;
  maxPool(pooling: Float64Array, x: Float32Array, out: Float32Array): void;
  averagePool(pooling: Float64Array, x: Float32Array, out: Float32Array): void;
}

export const native: Native = loadAddon();

// Written and read again within one call into the addon, so one of each is enough.
const layerWire = new Float64Array(LAYER_FIELDS.length);
const problemWire = new Float64Array(PROBLEM_FIELDS.length);

/** The spec as the addon takes it, valid until the next call of this function. */
export function encodeLayer(spec: LayerSpec): Float64Array {
  for (let i = 0; i < LAYER_FIELDS.length; i++) layerWire[i] = spec[LAYER_FIELDS[i]!];
  return layerWire;
}

/** The problem as the addon takes it, valid until the next call of this function. */
export function encodeProblem(problem: Problem): Float64Array {
  for (let i = 0; i < PROBLEM_FIELDS.length; i++) problemWire[i] = problem[PROBLEM_FIELDS[i]!];
  return problemWire;
}
