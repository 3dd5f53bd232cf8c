// Arrays, shapes and options of vm contexts; a Float32Array that the program has replaced.
import vm from 'node:vm';
import {
  assert,
  DepthwiseConv2d,
  depthwiseConv2d,
  depthwiseConv2dSync,
  FILTER_SHAPE,
  SHAPE,
  same,
  survived,
  tensor,
} from './support/harness.mjs';

const input = tensor(SHAPE);
const filter = tensor(FILTER_SHAPE, 2);
const expected = depthwiseConv2dSync(input, filter, { padding: 'same' });

const foreign = vm.runInNewContext(
  `({ data, shape }) => ({ data: Float32Array.from(data), shape: Array.from(shape) })`,
);
const options = vm.runInNewContext(`({ padding: 'same' })`);
for (let round = 0; round < 20; round++) {
  same(depthwiseConv2dSync(foreign(input), foreign(filter), options), expected);
  same(await depthwiseConv2d(foreign(input), foreign(filter), options), expected);
  const layer = new DepthwiseConv2d(foreign(filter), options);
  const out = foreign(expected);
  out.data.fill(0);
  assert.equal(await layer.run(foreign(input), { out }), out);
  assert.deepEqual([...out.data], [...expected.data]);
}

const original = globalThis.Float32Array;
globalThis.Float32Array = class extends original {
  constructor() {
    super(1);
  }
};
try {
  same(await new DepthwiseConv2d(filter, { padding: 'same' }).run(input), expected);
} finally {
  globalThis.Float32Array = original;
}
survived();
