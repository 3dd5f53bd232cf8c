// Workers are terminated, throw, exit or run out of memory at every phase: loading, packing, computing, aborting, delivering.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { assert, sleep, survived } from './support/harness.mjs';

const url = new URL('support/ending_worker.mjs', import.meta.url);
const phases = ['online', 'importing', 'imported', 'made', 'ran', 'in flight', 'delivered'];
async function terminate(phase, delay) {
  const worker = new Worker(url);
  if (phase === 'online') await once(worker, 'online');
  else await new Promise((resolve) => worker.on('message', (said) => said === phase && resolve()));
  if (delay) await sleep(delay);
  assert.equal(await worker.terminate(), 1);
}
for (const phase of phases) await Promise.all([0, 0, 1, 7].map((delay) => terminate(phase, delay)));

async function ends(workerData, resourceLimits) {
  const worker = new Worker(url, { workerData, resourceLimits });
  const errors = [];
  worker.on('error', (error) => errors.push(error.code ?? error.message));
  const code = await new Promise((resolve) => worker.on('exit', resolve)); // once() would reject with the error
  return [code, ...errors];
}
for (let round = 0; round < 3; round++) {
  assert.deepEqual(await ends('throws'), [1, 'on purpose']);
  assert.deepEqual(await ends('exits'), [3]);
  assert.deepEqual(await ends('fills its heap', { maxOldGenerationSizeMb: 32 }), [1, 'ERR_WORKER_OUT_OF_MEMORY']);
}
survived();
