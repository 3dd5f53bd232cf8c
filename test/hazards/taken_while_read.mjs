// Getters of the arguments take away arrays that the call has already looked at.
import {
  assert,
  DepthwiseConv2d,
  depthwiseConv2d,
  depthwiseConv2dSync,
  FILTER_SHAPE,
  SHAPE,
  survived,
  tensor,
} from './support/harness.mjs';

const detach = (array) => structuredClone(array.buffer, { transfer: [array.buffer] });
const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' });
const refused = (error) => /^ERR_/.test(error.code) && (error instanceof TypeError || error instanceof RangeError);

for (const victim of ['input', 'filter', 'bias', 'out']) {
  const make = () => {
    const arrays = {
      input: tensor(SHAPE),
      filter: tensor(FILTER_SHAPE, 2),
      bias: tensor([32], 3),
      out: tensor(SHAPE, 4),
    };
    const options = {
      padding: 'same',
      bias: arrays.bias.data,
      out: arrays.out,
      get activation() {
        detach(arrays[victim].data);
        return 'relu';
      },
    };
    return [arrays.input, arrays.filter, options];
  };
  assert.throws(() => depthwiseConv2dSync(...make()), refused, victim);
  await assert.rejects(depthwiseConv2d(...make()), refused, victim);
}

const input = tensor(SHAPE);
const sly = {
  data: input.data,
  get shape() {
    if (input.data.length) detach(input.data);
    return SHAPE;
  },
};
assert.throws(() => layer.runSync(sly), refused);

// Detached, shrunk or gone out of bounds beforehand.
const detached = tensor(SHAPE);
detach(detached.data);
assert.throws(() => layer.runSync(detached), refused);
await assert.rejects(layer.run(detached), refused);
const buffer = new ArrayBuffer(tensor(SHAPE).data.byteLength, { maxByteLength: 2 ** 20 });
const shrunk = { data: new Float32Array(buffer, 0, tensor(SHAPE).data.length), shape: SHAPE };
buffer.resize(64);
assert.throws(() => layer.runSync(shrunk), refused);
assert.throws(() => layer.runSync(tensor(SHAPE), { out: shrunk }), refused);
survived();
