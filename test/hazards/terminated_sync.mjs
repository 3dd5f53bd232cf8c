// worker.terminate() while the worker's own thread is in a synchronous call of many seconds: it doesn't wait for its end.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { assert, depthwise, library, sleep, survived, tensor } from './support/harness.mjs';

// 4 * 10^12 operations.
const filter = tensor([31, 31, 64, 64], 5);
const input = { data: new Float32Array(new SharedArrayBuffer(1000 * 512 * 64 * 4)), shape: [1, 1000, 512, 64] };
const source = `const { parentPort, workerData: { library, filter, input, how } } = require('node:worker_threads');
import(library).then(({ Conv2d, conv2dSync }) => {
  const layer = new Conv2d(filter, { padding: 'same' });
  parentPort.postMessage('running');
  how === 'layer' ? layer.runSync(input) : conv2dSync(input, filter, { padding: 'same' });
});`;
for (const [threads, how] of [1, 2, 3].flatMap((n) => ['layer', 'once'].map((how) => [n, how]))) {
  depthwise.setThreads(threads);
  const worker = new Worker(source, { eval: true, workerData: { library, filter, input, how } });
  await once(worker, 'message');
  await sleep(30);
  const start = performance.now();
  await worker.terminate();
  const time = performance.now() - start;
  assert.ok(time < 5000, `terminate() took ${time} ms`);
}
survived();
