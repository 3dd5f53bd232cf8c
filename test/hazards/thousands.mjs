// Thousands of calls at once, of layers, one-shots, every size, aborted and not.
import { assert, DepthwiseConv2d, depthwiseConv2d, FILTER_SHAPE, same, survived, tensor } from './support/harness.mjs';

const filter = tensor(FILTER_SHAPE, 2);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const inputs = [1, 3, 8, 20].map((side) => tensor([1, side, side, 32], side));
const expected = inputs.map((input) => layer.runSync(input));

const outcomes = [];
let aborted = 0;
for (let i = 0; i < 6000; i++) {
  const which = i % inputs.length;
  const controller = new AbortController();
  const call =
    i % 3 === 0
      ? depthwiseConv2d(inputs[which], filter, { padding: 'same', signal: controller.signal })
      : layer.run(inputs[which], { signal: controller.signal });
  outcomes.push(
    call.then(
      (output) => same(output, expected[which]),
      (error) => {
        assert.equal(error.name, 'AbortError');
        aborted++;
      },
    ),
  );
  if (i % 5 === 0) controller.abort();
}
await Promise.all(outcomes);
assert.equal(aborted, 1200);
survived();
