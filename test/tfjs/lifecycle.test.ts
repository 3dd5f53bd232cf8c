import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DepthwiseBackend } from '../../lib/tfjs/backend.js';
import { groupedConv2d, kernelCalls } from '../../lib/tfjs/index.js';

// Packed filters and reused arrays must never show: not where tensors go, move, share their data, or are read.

beforeEach(async () => {
  await tf.setBackend('depthwise');
});

const random = (shape: number[], seed: number): tf.Tensor4D =>
  tf.randomUniform(shape as [number], -1, 1, 'float32', seed) as unknown as tf.Tensor4D;

const values = (t: tf.Tensor): number[] => Array.from(t.dataSync());

/** What tfjs's CPU backend computes for these numbers. */
async function onCpu(x: number[], xShape: number[], f: number[], fShape: number[]): Promise<number[]> {
  await tf.setBackend('cpu');
  const y = tf.tidy(() =>
    values(
      tf.conv2d(
        tf.tensor(x, xShape as [number]) as unknown as tf.Tensor4D,
        tf.tensor(f, fShape as [number]) as unknown as tf.Tensor4D,
        1,
        'same',
      ),
    ),
  );
  await tf.setBackend('depthwise');
  return y;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, 4);
}

describe('packed filters', () => {
  test('a filter that is disposed and made again with other values', () => {
    const x = random([1, 6, 6, 3], 1);
    for (let i = 0; i < 20; i++) {
      const f = random([3, 3, 3, 4], i);
      const y = tf.conv2d(x, f, 1, 'same');
      const negated = tf.conv2d(x, tf.neg(f), 1, 'same');
      expectClose(values(y), values(tf.neg(negated)));
      tf.dispose([f, y, negated]);
    }
  });

  test('clones and reshapes share data, and disposing one leaves the others', async () => {
    const x = random([1, 6, 6, 4], 1);
    const f = random([3, 3, 4, 4], 2);
    const wide = tf.reshape(f, [3, 3, 2, 8]) as tf.Tensor4D;
    const clone = tf.clone(f);
    const [xs, fs] = [values(x), values(f)];
    const expected = await onCpu(xs, [1, 6, 6, 4], fs, [3, 3, 4, 4]);
    const halves = tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, 2]);
    const expectedWide = await onCpu(values(halves), [1, 6, 6, 2], fs, [3, 3, 2, 8]);
    expectClose(values(tf.conv2d(x, f, 1, 'same')), expected);
    expectClose(values(tf.conv2d(halves, wide, 1, 'same')), expectedWide);
    f.dispose();
    expectClose(values(tf.conv2d(x, clone, 1, 'same')), expected);
    clone.dispose();
    expectClose(values(tf.conv2d(halves, wide, 1, 'same')), expectedWide);
    // The same data as a depthwise filter, as one with groups, and as a matrix.
    const depthwise = tf.reshape(wide, [3, 3, 4, 4]) as tf.Tensor4D;
    expect(tf.depthwiseConv2d(x, depthwise, 1, 'same').shape).toEqual([1, 6, 6, 16]);
    expect(groupedConv2d(x, wide, 1, 'same', 2).shape).toEqual([1, 6, 6, 8]);
    expect(tf.matMul(tf.reshape(halves, [36, 2]), tf.reshape(wide, [2, 72])).shape).toEqual([36, 72]);
  });

  test('many assignments of a variable, and of its bias', () => {
    const x = random([1, 4, 4, 2], 1);
    const f = tf.variable(random([3, 3, 2, 2], 2));
    const bias = tf.variable(tf.zeros([2]));
    for (let i = 1; i <= 10; i++) {
      const y = tf.fused.conv2d({ x, filter: f as unknown as tf.Tensor4D, strides: 1, pad: 'same', bias });
      const linear = tf.conv2d(x, f as unknown as tf.Tensor4D, 1, 'same');
      expectClose(values(y), values(tf.add(linear, bias)));
      f.assign(tf.add(f, 0.1));
      bias.assign(tf.add(bias, 1));
    }
  });

  test('a filter that moves between backends', async () => {
    const x = random([1, 6, 6, 3], 1);
    const f = random([3, 3, 3, 4], 2);
    const first = values(tf.conv2d(x, f, 1, 'same'));
    for (let i = 0; i < 3; i++) {
      await tf.setBackend('cpu');
      expectClose(values(tf.conv2d(x, f, 1, 'same')), first);
      await tf.setBackend('depthwise');
      expect(values(tf.conv2d(x, f, 1, 'same'))).toEqual(first);
    }
  });

  test('leave the cache with their tensor', () => {
    const backend = tf.backend() as DepthwiseBackend;
    const f = random([3, 3, 2, 2], 1);
    const { dataId } = f;
    tf.conv2d(random([1, 4, 4, 2], 2), f, 1, 'same');
    expect(backend.layers.has(dataId)).toBe(true);
    const clone = tf.clone(f);
    f.dispose();
    expect(backend.layers.has(dataId)).toBe(true);
    clone.dispose();
    expect(backend.layers.has(dataId)).toBe(false);
  });

  test('inside tf.tidy nothing stays', () => {
    const x = random([1, 6, 6, 3], 1);
    const before = tf.memory();
    for (let i = 0; i < 50; i++) tf.tidy(() => void tf.conv2d(x, random([3, 3, 3, 4], i), 1, 'same').dataSync());
    expect(tf.memory()).toEqual(before);
  });
});

describe('reused arrays', () => {
  test('what a user has read stays as it was', () => {
    const x = random([1, 8, 8, 4], 1);
    const f = random([3, 3, 4, 4], 2);
    const y = tf.conv2d(x, f, 1, 'same');
    const read = y.dataSync();
    const copy = Float32Array.from(read);
    y.dispose();
    for (let i = 0; i < 5; i++) tf.tidy(() => void tf.relu(tf.conv2d(tf.neg(x), f, 1, 'same')));
    expect(read).toEqual(copy);
  });

  test('views that tfjs makes stay as they were', () => {
    const y = tf.conv2d(random([1, 8, 8, 4], 1), random([3, 3, 4, 4], 2), 1, 'same');
    const rows = tf.slice(y, [0, 2, 0, 0], [1, 3, 8, 4]); // tfjs's CPU backend takes a subarray
    const clone = tf.clone(y);
    const [expected, whole] = [values(rows), values(clone)];
    y.dispose();
    for (let i = 0; i < 5; i++)
      tf.tidy(() => void tf.conv2d(random([1, 8, 8, 4], i), random([3, 3, 4, 4], 3), 1, 'same'));
    expect(values(rows)).toEqual(expected);
    expect(values(clone)).toEqual(whole);
  });

  test('a chain of every kernel of ours, in any order of disposal', () => {
    const run = (keep: boolean): number[] => {
      const x = random([1, 9, 9, 4], 1);
      const steps: tf.Tensor4D[] = [x];
      const next = (f: (t: tf.Tensor4D) => tf.Tensor): void => {
        steps.push(f(steps.at(-1)!) as tf.Tensor4D);
        if (!keep) steps.at(-2)!.dispose();
      };
      next((t) => tf.pad(t, [[0, 0], [0, 1], [2, 1], [0, 0]], 0.5)); // biome-ignore format: one line says it
      next((t) => tf.conv2d(t, random([3, 3, 4, 4], 2), 1, 'same'));
      next((t) => tf.relu6(t));
      next((t) => tf.add(t, tf.tensor1d([1, 2, 3, 4])));
      next((t) => tf.batchNorm(t, tf.ones([4]), tf.ones([4]), tf.ones([4]), tf.ones([4])));
      next((t) => tf.maxPool(t, 3, 2, 'same'));
      next((t) => tf.avgPool(t, 2, 1, 'same'));
      next((t) => tf.depthwiseConv2d(t, random([3, 3, 4, 2], 3), 1, 'same'));
      next((t) => tf.relu(t));
      next((t) => tf.softmax(tf.mean(t, [1, 2])));
      return values(steps.at(-1)!);
    };
    const expected = run(true);
    for (let i = 0; i < 3; i++) expect(run(false)).toEqual(expected);
  });

  test('a result that is read asynchronously', async () => {
    const y = tf.conv2d(random([1, 8, 8, 4], 1), random([3, 3, 4, 4], 2), 1, 'same');
    const promise = y.data();
    const expected = values(tf.clone(y));
    y.dispose();
    tf.tidy(() => void tf.conv2d(random([1, 8, 8, 4], 5), random([3, 3, 4, 4], 3), 1, 'same'));
    expect(Array.from(await promise)).toEqual(expected);
  });
});

describe('padding that is put off until somebody needs it', () => {
  const paddings: [number, number][] = [
    [0, 0],
    [1, 2],
    [0, 1],
    [0, 0],
  ];
  const filter = random([3, 3, 4, 2], 7);
  const conv = (t: tf.Tensor): tf.Tensor4D => tf.conv2d(t as tf.Tensor4D, filter, 2, 'same');
  /** A tensor that only our kernels have seen, and the same values from outside, which are padded at once. */
  const made = (): { ours: tf.Tensor4D; outside: tf.Tensor4D } => {
    const ours = tf.relu(random([2, 7, 6, 4], 5));
    const outside = tf.tensor(
      tf
        .relu(random([2, 7, 6, 4], 5))
        .dataSync()
        .slice(),
      [2, 7, 6, 4],
    ) as tf.Tensor4D;
    return { ours, outside };
  };

  test.each<[string, (x: tf.Tensor4D) => tf.Tensor]>([
    ['convolved', (x) => conv(tf.pad(x, paddings))],
    ['convolved twice', (x) => tf.tidy(() => ((p) => tf.add(conv(p), conv(p)))(tf.pad(x, paddings)))],
    ['depthwise', (x) => tf.depthwiseConv2d(tf.pad(x, paddings) as tf.Tensor4D, filter, [2, 1], 'valid')],
    ['with groups', (x) => groupedConv2d(tf.pad(x, paddings) as tf.Tensor4D, random([2, 3, 2, 6], 3), 2, 1, 2)],
    ['read', (x) => tf.tensor(tf.pad(x, paddings).dataSync().slice())],
    ['sliced', (x) => tf.slice(tf.pad(x, paddings), [0, 1, 2, 0], [2, 8, 4, 3])],
    ['padded again', (x) => conv(tf.pad(tf.pad(x, paddings), paddings))],
    ['as another shape', (x) => conv(tf.reshape(tf.pad(x, paddings), [2, 7, 10, 4]))],
    [
      'cloned, with the first gone',
      (x) => {
        const p = tf.pad(x, paddings);
        const clone = tf.clone(p);
        p.dispose();
        return conv(clone);
      },
    ],
    [
      'convolved, then read',
      (x) => {
        const p = tf.pad(x, paddings);
        return tf.concat([tf.reshape(conv(p), [-1]), tf.reshape(p, [-1]), tf.reshape(conv(p), [-1])]);
      },
    ],
    [
      'with its source gone and its array wanted',
      (x) => {
        const p = tf.pad(x, paddings);
        x.dispose();
        for (let i = 0; i < 3; i++) tf.tidy(() => void tf.relu(random([2, 7, 6, 4], i)));
        return tf.add(conv(p), conv(tf.neg(tf.neg(p))));
      },
    ],
    [
      'with channels padded, too',
      (x) =>
        tf.conv2d(
          tf.pad(x, [
            [0, 0],
            [1, 1],
            [1, 1],
            [1, 2],
          ]) as tf.Tensor4D,
          random([3, 3, 7, 2], 1),
          1,
          'valid',
        ),
    ],
  ])('%s', (_, use) => {
    const { ours, outside } = made();
    expectClose(values(use(ours)), values(use(outside)));
  });

  test('moves to another backend', async () => {
    const { ours, outside } = made();
    const [a, b] = [tf.pad(ours, paddings), tf.pad(outside, paddings)];
    ours.dispose();
    await tf.setBackend('cpu');
    expect(values(tf.neg(a))).toEqual(values(tf.neg(b)));
  });

  test('leaves nothing behind', () => {
    const before = tf.memory();
    for (let i = 0; i < 10; i++) {
      const { ours, outside } = made();
      const p = tf.pad(ours, paddings);
      ours.dispose();
      if (i % 2 === 0) conv(p).dispose();
      tf.dispose([p, outside]);
    }
    // `made` leaves a random tensor and two of its values in each round.
    expect(tf.memory().numDataBuffers - before.numDataBuffers).toBe(10 * 3);
  });
});

test('setBackend twice and back and forth', async () => {
  expect(await tf.setBackend('depthwise')).toBe(true);
  expect(await tf.setBackend('depthwise')).toBe(true);
  const y = tf.conv2d(random([1, 5, 5, 2], 1), random([3, 3, 2, 2], 2), 1, 'same');
  const before = kernelCalls.get('Add') ?? 0;
  await tf.setBackend('cpu');
  const doubled = tf.add(y, y);
  expect(kernelCalls.get('Add') ?? 0).toBe(before);
  await tf.setBackend('depthwise');
  expectClose(values(tf.add(doubled, tf.neg(y))), values(y));
});

test('what a disposed tensor says is what tfjs says', async () => {
  const message = async (backend: string): Promise<string[]> => {
    await tf.setBackend(backend);
    const y = tf.conv2d(random([1, 5, 5, 2], 1), random([3, 3, 2, 2], 2), 1, 'same');
    y.dispose();
    return [() => y.dataSync(), () => tf.relu(y), () => tf.add(y, y), () => tf.maxPool(y, 2, 2, 'same')].map((use) => {
      try {
        use();
        return 'nothing';
      } catch (error) {
        return (error as Error).message;
      }
    });
  };
  expect(await message('depthwise')).toEqual(await message('cpu'));
});

test('a model in worker threads, which end', async () => {
  const run = (): Promise<{ output: Float32Array; calls: number }> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('model_worker.mjs', import.meta.url));
      worker.once('message', resolve).once('error', reject);
    });
  for (const { output, calls } of await Promise.all([run(), run(), run()])) {
    expect(new Set(output)).toEqual(new Set([9]));
    expect(calls).toBe(1);
  }
});

test('tf.engine().reset() starts anew', async () => {
  tf.conv2d(random([1, 5, 5, 2], 1), random([3, 3, 2, 2], 2), 1, 'same');
  tf.engine().reset();
  await tf.setBackend('depthwise');
  const y = tf.conv2d(tf.ones([1, 5, 5, 2]) as tf.Tensor4D, tf.ones([3, 3, 2, 2]), 1, 'valid');
  expect(new Set(values(y))).toEqual(new Set([18]));
  expect(tf.memory().numTensors).toBe(3);
});
