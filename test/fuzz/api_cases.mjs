// The cases of api.mjs from a seed on, one after another.
import { strict as assert } from 'node:assert';
import { types } from 'node:util';
import { Random } from './random.mjs';
import { floats, takeAway, value } from './values.mjs';

const library = process.env.DEPTHWISE_UNDER_TEST ?? new URL('../../dist/index.js', import.meta.url).href;
const depthwise = await import(library);
const { Conv2d, DepthwiseConv2d, conv2d, conv2dSync, depthwiseConv2d, depthwiseConv2dSync } = depthwise;

/** An input, a filter and options that fit each other. */
function makeCall(random) {
  const isDepthwise = random.chance(0.5);
  const groups = isDepthwise ? undefined : random.within(1, 4);
  const perGroup = isDepthwise ? 1 : random.within(1, 5);
  const channels = isDepthwise ? random.within(1, 20) : groups * perGroup;
  const outChannels = isDepthwise ? channels * random.within(1, 3) : groups * random.within(1, 8);
  const [fh, fw] = [random.within(1, 5), random.within(1, 5)];
  const [height, width] = [random.within(5, 20), random.within(5, 20)];
  const isNchw = random.chance(0.3);
  const isOihw = random.chance(0.3);
  const image = isNchw ? [channels, height, width] : [height, width, channels];
  const shape = random.chance(0.5) ? image : [random.within(0, 2), ...image];
  let filterShape = [fh, fw, isDepthwise ? channels : perGroup, isDepthwise ? outChannels / channels : outChannels];
  if (isOihw) filterShape = [outChannels, perGroup, fh, fw];
  const tensor = (shape) => ({
    data: floats(
      random,
      shape.reduce((a, b) => a * b),
    ),
    shape,
  });
  const options = {};
  if (groups > 1) options.groups = groups;
  if (isNchw) options.dataFormat = 'NCHW';
  if (isOihw) options.filterFormat = 'OIHW';
  if (random.chance(0.5)) options.padding = random.pick(['same', 'same-lower', 'valid', 1, [0, 2], [[1, 0], [0, 3]]]); // biome-ignore format: a list
  if (random.chance(0.4)) options.strides = random.pick([1, 2, [3, 1]]);
  if (random.chance(0.2)) options.dilations = random.pick([1, [1, 1], 2]);
  if (random.chance(0.4)) options.bias = floats(random, outChannels);
  if (random.chance(0.4)) {
    options.activation = random.pick([
      'relu',
      'gelu',
      { type: 'leakyRelu', alpha: 0.1 },
      { type: 'clip', min: -1, max: 1 },
      { type: 'prelu', alpha: floats(random, outChannels) },
    ]);
  }
  return { isDepthwise, input: tensor(shape), filter: tensor(filterShape), options };
}

/** Every object of the call that has properties to spoil. No getter is called. */
function* places(object, depth = 0) {
  if (Object.isExtensible(object)) yield object;
  for (const { value: each } of Object.values(Object.getOwnPropertyDescriptors(object))) {
    const isTree = typeof each === 'object' && each !== null && !ArrayBuffer.isView(each) && !types.isProxy(each);
    if (isTree && depth < 3 && (Array.isArray(each) || Object.getPrototypeOf(each) === Object.prototype))
      yield* places(each, depth + 1);
  }
}

const NAMES = [
  'data',
  'shape',
  'dims',
  'strides',
  'padding',
  'bias',
  'activation',
  'out',
  'signal',
  'type',
  'x',
  '0',
  '3',
];

/** Changes one thing anywhere in `roots`. */
function spoil(random, roots, effects) {
  const object = random.pick([...places(roots)]);
  const keys = Object.keys(object);
  const key = keys.length > 0 && random.chance(0.85) ? random.pick(keys) : random.pick(NAMES);
  const good = Object.getOwnPropertyDescriptor(object, key)?.value;
  const way = random.below(6);
  const set = (property) => Object.defineProperty(object, key, { enumerable: true, configurable: true, ...property });
  if (way === 0) Reflect.deleteProperty(object, key);
  else if (way === 1 && typeof good === 'object' && good !== null) set({ value: new Proxy(good, {}) });
  else if (way <= 3) {
    const effect = random.pick(effects);
    let reads = 0;
    const bad = random.chance(0.5) ? value(random) : good;
    set({
      get() {
        if (reads++ === 0) effect();
        return reads === 1 ? good : bad;
      },
    });
  } else set({ value: value(random), writable: true });
}

const CODES = {
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_STATE: TypeError,
  ERR_UNKNOWN_OPTION: TypeError,
  ERR_INVALID_ARG_VALUE: RangeError,
  ERR_OUT_OF_MEMORY: RangeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_OVERLAP: RangeError,
  ERR_SHAPE_MISMATCH: RangeError,
};

function isOurs(error) {
  try {
    return Object.hasOwn(CODES, error.code);
  } catch {
    return false;
  }
}

/** What the call returns, or the error, which must be one of ours, or the reason of an abort. */
async function outcome(call, mayAbort = false) {
  try {
    return { output: await call() };
  } catch (error) {
    if (!mayAbort || isOurs(error)) {
      assert.ok(error instanceof Error, `threw ${String(error)}`);
      assert.ok(error instanceof (CODES[error.code] ?? Array), error.stack);
      assert.ok(error.message.length < 2000, 'a long message');
    }
    return { error };
  }
}

function promised(promise) {
  assert.ok(promise instanceof Promise, 'no promise');
  return promise;
}

async function runCase(random) {
  const { isDepthwise, input, filter, options } = makeCall(random);
  const Layer = isDepthwise ? DepthwiseConv2d : Conv2d;
  const sync = isDepthwise ? depthwiseConv2dSync : conv2dSync;
  const async = isDepthwise ? depthwiseConv2d : conv2d;

  const { output: layer, error: refused } = await outcome(() => new Layer(filter, options));
  const first = await outcome(() => sync(input, filter, options));
  if (refused) assert.ok(first.error, 'a filter that the layer refused was taken');
  const expected = first.output && Float32Array.from(first.output.data);

  const controller = new AbortController();
  const run = {};
  if (first.output && random.chance(0.4)) {
    run.out = { data: floats(random, first.output.data.length), shape: [...first.output.shape] };
    if (run.out.data.length !== first.output.data.length) delete run.out;
  }
  if (random.chance(0.3)) run.signal = controller.signal;
  const arrays = [input.data, filter.data, options.bias, options.activation?.alpha, run.out?.data].filter(
    ArrayBuffer.isView,
  );
  const effects = [
    () => takeAway(random, random.pick(arrays)),
    () => controller.abort(value(random)),
    () => layer?.[Symbol.dispose](),
    () => layer?.runSync({ data: new Float32Array(8), shape: [2, 2, 2] }),
    () =>
      conv2dSync({ data: new Float32Array(8), shape: [2, 2, 2] }, { data: new Float32Array(4), shape: [1, 1, 2, 2] }),
    () => depthwise.setThreads(random.within(1, 5)),
    () => globalThis.gc?.(),
    () => {
      throw value(random);
    },
  ];

  // As it is: every way to call gives the same bits.
  if (expected && random.chance(0.3)) {
    const outputs = [];
    if (layer) outputs.push(layer.runSync(input), await layer.run(input));
    outputs.push(await async(input, filter, options));
    for (const { data } of outputs) {
      assert.ok(Buffer.from(data.buffer).equals(Buffer.from(expected.buffer)), 'the ways to call disagree');
    }
  }

  // Spoiled, in flight together, and with what it was given taken away meanwhile.
  const roots = { input, filter, options, run };
  for (let i = random.below(4); i > 0; i--) spoil(random, roots, effects);
  const own = () =>
    random.chance(0.8) ? { ...copy(roots, 'options'), ...copy(roots, 'run') } : read(roots, 'options');
  const calls = [];
  for (let i = random.within(1, 4); i > 0; i--) {
    const given = random.pick([own, () => read(roots, 'run'), () => undefined, () => value(random)])();
    const [x, f] = [read(roots, 'input'), random.chance(0.95) ? read(roots, 'filter') : value(random)];
    const way = random.below(6);
    if (way === 0) await outcome(() => sync(x, f, given));
    else if (way === 1) await outcome(() => layer?.runSync(x, given));
    else if (way === 2)
      await outcome(() =>
        layer?.[random.pick(['explain', 'outputShape'])](random.chance(0.5) ? read(x ?? {}, 'shape') : value(random)),
      );
    else if (way === 3) await outcome(() => new Layer(f, given));
    else {
      const call = way === 4 || !layer ? () => async(x, f, given) : () => layer.run(x, given);
      const started = promised(call());
      calls.push(outcome(() => started, true));
    }
  }
  await outcome(() => depthwise.setThreads(random.chance(0.5) ? random.within(1, 4) : weirdThreads(random)));
  for (const effect of [effects[0], effects[1], effects[2]]) if (random.chance(0.2)) effect();
  for (const { output } of await Promise.all(calls)) {
    if (output) assert.ok(typeof output === 'object', 'no tensor');
  }
}

/** A property whose getter may throw. */
function read(object, key) {
  try {
    return object[key];
  } catch {
    return undefined;
  }
}

function copy(object, key) {
  try {
    return { ...object[key] };
  } catch {
    return undefined;
  }
}

function weirdThreads(random) {
  const threads = value(random);
  return typeof threads === 'number' && threads > 7 ? 0.5 : threads;
}

const [from, seconds] = process.argv.slice(2).map(Number);
const end = performance.now() + seconds * 1000;
let seed = from;
for (; performance.now() < end; seed++) {
  if ((seed - from) % 1000 === 0) process.send?.(seed);
  try {
    await runCase(new Random(seed));
  } catch (error) {
    console.error(`seed ${seed}:`, error);
    process.exit(1);
  }
  if (seed % 64 === 0) await new Promise(setImmediate);
  if (seed % 512 === 0) globalThis.gc?.();
}
process.send?.(seed);
process.disconnect?.();
