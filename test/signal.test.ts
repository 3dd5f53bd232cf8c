// A signal stops what it can, and leaves no traces.
import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Conv2d, conv2d, DepthwiseConv2d, depthwiseConv2d, getThreads, setThreads, type Tensor } from '../lib/index.js';
import { numbersOf, randomNumbers, tensor } from './cases.js';

const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

const channels = 128;
const next = numbersOf('uniform', randomNumbers(4));
const filter = tensor([3, 3, channels, channels], next);
const layer = new Conv2d(filter, { padding: 'same' });
// Minutes of work, if it were not aborted.
const huge: Tensor = {
  data: new Float32Array(new SharedArrayBuffer(4 * 400 * 256 * channels)),
  shape: [400, 256, channels],
};
const small = tensor([8, 8, channels], next);
const forever = (options: { signal?: AbortSignal; out?: Tensor }) => endless.run(huge, options);
const endless = new Conv2d(tensor([15, 15, channels, channels], next), { padding: 'same' });

test('aborted before: rejects with the reason, and nothing runs', async () => {
  const reason = new Error('changed my mind');
  const signal = AbortSignal.abort(reason);
  await expect(forever({ signal })).rejects.toBe(reason);
  await expect(conv2d(small, filter, { signal })).rejects.toBe(reason);
  const depthwiseFilter = tensor([3, 3, channels, 1], next);
  await expect(depthwiseConv2d(small, depthwiseFilter, { signal })).rejects.toBe(reason);
  await expect(new DepthwiseConv2d(depthwiseFilter).run(small, { signal })).rejects.toBe(reason);
});

test('aborted while it runs: rejects at once, and out is never written', async () => {
  const controller = new AbortController();
  const out = { data: new Float32Array(huge.data.length).fill(7), shape: huge.shape };
  const pending = forever({ signal: controller.signal, out });
  const reason = { any: 'value' };
  setTimeout(() => controller.abort(reason), 10);
  await expect(pending).rejects.toBe(reason);
  // The pool is free again: what comes after does not wait for what was aborted.
  const begin = performance.now();
  await layer.run(small);
  expect(performance.now() - begin).toBeLessThan(10_000);
  expect(out.data.every((value) => value === 7)).toBe(true);
});

test('one signal for many calls, running and queued', async () => {
  const warned = vi.fn();
  process.once('warning', warned);
  const controller = new AbortController();
  const pending = Array.from({ length: 30 }, () => forever({ signal: controller.signal }));
  setTimeout(() => controller.abort(), 10);
  for (const { status, reason } of (await Promise.allSettled(pending)) as PromiseRejectedResult[]) {
    expect(status).toBe('rejected');
    expect(reason).toBe(controller.signal.reason);
  }
  expect(controller.signal.reason).toMatchObject({ name: 'AbortError' });
  const expected = layer.runSync(small);
  expect((await layer.run(small)).data).toEqual(expected.data);
  // Node warns, as of a leak, where a signal has more than ten listeners.
  expect(warned).not.toHaveBeenCalled();
});

test('a timeout is a signal', async () => {
  await expect(forever({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('without an abort it changes nothing and no listener is left', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const expected = layer.runSync(small);
  const results = await Promise.all(Array.from({ length: 20 }, () => layer.run(small, { signal })));
  expect(results.every(({ data }) => Buffer.from(data.buffer).equals(Buffer.from(expected.data.buffer)))).toBe(true);
  await expect(layer.run({ ...small, shape: [1] }, { signal })).rejects.toMatchObject({ name: 'RangeError' });
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  controller.abort();
});

test('a rejection that a program handles later is not an unhandled one until then', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  const controller = new AbortController();
  const pending = forever({ signal: controller.signal });
  const handled = pending.catch((error: Error) => error.name);
  controller.abort();
  expect(await handled).toBe('AbortError');
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
