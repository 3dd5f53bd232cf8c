// A worker that goes through all phases of the library's life again and again, and says which; see worker_phases.mjs.
import { parentPort, workerData } from 'node:worker_threads';

const say = (phase) => parentPort.postMessage(phase);
say('importing');
const { Conv2d, conv2d, conv2dSync } = await import(process.env.DEPTHWISE_UNDER_TEST);
say('imported');
const filter = { data: new Float32Array(9 * 32 * 32), shape: [3, 3, 32, 32] };
const input = { data: new Float32Array(64 * 64 * 32), shape: [1, 64, 64, 32] };
for (let round = 0; ; round++) {
  const layer = new Conv2d(filter, { padding: 'same' });
  if (round === 0) say('made');
  layer.runSync(input);
  if (round === 0) say('ran');
  const controller = new AbortController();
  const calls = Array.from({ length: 10 }, () => layer.run(input, { signal: controller.signal }));
  calls.push(layer.run(input, { out: { data: new Float32Array(64 * 64 * 32), shape: [1, 64, 64, 32] } }));
  calls.push(conv2d(input, filter));
  if (round === 0) say('in flight');
  conv2dSync(input, filter);
  if (round % 2) controller.abort();
  if (round % 3) layer[Symbol.dispose]();
  if (round === 0 && workerData === 'throws') throw new Error('on purpose');
  if (round === 0 && workerData === 'fills its heap') for (const all = []; ; ) all.push(new Array(1000).fill(round));
  await Promise.allSettled(calls);
  if (round === 0) say('delivered');
  if (round === 0 && workerData === 'exits') process.exit(3);
}
