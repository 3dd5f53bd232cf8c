// The main thread and eight workers use the library at once; some end by themselves, some are terminated, twice.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  assert,
  DepthwiseConv2d,
  depthwise,
  FILTER_SHAPE,
  library,
  SHAPE,
  same,
  survived,
  tensor,
} from './support/harness.mjs';

const filter = tensor(FILTER_SHAPE, 2);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const input = tensor(SHAPE);
const expected = layer.runSync(input);

const source = `const { parentPort, workerData: { library, filter, input, how } } = require('node:worker_threads');
import(library).then(async ({ DepthwiseConv2d, depthwiseConv2d }) => {
  const layer = new DepthwiseConv2d(filter, { padding: 'same' });
  for (let i = 0; i < 40; i++) {
    layer.runSync(input);
    await Promise.all([layer.run(input), depthwiseConv2d(input, filter, { padding: 'same' })]);
  }
  parentPort.postMessage(await layer.run(input));
  if (how !== 'ends') for (let i = 0; i < 100; i++) layer.run(input);
  if (how === 'exits') process.exit(0);
});`;

for (let round = 0; round < 3; round++) {
  const workers = Array.from({ length: 8 }, (_, i) => {
    const how = ['ends', 'exits', 'terminated'][i % 3];
    return { how, worker: new Worker(source, { eval: true, workerData: { library, filter, input, how } }) };
  });
  const mine = (async () => {
    for (let i = 0; i < 100; i++) {
      depthwise.setThreads(1 + (i % 4));
      same(await layer.run(input), expected);
      same(layer.runSync(input), expected);
    }
  })();
  await Promise.all(
    workers.map(async ({ how, worker }) => {
      const exited = once(worker, 'exit');
      const [output] = await once(worker, 'message');
      same(output, expected);
      if (how === 'terminated') await Promise.all([worker.terminate(), worker.terminate()]);
      const [code] = await exited;
      assert.equal(code, how === 'terminated' ? 1 : 0);
    }),
  );
  await mine;
}
survived();
