// `out` shares memory with the input or the weights: refused, and nothing is written.
import {
  assert,
  DepthwiseConv2d,
  depthwiseConv2d,
  depthwiseConv2dSync,
  FILTER_SHAPE,
  fill,
  rejects,
  SHAPE,
  size,
  survived,
  tensor,
} from './support/harness.mjs';

const filter = tensor(FILTER_SHAPE, 2);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const length = size(SHAPE);

for (const Buffer of [ArrayBuffer, SharedArrayBuffer]) {
  const buffer = new Buffer(length * 2 * 4);
  const all = fill(new Float32Array(buffer));
  const before = Float32Array.from(all);
  const input = { data: new Float32Array(buffer, 0, length), shape: SHAPE };
  for (const offset of [0, 1, 100, length - 1]) {
    const out = { data: new Float32Array(buffer, offset * 4, length), shape: SHAPE };
    assert.throws(() => layer.runSync(input, { out }), { name: 'RangeError', code: 'ERR_OVERLAP' });
    assert.throws(() => layer.runSync(out, { out: input }), { name: 'RangeError', code: 'ERR_OVERLAP' });
    await rejects(layer.run(input, { out }), 'ERR_OVERLAP');
    await rejects(depthwiseConv2d(input, filter, { padding: 'same', out }), 'ERR_OVERLAP');
  }
  assert.deepEqual(all, before);
  // Side by side is fine.
  layer.runSync(input, { out: { data: new Float32Array(buffer, length * 4, length), shape: SHAPE } });
}

// Another SharedArrayBuffer object over the same memory, as a worker that it was posted to has it.
const shared = new SharedArrayBuffer(length * 4);
const alias = structuredClone(shared);
assert.notEqual(alias, shared);
const original = { data: fill(new Float32Array(shared)), shape: SHAPE };
const copied = Float32Array.from(original.data);
const aliased = { data: new Float32Array(alias), shape: SHAPE };
assert.throws(() => layer.runSync(original, { out: aliased }), { code: 'ERR_OVERLAP' });
await rejects(layer.run(original, { out: aliased }), 'ERR_OVERLAP');
assert.throws(() => depthwiseConv2dSync(original, filter, { padding: 'same', out: aliased }), { code: 'ERR_OVERLAP' });
const aliasedFilter = { data: new Float32Array(alias, 0, 9 * 32), shape: FILTER_SHAPE };
await rejects(depthwiseConv2d(tensor(SHAPE), aliasedFilter, { padding: 'same', out: original }), 'ERR_OVERLAP');
assert.deepEqual(original.data, copied);

const memory = fill(new Float32Array(length + 9 * 32 + 64));
const before = Float32Array.from(memory);
const out = { data: memory.subarray(0, length), shape: SHAPE };
const options = (name, array) => ({
  padding: 'same',
  out,
  ...(name === 'bias' && { bias: array }),
  ...(name === 'alpha' && { activation: { type: 'prelu', alpha: array } }),
});
const cases = [
  ['filter', { data: memory.subarray(length - 1, length - 1 + 9 * 32), shape: FILTER_SHAPE }, options()],
  ['bias', filter, options('bias', memory.subarray(length - 1, length + 31))],
  ['alpha', filter, options('alpha', memory.subarray(length - 1, length + 31))],
];
for (const [name, weights, given] of cases) {
  assert.throws(() => depthwiseConv2dSync(tensor(SHAPE), weights, given), { code: 'ERR_OVERLAP' }, name);
  await rejects(depthwiseConv2d(tensor(SHAPE), weights, given), 'ERR_OVERLAP', name);
}
assert.deepEqual(memory, before);
survived();
