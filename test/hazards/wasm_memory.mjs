// Arrays in the memory of WebAssembly: growing it detaches its buffer while calls run, or doesn't where it is shared.
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
const expected = layer.runSync(tensor(SHAPE));
const length = size(SHAPE);
for (let round = 0; round < 20; round++) {
  for (const shared of [false, true]) {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 4096, shared });
    const input = { data: fill(new Float32Array(memory.buffer, 64, length)), shape: SHAPE };
    const out = { data: new Float32Array(memory.buffer, 2 ** 21, length), shape: SHAPE };
    same(layer.runSync(input, { out }), expected);
    const fresh = [layer.run(input), layer.run(input)];
    const written = layer.run(input, { out });
    written.catch(() => {}); // it is looked at below, maybe long after it was rejected
    if (round % 2) memory.grow(1 + round * 64);
    for (const output of await Promise.all(fresh)) same(output, expected);
    if (round % 2 && !shared) {
      await rejects(written, 'ERR_INVALID_STATE');
      assert.throws(() => layer.runSync(input), { code: 'ERR_INVALID_STATE' });
      await rejects(layer.run(tensor(SHAPE), { out }), 'ERR_INVALID_STATE');
    } else {
      same(await written, expected);
    }
  }
}
survived();
