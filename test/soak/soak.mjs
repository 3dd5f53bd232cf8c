// Months of a server's life in minutes: `npm run soak -- SECONDS`. Millions of small calls and thousands of big ones,
// synchronous and not, one-shots, layers made and dropped or disposed, aborted, failing, in workers that come and go. Memory,
// handles, threads and file descriptors must be after it what they were after its first tenth.
import { readdirSync } from 'node:fs';
import { setImmediate as tick } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const library = process.env.DEPTHWISE_UNDER_TEST ?? new URL('../../dist/index.js', import.meta.url).href;
const { Conv2d, DepthwiseConv2d, conv2d, depthwiseConv2d, depthwiseConv2dSync } = await import(library);
const seconds = Number(process.argv[2] ?? 300);

// What may come and go: the allocator's and V8's own slack.
const SLACK_MB = 48;

// Rounds that are needed to tell growth from warming up.
const MIN_SAMPLES = 20;

const tensor = (...shape) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), shape });
const small = { input: tensor(1, 7, 7, 16), filter: tensor(3, 3, 16, 1) };
const big = { input: tensor(1, 112, 112, 96), filter: tensor(3, 3, 96, 1) };
const dense = { input: tensor(1, 28, 28, 64), filter: tensor(3, 3, 64, 64) };
const same = { padding: 'same' };
const smallLayer = new DepthwiseConv2d(small.filter, same);
const bigLayer = new DepthwiseConv2d(big.filter, same);
const denseLayer = new Conv2d(dense.filter, same);
const smallOut = smallLayer.runSync(small.input);
const bigOut = bigLayer.runSync(big.input);
const bias = new Float32Array(64).fill(1);

const counts = { small: 0, big: 0, layers: 0, aborted: 0, failed: 0, workers: 0 };
const times = (n, body) => {
  for (let i = 0; i < n; i++) body(i);
};
const failing = async (promise) => {
  try {
    await promise;
    throw new Error('a call that should have failed is done');
  } catch (error) {
    if (!/^ERR_/.test(error.code)) throw error;
    counts.failed++;
  }
};
const aborting = async (promise) => {
  try {
    await promise;
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
    counts.aborted++;
  }
};
const detached = () => {
  const { data, shape } = tensor(1, 7, 7, 16);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return { data, shape };
};

const chores = [
  async function smallCalls() {
    times(20_000, () => smallLayer.runSync(small.input, { out: smallOut }));
    times(2000, () => smallLayer.runSync(small.input));
    times(1000, () => depthwiseConv2dSync(small.input, small.filter, same));
    for (let i = 0; i < 10; i++) {
      await Promise.all(Array.from({ length: 200 }, () => smallLayer.run(small.input)));
      await Promise.all(Array.from({ length: 50 }, () => depthwiseConv2d(small.input, small.filter, same)));
    }
    counts.small += 25_500;
  },
  async function bigCalls() {
    times(5, () => bigLayer.runSync(big.input, { out: bigOut }));
    times(3, () => bigLayer.runSync(big.input));
    await Promise.all(Array.from({ length: 8 }, () => bigLayer.run(big.input)));
    await Promise.all(Array.from({ length: 4 }, () => bigLayer.run(big.input, { out: bigOut })));
    await Promise.all(Array.from({ length: 4 }, () => conv2d(dense.input, dense.filter, { ...same, bias })));
    counts.big += 24;
  },
  async function layers() {
    times(200, () => new Conv2d(dense.filter, { ...same, bias }).runSync(dense.input));
    for (let i = 0; i < 50; i++) await new Conv2d(dense.filter, { activation: 'gelu' }).run(dense.input);
    times(200, () => {
      const layer = new DepthwiseConv2d(small.filter);
      layer.run(small.input);
      layer[Symbol.dispose]();
    });
    // A plan for each size of input.
    times(200, (i) => smallLayer.runSync(tensor(1, 3 + (i % 40), 5, 16)));
    counts.layers += 450;
  },
  async function aborts() {
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 20 }, () => aborting(denseLayer.run(dense.input, { signal })));
    await tick();
    controller.abort();
    calls.push(aborting(denseLayer.run(dense.input, { signal })));
    await Promise.all(calls);
    const long = new AbortController(); // one signal for many calls that are done before
    for (let i = 0; i < 100; i++) await smallLayer.run(small.input, { signal: long.signal });
  },
  async function failures() {
    for (let i = 0; i < 100; i++) {
      await failing(smallLayer.run(detached()));
      await failing(smallLayer.run(big.input));
      await failing(smallLayer.run(small.input, { stride: 2 }));
      await failing(smallLayer.run(small.input, { out: small.input }));
      await failing(depthwiseConv2d(small.input, small.filter, { padding: 2 ** 40 }));
      const out = tensor(1, 7, 7, 16);
      const call = smallLayer.run(small.input, { out });
      structuredClone(out.data.buffer, { transfer: [out.data.buffer] });
      await failing(call);
    }
  },
  async function workers() {
    const source = `const { workerData: [library, filter, input], parentPort } = require('node:worker_threads');
      import(library).then(async ({ Conv2d }) => {
        const layer = new Conv2d(filter, { padding: 'same' });
        await layer.run(input);
        for (let i = 0; i < 20; i++) layer.run(input);
        parentPort.postMessage('running');
      });`;
    const worker = new Worker(source, { eval: true, workerData: [library, dense.filter, dense.input] });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    counts.workers++;
  },
];

/** After a collection, and when the event loop has come to rest. */
async function footprint() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await tick();
  }
  const list = (path) => (process.platform === 'linux' ? readdirSync(path).length : 0);
  return {
    rss: process.memoryUsage.rss() / 2 ** 20,
    heap: process.memoryUsage().heapUsed / 2 ** 20,
    handles: process.getActiveResourcesInfo().length,
    threads: list('/proc/self/task'),
    files: list('/proc/self/fd'),
  };
}

const samples = [];
const start = performance.now();
const end = start + seconds * 1000;
let printed = 0;
while (performance.now() < end || samples.length < MIN_SAMPLES) {
  for (const chore of chores) await chore();
  const now = { at: (performance.now() - start) / 1000, ...(await footprint()) };
  samples.push(now);
  if (now.at > printed) {
    const { at, rss, heap, handles, threads, files } = now;
    console.log(
      `${at.toFixed(0).padStart(4)} s: RSS ${rss.toFixed(1)} MB, heap ${heap.toFixed(1)} MB, ${handles} handles, ` +
        `${threads} threads, ${files} files; ${Object.entries(counts)
          .map(([name, n]) => `${n} ${name}`)
          .join(', ')}`,
    );
    printed += seconds / 10;
  }
}

// The medians of two stretches: single samples go up and down with V8's heap.
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const tenth = Math.floor(samples.length / 10);
const early = samples.slice(tenth, 3 * tenth);
const late = samples.slice(-2 * tenth);
let isFlat = true;
for (const [name, slack] of Object.entries({ rss: SLACK_MB, heap: 2, handles: 0, threads: 0, files: 0 })) {
  const [before, after] = [early, late].map((stretch) => median(stretch.map((sample) => sample[name])));
  console.log(`${name}: ${before.toFixed(1)} -> ${after.toFixed(1)}`);
  if (after > before + slack) isFlat = false;
}
console.log(isFlat ? 'flat' : 'NOT FLAT');
process.exitCode = isFlat ? 0 : 1;
