// Layers are made and dropped in one turn of the event loop, in which Node calls no finalizer: what they held is freed.
import {
  assert,
  Conv2d,
  collect,
  DepthwiseConv2d,
  FILTER_SHAPE,
  SHAPE,
  same,
  survived,
  tensor,
  tick,
} from './support/harness.mjs';

const input = tensor(SHAPE);
const expected = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' }).runSync(input);
const kept = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' });

// Half a megabyte each, and as much again for the packing: 1 GB in all.
const large = tensor([3, 3, 128, 128], 3);
const small = tensor([1, 4, 4, 128], 4);
const output = new Conv2d(large).runSync(small);
const before = process.memoryUsage.rss();
let running;
for (let i = 0; i < 1000; i++) {
  const layer = new Conv2d(large);
  same(layer.runSync(small), output);
  if (i % 250 === 125) running = layer.run(small);
  if (i % 3 === 0) layer[Symbol.dispose]();
  if (i % 250 === 249) {
    const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
    assert.ok(grown < 600, `${grown.toFixed()} MB more after ${i + 1} layers`);
  }
}
same(await running, output);

// Of plans as well: one for each size of the input.
for (let i = 0; i < 2000; i++) kept.outputShape([1, 3 + (i % 50), 3, 32]) && kept.explain([1, 3 + (i % 50), 3, 32]);
same(kept.runSync(input), expected);
collect();
await tick();
collect();
await tick();
same(await kept.run(input), expected);
survived();
