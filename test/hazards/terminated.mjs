// worker.terminate() while the call of the worker runs for a second: it returns within 50 ms, again and again.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { assert, depthwise, heavy, library, survived } from './support/harness.mjs';

const { input } = heavy(1);
const source = `const { parentPort, workerData: { library, data, shape } } = require('node:worker_threads');
import(library).then(({ Conv2d }) => {
  const layer = new Conv2d({ data: new Float32Array(15 * 15 * 32 * 32), shape: [15, 15, 32, 32] }, { padding: 'same' });
  for (let i = 0; i < 3; i++) layer.run({ data, shape });
  parentPort.postMessage('running');
});`;
const times = [];
for (const threads of [1, 2, 2, 2, 2, 2, 2, 2]) {
  depthwise.setThreads(threads);
  const worker = new Worker(source, { eval: true, workerData: { library, data: input.data, shape: input.shape } });
  await once(worker, 'message');
  const start = performance.now();
  await worker.terminate();
  times.push(performance.now() - start);
}
const said = `terminate() took ${times.map((time) => time.toFixed(1))} ms`;
times.sort((a, b) => a - b);
assert.ok(times[times.length >> 1] < 50, said);
assert.ok(times.at(-1) < 300, said); // a machine that is busy with other things too
survived();
