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
// How long terminate() takes here for a worker that has loaded the library and does nothing: more on a busy machine.
const idle = `const { parentPort, workerData: { library } } = require('node:worker_threads');
import(library).then(() => parentPort.postMessage('idle'));
setInterval(() => {}, 1000);`;
const times = [];
const idleTimes = [];
for (const threads of [1, 2, 2, 2, 2, 2, 2, 2]) {
  depthwise.setThreads(threads);
  for (const [program, list] of [
    [idle, idleTimes],
    [source, times],
  ]) {
    const worker = new Worker(program, { eval: true, workerData: { library, data: input.data, shape: input.shape } });
    await once(worker, 'message');
    const start = performance.now();
    await worker.terminate();
    list.push(performance.now() - start);
  }
}
const said = `terminate() took ${times.map((time) => time.toFixed(1))} ms, of idle workers ${idleTimes.map((time) => time.toFixed(1))} ms`;
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
assert.ok(median(times) < 50 + 4 * median(idleTimes), said);
assert.ok(Math.max(...times) < 500, said); // waiting for a call would take a second at least
survived();
