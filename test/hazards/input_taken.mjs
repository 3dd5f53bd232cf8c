// The input is transferred, detached, shrunk or overwritten while asynchronous calls read it.
import {
  DepthwiseConv2d,
  depthwiseConv2d,
  FILTER_SHAPE,
  fill,
  SHAPE,
  same,
  size,
  survived,
  tensor,
} from './support/harness.mjs';

const filter = tensor(FILTER_SHAPE, 2);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const expected = layer.runSync(tensor(SHAPE));

const bytes = size(SHAPE) * 4;
const fixed = () => new ArrayBuffer(bytes);
const resizable = () => new ArrayBuffer(bytes, { maxByteLength: bytes * 2 });
const ways = [
  [fixed, (buffer) => structuredClone(buffer, { transfer: [buffer] })],
  [fixed, (buffer) => new MessageChannel().port1.postMessage(buffer, [buffer])],
  [fixed, (buffer) => fill(new Float32Array(buffer), 99)],
  [resizable, (buffer) => buffer.resize(0)],
  [resizable, (buffer) => buffer.resize(4)],
  [resizable, (buffer) => buffer.resize(bytes * 2)],
  [resizable, (buffer) => structuredClone(buffer, { transfer: [buffer] })],
];
if (ArrayBuffer.prototype.transfer) {
  ways.push([fixed, (buffer) => buffer.transfer(0)], [resizable, (buffer) => buffer.transferToFixedLength()]);
}

for (const [make, take] of ways) {
  for (const views of [(buffer) => new Float32Array(buffer, 0, size(SHAPE)), (buffer) => new Float32Array(buffer)]) {
    for (const call of [(input) => layer.run(input), (input) => depthwiseConv2d(input, filter, { padding: 'same' })]) {
      const buffer = make();
      const data = fill(views(buffer));
      const calls = Array.from({ length: 20 }, () => call({ data, shape: SHAPE }));
      take(buffer);
      for (const output of await Promise.all(calls)) same(output, expected);
    }
  }
}
survived();
