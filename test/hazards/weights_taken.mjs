// Filter, bias and prelu's alpha are transferred or overwritten while calls run that were given them.
import {
  copyOf,
  DepthwiseConv2d,
  depthwiseConv2d,
  FILTER_SHAPE,
  fill,
  SHAPE,
  same,
  survived,
  tensor,
} from './support/harness.mjs';

const input = tensor(SHAPE);
const make = () => ({
  filter: tensor(FILTER_SHAPE, 2),
  bias: fill(new Float32Array(32), 3),
  alpha: fill(new Float32Array(32), 4),
});
const options = ({ bias, alpha }) => ({ padding: 'same', bias, activation: { type: 'prelu', alpha } });
const first = make();
const expected = copyOf(new DepthwiseConv2d(first.filter, options(first)).runSync(input));

const transfer = (array) => structuredClone(array.buffer, { transfer: [array.buffer] });
const overwrite = (array) => array.fill(Number.NaN);
for (const take of [transfer, overwrite]) {
  for (const which of ['filter', 'bias', 'alpha']) {
    const takeFrom = (weights) => take(which === 'filter' ? weights.filter.data : weights[which]);

    const once = make();
    const calls = Array.from({ length: 20 }, () => depthwiseConv2d(input, once.filter, options(once)));
    takeFrom(once);
    for (const output of await Promise.all(calls)) same(output, expected, `one-shot, ${which}`);

    const kept = make();
    const layer = new DepthwiseConv2d(kept.filter, options(kept));
    takeFrom(kept);
    same(await layer.run(input), expected, `layer, ${which}`);
    same(layer.runSync(input), expected, `layer, ${which}, sync`);
  }
}
survived();
