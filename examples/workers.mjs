// node examples/workers.mjs
//
// Worker threads share one pool of threads, however many they are, and hand each other results without copying.
// (JavaScript, since Node.js runs a worker's file as it is.)
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { depthwiseConv2d, getThreads } from 'depthwise';

if (isMainThread) {
  console.log(`3 workers, threads in all: ${getThreads()}`);
  for (const { shape, data } of await Promise.all([1, 2, 3].map(blurredByWorker))) {
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    console.log(shape, 'mean', mean.toFixed(3));
  }
} else {
  const image = { data: new Float32Array(256 * 256 * 3).fill(workerData), shape: [256, 256, 3] };
  const filter = { data: new Float32Array(5 * 5 * 3).fill(1 / 25), shape: [5, 5, 3, 1] };
  const blurred = await depthwiseConv2d(image, filter);
  parentPort.postMessage(blurred, [blurred.data.buffer]);
}

function blurredByWorker(brightness) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: brightness });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
