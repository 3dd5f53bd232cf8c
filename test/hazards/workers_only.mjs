// Only workers load the addon, and all of them end, with calls in flight: it must not be unloaded under its threads.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const source = `const { parentPort, workerData: library } = require('node:worker_threads');
import(library).then(async ({ Conv2d }) => {
  const layer = new Conv2d({ data: new Float32Array(9 * 64 * 64), shape: [3, 3, 64, 64] });
  const input = { data: new Float32Array(100 * 100 * 64), shape: [1, 100, 100, 64] };
  layer.runSync(input);
  await layer.run(input);
  for (let i = 0; i < 20; i++) layer.run(input);
  parentPort.postMessage('running');
});`;

for (let round = 0; round < 6; round++) {
  const workers = Array.from({ length: 1 + (round % 3) }, () => {
    return new Worker(source, { eval: true, workerData: process.env.DEPTHWISE_UNDER_TEST });
  });
  await Promise.all(
    workers.map(async (worker) => {
      await once(worker, 'message');
      await worker.terminate();
    }),
  );
  await sleep(round % 2 ? 100 : 0); // idle threads go to sleep, or are still awake
}
console.log('survived');
