// Calls are aborted before they start, while they are queued, while they run, and when they are over.
import {
  assert,
  copyOf,
  depthwiseConv2d,
  FILTER_SHAPE,
  heavy,
  SHAPE,
  same,
  sleep,
  survived,
  tensor,
} from './support/harness.mjs';

const filter = tensor(FILTER_SHAPE, 2);
const input = tensor(SHAPE);
const reason = new Error('mine');
const out = tensor(SHAPE, 9);
const before = copyOf(out);

// Before.
await assert.rejects(
  depthwiseConv2d(input, filter, { padding: 'same', out, signal: AbortSignal.abort(reason) }),
  reason,
);

const { layer, input: large } = heavy(1);
for (const delay of [0, 1, 50]) {
  const controller = new AbortController();
  const running = layer.run(large, { signal: controller.signal });
  const others = Array.from({ length: 10 }, () => layer.run(large, { signal: controller.signal }));
  const queued = depthwiseConv2d(input, filter, { padding: 'same', out, signal: controller.signal });
  queued.catch(() => {});
  const finished = Promise.allSettled([running, ...others]);
  if (delay) await sleep(delay);
  const start = performance.now();
  controller.abort(reason);
  for (const { status, reason: why } of await finished) {
    assert.equal(status, 'rejected');
    assert.equal(why, reason);
  }
  assert.ok(performance.now() - start < 200, `aborting took ${performance.now() - start} ms`);
  const settled = await queued.then(
    () => 'done',
    () => 'aborted',
  );
  if (settled === 'aborted') same(out, before, 'nothing is written');
  else out.data.set(before.data);
  // The threads are free again at once.
  const again = performance.now();
  await depthwiseConv2d(input, filter, { padding: 'same' });
  assert.ok(performance.now() - again < 200, `the next call took ${performance.now() - again} ms`);
}

// By a timeout.
await assert.rejects(layer.run(large, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });

// Afterwards, and never.
const controller = new AbortController();
const output = await depthwiseConv2d(input, filter, { padding: 'same', signal: controller.signal });
controller.abort();
const unaborted = await depthwiseConv2d(input, filter, { padding: 'same', signal: new AbortController().signal });
same(output, unaborted);
survived();
