// What runs after a call throws: the process's own handler sees it, other calls go on.
import { assert, DepthwiseConv2d, FILTER_SHAPE, SHAPE, sleep, survived, tensor } from './support/harness.mjs';

const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' });
const seen = [];
process.on('uncaughtException', (error) => seen.push(error.message));
let finished = 0;
for (let i = 0; i < 20; i++) {
  layer.run(tensor(SHAPE)).then(() => {
    finished++;
    queueMicrotask(() => {
      if (i % 2) throw new Error('from a microtask');
    });
  });
}
while (finished < 20 || seen.length < 10) await sleep(5);
assert.deepEqual(new Set(seen), new Set(['from a microtask']));
survived();
