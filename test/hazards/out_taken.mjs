// `out` is transferred, shrunk or overwritten before it would be written: the call is refused, or its output is whole.
import {
  assert,
  copyOf,
  DepthwiseConv2d,
  depthwiseConv2d,
  FILTER_SHAPE,
  rejects,
  SHAPE,
  same,
  size,
  survived,
  tensor,
} from './support/harness.mjs';

const filter = tensor(FILTER_SHAPE, 2);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const input = tensor(SHAPE);
const expected = layer.runSync(input);
const bytes = size(SHAPE) * 4;
const calls = [(out) => layer.run(input, { out }), (out) => depthwiseConv2d(input, filter, { padding: 'same', out })];

for (const call of calls) {
  {
    const out = tensor(SHAPE, 8);
    const before = copyOf(out);
    const promise = call(out);
    const moved = structuredClone(out.data.buffer, { transfer: [out.data.buffer] });
    await rejects(promise, 'ERR_INVALID_STATE');
    same({ data: new Float32Array(moved), shape: SHAPE }, before, 'nothing is written to where the buffer went');
  }
  for (const resized of [0, 4, bytes - 4]) {
    const buffer = new ArrayBuffer(bytes, { maxByteLength: bytes * 2 });
    const promise = call({ data: new Float32Array(buffer), shape: SHAPE });
    buffer.resize(resized);
    await rejects(promise, 'ERR_INVALID_STATE');
    buffer.resize(bytes);
    assert.ok(
      new Float32Array(buffer).every((x) => x === 0),
      'nothing is written',
    );
  }
  {
    // A view that grows with its buffer isn't the array that the call was given either.
    const buffer = new ArrayBuffer(bytes, { maxByteLength: bytes * 2 });
    const promise = call({ data: new Float32Array(buffer), shape: SHAPE });
    buffer.resize(bytes * 2);
    await rejects(promise, 'ERR_INVALID_STATE');
  }
  {
    // Gone and back again: the memory is the caller's, the output fits.
    const buffer = new ArrayBuffer(bytes, { maxByteLength: bytes });
    const out = { data: new Float32Array(buffer), shape: SHAPE };
    const promise = call(out);
    buffer.resize(0);
    buffer.resize(bytes);
    assert.equal(await promise, out);
    same(out, expected);
  }
  {
    const out = tensor(SHAPE, 8);
    const promise = call(out);
    out.data.fill(7);
    assert.equal(await promise, out);
    same(out, expected);
  }
  {
    // One output for many calls at once, each of which writes all of it.
    const out = tensor(SHAPE, 8);
    for (const output of await Promise.all(Array.from({ length: 50 }, () => call(out)))) assert.equal(output, out);
    same(out, expected);
  }
}
survived();
