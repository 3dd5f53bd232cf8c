// What a program, or an attacker's JSON, put on the prototypes of all objects neither changes results nor ends the process.
import { createRequire } from 'node:module';
import {
  assert,
  Conv2d,
  conv2d,
  conv2dSync,
  DepthwiseConv2d,
  depthwiseConv2d,
  depthwiseConv2dSync,
  FILTER_SHAPE,
  same,
  survived,
  tensor,
} from './support/harness.mjs';

createRequire(import.meta.url); // modules are loaded before the prototypes are touched
const SHAPE = [1, 12, 12, 32];
const filter = tensor(FILTER_SHAPE, 2);
const grouped = tensor([3, 3, 32, 4], 3);
const input = tensor(SHAPE);
const bias = new Float32Array(32).fill(3);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const run = async () => [
  depthwiseConv2dSync(input, filter),
  depthwiseConv2dSync(input, filter, { padding: 'same' }),
  depthwiseConv2dSync(input, filter, { padding: 'same', bias, activation: { type: 'clip', min: -1, max: 1 } }),
  conv2dSync(input, grouped, { strides: 2 }),
  await depthwiseConv2d(input, filter, { padding: 'same', activation: 'relu' }),
  await conv2d(input, grouped, {}),
  new Conv2d(grouped, {}).runSync(input),
  new DepthwiseConv2d(filter, { dilations: 2, activation: { type: 'leakyRelu', alpha: 0.5 } }).runSync(input, {}),
  await layer.run(input, {}),
];
const expected = await run();
const explained = layer.explain(SHAPE);

const pollution = {
  strides: 2,
  dilations: [3, 3],
  padding: 'same-lower',
  dataFormat: 'NCHW',
  filterFormat: 'OIHW',
  groups: 32,
  bias: new Float32Array(1),
  activation: 'tanh',
  out: tensor(SHAPE, 5),
  signal: 'no signal',
  type: 'prelu',
  alpha: 7,
  min: 5,
  max: -5,
  stride: 'not an option',
  dims: [1],
  code: 'ERR_OVERLAP',
  cause: 'none',
  capture: true,
};
// What `body` returns while the prototype has the property. Nothing is asserted meanwhile: assert trips over it as well.
const polluted = async (name, descriptor, body) => {
  Object.defineProperty(Object.prototype, name, { configurable: true, enumerable: true, ...descriptor });
  try {
    return await body();
  } finally {
    delete Object.prototype[name];
  }
};
const caught = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
};
const observe = async () => ({
  outputs: await run(),
  explanation: layer.explain(SHAPE),
  overlap: caught(() => layer.runSync(input, { out: input })),
  unknown: caught(() => layer.runSync(input, { 'stride!': 1 })),
});
const check = (name, { outputs, explanation, overlap, unknown }) => {
  outputs.forEach((output, i) => {
    same(output, expected[i], `${name}, call ${i}`);
  });
  assert.deepEqual({ ...explanation }, { ...explained });
  assert.equal(overlap?.code, 'ERR_OVERLAP', name);
  assert.equal(unknown?.code, 'ERR_UNKNOWN_OPTION', name);
};
for (const [name, value] of Object.entries(pollution)) {
  check(name, await polluted(name, { value, writable: true }, observe));
  check(name, await polluted(name, { get: () => value, set() {} }, observe));
}
// Options that are inherited from anything else count.
const defaults = Object.create({ padding: 'same' });
const derive = () => depthwiseConv2dSync(input, filter, defaults);
same(derive(), expected[1]);
same(await polluted('padding', { value: 'valid', writable: true }, derive), expected[1]);

// Setters that would take what the addon puts on its own objects.
const taken = [];
for (const name of ['kernel', 'isa', 'threads', 'flops', 'bytes']) {
  const descriptor = { set: () => taken.push(name), get() {}, enumerable: false };
  assert.deepEqual(await polluted(name, descriptor, () => ({ ...layer.explain(SHAPE) })), { ...explained });
}
assert.deepEqual(taken, []);

// Thenables: whoever makes every object one gets odd results, and still has a process.
for (const then of [
  () => {
    throw new Error('from then');
  },
  (resolve) => resolve(42),
  (_, reject) => reject(new Error('from then')),
]) {
  await polluted('then', { value: then, enumerable: false, writable: true }, async () => {
    const over = () => 0;
    await layer.run(input).then(over, over);
    await depthwiseConv2d(input, filter).then(over, over);
  });
}
same(await layer.run(input), expected[1]);
survived();
