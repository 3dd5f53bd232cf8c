// What a program may do to its buffers while an asynchronous call reads them.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Conv2d, DepthwiseConv2d, depthwiseConv2d, getThreads, setThreads, type Tensor } from '../lib/index.js';
import { expectSameBits } from './call.js';
import { numbersOf, randomNumbers, tensor } from './cases.js';

const threads = getThreads();
beforeEach(() => setThreads(1));
afterEach(() => setThreads(threads));

const channels = 64;
const next = numbersOf('uniform', randomNumbers(3));
// Some milliseconds on any machine, more than is computed as it is made: what follows the call comes while it runs.
const layer = new Conv2d(tensor([3, 3, channels, channels], next), { padding: 'same' });
const fresh = (): Tensor => ({ data: Float32Array.from(SAMPLE.data), shape: SAMPLE.shape });
const SAMPLE = tensor([2, 96, 96, channels], next);
const EXPECTED = layer.runSync(SAMPLE);

/** Counts the turns of the event loop, until it is stopped. */
function countTurns(): { readonly count: number; stop(): number } {
  let count = 0;
  let next: NodeJS.Immediate;
  const wait = () => {
    next = setImmediate(() => {
      count++;
      wait();
    });
  };
  wait();
  return {
    get count() {
      return count;
    },
    stop() {
      clearImmediate(next);
      return count;
    },
  };
}

describe('while it runs', () => {
  test('the input may be overwritten', async () => {
    const input = fresh();
    const pending = layer.run(input);
    input.data.fill(Number.NaN);
    expectSameBits(await pending, EXPECTED, 'the output');
  });

  test('the input may be transferred', async () => {
    const input = fresh();
    const pending = layer.run(input);
    structuredClone(input.data, { transfer: [input.data.buffer as ArrayBuffer] });
    expect(input.data.length).toBe(0);
    expectSameBits(await pending, EXPECTED, 'the output');
  });

  test('a resizable input may shrink', async () => {
    const bytes = SAMPLE.data.byteLength;
    const buffer = resizable(bytes);
    const input = { data: new Float32Array(buffer), shape: SAMPLE.shape };
    input.data.set(SAMPLE.data);
    const pending = layer.run(input);
    buffer.resize(0);
    expectSameBits(await pending, EXPECTED, 'the output');
  });

  test('the filter and the bias of a one-shot call may be overwritten and transferred', async () => {
    const filter = tensor([7, 7, channels, 1], next);
    const bias = tensor([channels], next).data;
    const options = { padding: 'same', bias } as const;
    const expected = new DepthwiseConv2d(filter, options).runSync(SAMPLE);
    const pending = depthwiseConv2d(SAMPLE, filter, options);
    bias.fill(Number.NaN);
    structuredClone(filter.data, { transfer: [filter.data.buffer as ArrayBuffer] });
    expectSameBits(await pending, expected, 'the output');
  });

  test('the layer may be forgotten', async () => {
    let forgotten: DepthwiseConv2d | undefined = new DepthwiseConv2d(tensor([7, 7, channels, 1], next));
    const expected = forgotten.runSync(SAMPLE);
    const pending = forgotten.run(SAMPLE);
    forgotten = undefined;
    for (let i = 0; i < 20; i++) new Float32Array(1e6).fill(i);
    expectSameBits(await pending, expected, 'the output');
  });

  test('the JavaScript thread is free', async () => {
    const turns = countTurns();
    await layer.run(SAMPLE);
    expect(turns.stop()).toBeGreaterThan(3);
  });

  test('the threads of libuv are free', async () => {
    const pending = Array.from({ length: 16 }, () => layer.run(SAMPLE));
    let isDone = false;
    const all = Promise.all(pending).then(() => {
      isDone = true;
    });
    await readFile(new URL(import.meta.url));
    expect(isDone).toBe(false);
    await all;
  });
});

describe('a call so small that it is computed as it is made', () => {
  const small = new DepthwiseConv2d(tensor([3, 3, channels, 1], next), { padding: 'same' });
  const sample = tensor([1, 20, 20, channels], next);
  const expected = small.runSync(sample);

  test('reads its input and writes its out like any other', async () => {
    const input = { data: Float32Array.from(sample.data), shape: sample.shape };
    const out = { data: new Float32Array(expected.data.length).fill(7), shape: expected.shape };
    const pending = small.run(input, { out });
    expect(out.data[0]).toBe(7);
    input.data.fill(Number.NaN);
    structuredClone(input.data, { transfer: [input.data.buffer as ArrayBuffer] });
    expect(await pending).toBe(out);
    expectSameBits(out, expected, 'the output');
  });

  test('writes nothing where its out was transferred meanwhile', async () => {
    const out = { data: new Float32Array(expected.data.length).fill(7), shape: expected.shape };
    const pending = small.run(sample, { out });
    const moved = structuredClone(out.data, { transfer: [out.data.buffer as ArrayBuffer] });
    await expect(pending).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
    expect(moved.every((x) => x === 7)).toBe(true);
  });

  test('is aborted until it has settled', async () => {
    const controller = new AbortController();
    const pending = small.run(sample, { signal: controller.signal });
    controller.abort();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('leaves the event loop its turns, however many follow one another', async () => {
    const turns = countTurns();
    for (let i = 0; turns.count < 5; i++) {
      expect(i).toBeLessThan(100_000);
      await small.run(sample);
    }
    turns.stop();
  });

  test('is the same by the pool, which takes those that are under way together', async () => {
    const outputs = await Promise.all(Array.from({ length: 20 }, () => small.run(sample)));
    for (const output of outputs) expectSameBits(output, expected, 'the output');
  });
});

describe('an out', () => {
  const makeOut = (): Tensor => ({ data: new Float32Array(EXPECTED.data.length).fill(7), shape: EXPECTED.shape });

  test('is written at the end and not before', async () => {
    const out = makeOut();
    const pending = layer.run(SAMPLE, { out });
    // The pool computes meanwhile; what it found waits for a turn of the event loop.
    for (const end = performance.now() + 50; performance.now() < end; );
    expect(out.data.every((value) => value === 7)).toBe(true);
    expect(await pending).toBe(out);
    expectSameBits(out, EXPECTED, 'out');
  });

  test('that was transferred rejects', async () => {
    const out = makeOut();
    const pending = layer.run(SAMPLE, { out });
    const moved = structuredClone(out.data, { transfer: [out.data.buffer as ArrayBuffer] });
    await expect(pending).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_STATE' });
    expect(moved.every((value) => value === 7)).toBe(true);
  });

  test('that shrank rejects and is left as it is', async () => {
    const bytes = EXPECTED.data.byteLength;
    const buffer = resizable(bytes);
    const out = { data: new Float32Array(buffer), shape: EXPECTED.shape };
    const pending = layer.run(SAMPLE, { out });
    buffer.resize(bytes - 4);
    await expect(pending).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_STATE' });
    expect(new Float32Array(buffer).every((value) => value === 0)).toBe(true);
  });
});

test('shared memory is read and written in place', async () => {
  const share = (data: Float32Array) => {
    const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
    shared.set(data);
    return shared;
  };
  const input = { data: share(SAMPLE.data), shape: SAMPLE.shape };
  const out = { data: share(new Float32Array(EXPECTED.data.length)), shape: EXPECTED.shape };
  expect(await layer.run(input, { out })).toBe(out);
  expectSameBits(out, EXPECTED, 'out');
});

describe('a process', () => {
  const run = (code: string) => {
    const source = `import { depthwiseConv2d } from 'depthwise';
      const input = { data: new Float32Array(64 * 1024 * 64).fill(1), shape: [64, 1024, 64] };
      const filter = { data: new Float32Array(15 * 15 * 64).fill(1), shape: [15, 15, 64, 1] };
      ${code}`;
    const args = ['--input-type=module', '--eval', source];
    return promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) });
  };

  test('stays until its calls are done', async () => {
    const { stdout } = await run('depthwiseConv2d(input, filter).then(({ data }) => console.log(data[0]));');
    expect(stdout.trim()).toBe('225');
  });

  test('may exit before', async () => {
    const { stdout } =
      await run(`for (let i = 0; i < 4; i++) depthwiseConv2d(input, filter).then(() => console.log('done'));
      setTimeout(() => process.exit(), 1);`);
    expect(stdout).toBe('');
  });

  test('may die of an exception before', async () => {
    const failure = run(`depthwiseConv2d(input, filter); setTimeout(() => { throw new Error('unrelated'); }, 5);`);
    await expect(failure).rejects.toMatchObject({
      code: 1,
      signal: null,
      stderr: expect.stringContaining('unrelated'),
    });
  });
});

/** What Node 20 has and its types don't know yet. */
function resizable(length: number): ArrayBuffer & { resize(length: number): void } {
  return Reflect.construct(ArrayBuffer, [length, { maxByteLength: length }]);
}
