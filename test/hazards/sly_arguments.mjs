// Arguments that are other each time they are looked at: getters, proxies, subclasses, primitives in objects' clothes.
import {
  assert,
  Conv2d,
  DepthwiseConv2d,
  depthwiseConv2d,
  depthwiseConv2dSync,
  FILTER_SHAPE,
  SHAPE,
  same,
  survived,
  tensor,
} from './support/harness.mjs';

const filter = tensor(FILTER_SHAPE, 2);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const input = tensor(SHAPE);
const expected = layer.runSync(input);
const options = { padding: 'same' };

/** The outcomes of a call, of every function that takes such arguments: outputs, or codes of errors. */
async function each(make) {
  const outcomes = [];
  const layers = ([first, , { bias: _, activation: __, padding: ___, ...call }]) => [first, call];
  const calls = [
    () => depthwiseConv2dSync(...make()),
    () => depthwiseConv2d(...make()),
    () => layer.runSync(...layers(make())),
    () => layer.run(...layers(make())),
  ];
  for (const call of calls) {
    try {
      outcomes.push(await call());
    } catch (error) {
      assert.match(String(error.code), /^ERR_/, error.stack);
      assert.ok(error instanceof TypeError || error instanceof RangeError);
      outcomes.push(error.code);
    }
  }
  return outcomes;
}
const refused = (outcomes) => assert.deepEqual(new Set(outcomes.map((outcome) => typeof outcome)), new Set(['string']));

// Another array, or another shape, each time it is read: the first one counts.
const alternating = (...values) => {
  let i = 0;
  return () => values[Math.min(i++, values.length - 1)];
};
const tiny = new Float32Array(1);
const swapped = (name, good, bad) => {
  const next = alternating(good, bad);
  const object = { data: input.data, shape: SHAPE };
  Object.defineProperty(object, name, { get: next, enumerable: true });
  return object;
};
for (const outcome of await each(() => [swapped('data', input.data, tiny), filter, options])) same(outcome, expected);
for (const outcome of await each(() => [swapped('shape', SHAPE, [9, 9, 9, 9]), filter, options]))
  same(outcome, expected);
refused(await each(() => [swapped('data', tiny, input.data), filter, options]));
const out = { data: new Float32Array(input.data.length), shape: SHAPE };
for (const outcome of await each(() => {
  const sly = { shape: SHAPE };
  Object.defineProperty(sly, 'data', { get: alternating(out.data, tiny) });
  return [input, filter, { ...options, out: sly }];
})) {
  same(out, expected);
  assert.notEqual(outcome, out);
}

// A shape whose elements change as they are read.
const sizes = (read) => new Proxy([...SHAPE], { get: (array, key) => (key in array ? read(array, key) : undefined) });
let reads = 0;
await each(() => [
  { data: input.data, shape: sizes((array, key) => (reads++ % 2 ? array[key] : 1e6)) },
  filter,
  options,
]);
refused(
  await each(() => [{ data: input.data, shape: sizes((_, key) => (key === 'length' ? 2 ** 32 : 1)) }, filter, options]),
);
refused(await each(() => [{ data: input.data, shape: sizes(() => ({ valueOf: () => 4 })) }, filter, options]));

// What looks like a number or a string, and isn't.
const four = { [Symbol.toPrimitive]: () => 4, valueOf: () => 4, toString: () => '4' };
for (const size of [
  four,
  '64',
  64n,
  Object(64),
  [64],
  null,
  true,
  Number.NaN,
  -64,
  0.5,
  Infinity,
  2 ** 53,
  -0,
  1e308,
]) {
  refused(await each(() => [{ data: input.data, shape: [1, size, 64, 32] }, filter, options]));
}
// biome-ignore lint/suspicious/noSparseArray: on purpose
refused(await each(() => [{ data: input.data, shape: [1, , 64, 32] }, filter, options]));
refused(await each(() => [{ data: input.data, shape: Object.assign([1, 64, 64], { length: 4 }) }, filter, options]));
for (const name of ['strides', 'dilations', 'padding', 'dataFormat', 'filterFormat', 'activation', 'bias']) {
  for (const value of [
    four,
    Object('same'),
    Object(1),
    [four, four],
    [
      [four, 1],
      [1, 1],
    ],
    new Proxy([], {}),
    Symbol('x'),
    1n,
    () => 1,
    null,
    new Proxy({}, { get: () => four }),
  ]) {
    // biome-ignore format: a list
    assert.throws(() => depthwiseConv2dSync(input, filter, { [name]: value }), { code: /^ERR_/ }, `${name}`);
    await assert.rejects(depthwiseConv2d(input, filter, { [name]: value }), { code: /^ERR_/ }, `${name}`);
    assert.throws(() => new Conv2d(filter, { [name]: value }), { code: /^ERR_/ }, `${name}`);
  }
}

// Sizes whose product wraps around in 32 or 64 bits to what the data has.
for (const shape of [
  [2 ** 32, 2 ** 32, 1, 1],
  [2 ** 31, 2, 2 ** 32, 1],
  [1, 2 ** 52, 2 ** 12, 32],
  [1, 65536, 65536, 65536],
  [2 ** 16 + 1, 2 ** 16, 1, 32],
]) {
  // biome-ignore format: a list
  refused(await each(() => [{ data: input.data, shape }, filter, options]));
  refused(await each(() => [{ data: new Float32Array(0), shape }, filter, options]));
}

// Float32Arrays that lie about themselves.
class Liar extends Float32Array {
  get length() {
    return 1e9;
  }
  get byteLength() {
    return 4e9;
  }
  get byteOffset() {
    return -4;
  }
  get buffer() {
    return tiny.buffer;
  }
  static get [Symbol.species]() {
    return Uint8Array;
  }
  get [Symbol.toStringTag]() {
    return 'Uint8Array';
  }
}
for (const outcome of await each(() => [{ data: Liar.from(input.data), shape: SHAPE }, filter, options]))
  same(outcome, expected);
const lying = Object.defineProperty(Float32Array.from(input.data), 'length', { value: 3 });
for (const outcome of await each(() => [{ data: lying, shape: SHAPE }, filter, options])) same(outcome, expected);
const memory = new Liar(input.data.length + 8);
const overlapping = { data: new Liar(memory.buffer === tiny.buffer ? input.data.buffer : memory.buffer), shape: SHAPE };
refused(await each(() => [input, filter, { ...options, out: overlapping }]));
for (const impostor of [
  Object.create(Float32Array.prototype),
  Object.setPrototypeOf(new Uint8Array(input.data.buffer), Float32Array.prototype),
  new Proxy(input.data, {}),
  { __proto__: Float32Array.prototype, length: input.data.length },
  new DataView(input.data.buffer),
  input.data.buffer,
]) {
  refused(await each(() => [{ data: impostor, shape: SHAPE }, filter, options]));
}

// The layer is disposed, or used, by what it reads.
const busy = new DepthwiseConv2d(filter, options);
const nested = { data: input.data, get shape() { busy.runSync(input); busy.explain([1, 9, 9, 32]); return SHAPE; } }; // biome-ignore format: short
same(busy.runSync(nested), expected);
same(await busy.run(nested), expected);
const disposing = { data: input.data, get shape() { busy[Symbol.dispose](); return SHAPE; } }; // biome-ignore format: short
assert.throws(() => busy.runSync(disposing), { code: 'ERR_INVALID_STATE' });
await assert.rejects(busy.run(disposing), { code: 'ERR_INVALID_STATE' });

// What getters and traps throw is reported with a code, whatever it is.
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const thrown = [undefined, null, 0, 'text', Symbol('x'), revoked, Object.create(null), new Proxy(new Error('x'), { get() { throw 1; } }), Object.assign(new Error('x'), { code: Object.create(null) })]; // biome-ignore format: a list
for (const value of thrown) {
  const boom = () => {
    throw value;
  };
  const trap = new Proxy({}, { get: boom, has: boom, ownKeys: boom, getPrototypeOf: boom });
  refused(await each(() => [trap, filter, options]));
  assert.throws(() => layer.runSync(input, trap), { code: /^ERR_/ });
  assert.throws(() => depthwiseConv2dSync(input, filter, trap), { code: /^ERR_/ });
  assert.throws(() => depthwiseConv2dSync(input, filter, { activation: trap }), { code: /^ERR_/ });
  assert.throws(() => new DepthwiseConv2d(trap), { code: /^ERR_/ });
  assert.throws(() => layer.explain(trap), { code: /^ERR_/ });
  refused(await each(() => [input, filter, { ...options, out: { data: out.data, get shape() { return boom(); } } }])); // biome-ignore format: short
}
for (const value of [revoked, new Proxy(() => {}, {}), globalThis]) {
  assert.throws(() => depthwiseConv2dSync(value, filter), { code: /^ERR_/ });
  assert.throws(() => depthwiseConv2dSync(input, value), { code: /^ERR_/ });
}

// Methods without their layer.
for (const method of ['run', 'runSync', 'outputShape', 'explain']) {
  for (const none of [undefined, null, 4, {}, Object.create(layer), new Proxy(layer, {}), DepthwiseConv2d.prototype]) {
    const call = async () => layer[method].call(none, input);
    await assert.rejects(call(), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }, method);
  }
}

// At the end of the stack.
let survivedTheStack = 0;
const deep = () => {
  try {
    deep();
    if (survivedTheStack < 50) {
      survivedTheStack++;
      same(layer.runSync(input), expected);
      layer.run(input).catch(() => {});
    }
  } catch {
    try {
      layer.runSync(input);
    } catch {}
  }
};
deep();
same(await layer.run(input), expected);
survived();
