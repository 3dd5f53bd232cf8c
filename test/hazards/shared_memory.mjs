// SharedArrayBuffers, growable ones, views at odd offsets; another thread writes to them all the time.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  assert,
  DepthwiseConv2d,
  FILTER_SHAPE,
  fill,
  rejects,
  SHAPE,
  same,
  size,
  survived,
  tensor,
} from './support/harness.mjs';

const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' });
const input = tensor(SHAPE);
const expected = layer.runSync(input);
const length = size(SHAPE);

for (const buffer of [
  new SharedArrayBuffer((length + 8) * 4),
  new SharedArrayBuffer((length + 8) * 4, { maxByteLength: (length + 64) * 4 }),
  new ArrayBuffer((length + 8) * 4),
]) {
  for (const offset of [0, 1, 3, 5]) {
    const data = new Float32Array(buffer, offset * 4, length);
    fill(data);
    same(layer.runSync({ data, shape: SHAPE }), expected);
    const calls = [layer.run({ data, shape: SHAPE }), layer.run({ data, shape: SHAPE })];
    if (offset === 5 && buffer.growable) buffer.grow((length + 64) * 4);
    for (const output of await Promise.all(calls)) same(output, expected);

    // As an output, with its neighbours untouched.
    const around = new Float32Array(buffer).fill(42);
    const out = { data, shape: SHAPE };
    assert.equal(await layer.run(input, { out }), out);
    same(out, expected);
    layer.runSync(input, { out });
    same(out, expected);
    assert.ok(around.subarray(0, offset).every((x) => x === 42));
    assert.ok(around.subarray(offset + length).every((x) => x === 42));
    await rejects(layer.run(out, { out }), 'ERR_OVERLAP');
  }
}

const stirred = new SharedArrayBuffer(length * 4);
const source = `const { workerData: a } = require('node:worker_threads');
  require('node:worker_threads').parentPort.postMessage('stirring');
  for (let i = 0; ; i = (i + 1) % a.length) a[i] = Math.random();`;
const worker = new Worker(source, { eval: true, workerData: new Float32Array(stirred) });
await once(worker, 'message');
const data = new Float32Array(stirred);
const elsewhere = tensor(SHAPE, 9);
for (let i = 0; i < 50; i++) {
  const output = await layer.run({ data, shape: SHAPE });
  assert.ok(output.data.every((x) => Math.abs(x) <= 9));
  layer.runSync({ data, shape: SHAPE }, { out: elsewhere });
  assert.ok(elsewhere.data.every((x) => Math.abs(x) <= 9));
}
for (let i = 0; i < 50; i++) await layer.run(input, { out: { data, shape: SHAPE } });
await worker.terminate();
survived();
