// Layers are disposed while their calls run: those finish, later ones are refused.
import { assert, DepthwiseConv2d, FILTER_SHAPE, rejects, SHAPE, same, survived, tensor } from './support/harness.mjs';

const input = tensor(SHAPE);
const expected = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2)).runSync(input);
for (let round = 0; round < 50; round++) {
  const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2));
  const calls = Array.from({ length: 10 }, () => layer.run(input));
  layer[Symbol.dispose]();
  layer[Symbol.dispose]();
  assert.throws(() => layer.runSync(input), { name: 'TypeError', code: 'ERR_INVALID_STATE' });
  await rejects(layer.run(input), 'ERR_INVALID_STATE');
  for (const output of await Promise.all(calls)) same(output, expected);
}
survived();
