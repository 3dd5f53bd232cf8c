// Worker threads: each has its own environment, all share the addon and its pool.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { DepthwiseConv2d, type Tensor } from '../lib/index.js';
import { expectSameBits } from './call.js';
import { numbersOf, randomNumbers, tensor } from './cases.js';

const channels = 48;
const next = numbersOf('uniform', randomNumbers(8));
const filter = tensor([5, 5, channels, 1], next);
const inputs = Array.from({ length: 4 }, () => tensor([60, 70, channels], next));
const layer = new DepthwiseConv2d(filter, { activation: 'gelu' });
const expected = inputs.map((input) => layer.runSync(input));
const root = new URL('..', import.meta.url);

const COMPUTE = `
  import { parentPort, workerData } from 'node:worker_threads';
  import { DepthwiseConv2d } from 'depthwise';
  const { filter, inputs } = workerData;
  const layer = new DepthwiseConv2d(filter, { activation: 'gelu' });
  const results = [];
  for (let round = 0; round < 5; round++) {
    results.push(...inputs.map((input) => layer.runSync(input)));
    results.push(...(await Promise.all(inputs.map((input) => layer.run(input)))));
  }
  parentPort.postMessage(results, results.map(({ data }) => data.buffer));
`;

const FOREVER = `
  import { parentPort } from 'node:worker_threads';
  import { Conv2d } from 'depthwise';
  const memory = new SharedArrayBuffer(4 * 256 * 256 * 64); // which calls don't copy
  const input = { data: new Float32Array(memory), shape: [256, 256, 64] };
  const layer = new Conv2d({ data: new Float32Array(31 * 31 * 64 * 64), shape: [31, 31, 64, 64] });
  for (let i = 0; i < 20; i++) layer.run(input);
  parentPort.postMessage('running');
`;

function start(code: string, workerData?: unknown): Worker {
  const url = new URL(`data:text/javascript,${encodeURIComponent(code.replaceAll("'depthwise'", `'${packageUrl}'`))}`);
  return new Worker(url, { workerData });
}

// A worker's data: URL has no folder from which 'depthwise' could be found.
const packageUrl = new URL('dist/index.js', root).href;

describe.each([1, 2, 5])('%i workers and the main thread at once', (count) => {
  test('all compute the same', async () => {
    const workers = Array.from({ length: count }, () => start(COMPUTE, { filter, inputs }));
    const ends = workers.map((worker) => once(worker, 'exit'));
    const messages = workers.map((worker) => once(worker, 'message') as Promise<[Tensor[]]>);
    const own = await Promise.all(inputs.map((input) => layer.run(input)));
    for (const results of [own, ...(await Promise.all(messages)).map(([message]) => message)]) {
      for (const [i, result] of results.entries()) expectSameBits(result, expected[i % inputs.length]!, `result ${i}`);
    }
    await Promise.all(ends);
  });
});

test('a worker is terminated in the midst of its calls, and others go on', async () => {
  const worker = start(FOREVER);
  await once(worker, 'message');
  const begin = performance.now();
  await worker.terminate();
  expect(performance.now() - begin).toBeLessThan(10_000);
  expectSameBits(await layer.run(inputs[0]!), expected[0]!, 'the next output');
});

test('workers come and go', async () => {
  for (let i = 0; i < 10; i++) {
    const worker = start(i % 2 === 0 ? FOREVER : COMPUTE, { filter, inputs: inputs.slice(0, 1) });
    await once(worker, 'message');
    await worker.terminate();
  }
  expectSameBits(layer.runSync(inputs[1]!), expected[1]!, 'the next output');
});

test('the addon may be loaded in workers alone, and outlives the last of them', async () => {
  const code = `
    import { Worker } from 'node:worker_threads';
    import { once } from 'node:events';
    const work = \`import { depthwiseConv2d } from '${packageUrl}';
      const image = { data: new Float32Array(256 * 256 * 8), shape: [256, 256, 8] };
      await depthwiseConv2d(image, { data: new Float32Array(9 * 8), shape: [3, 3, 8, 1] });\`;
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(work)));
      const [exitCode] = await once(worker, 'exit');
      if (exitCode !== 0) throw new Error('worker exited with ' + exitCode);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    console.log('survived');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
  });
  expect(stdout.trim()).toBe('survived');
});

test('a bad call in a worker is an error there', async () => {
  const worker = start(`import { conv2dSync } from 'depthwise'; conv2dSync({}, {});`);
  const [error] = (await once(worker, 'error')) as [Error & { code: string }];
  expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
});
