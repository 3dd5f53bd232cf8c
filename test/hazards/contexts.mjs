// AsyncLocalStorage and async_hooks see through calls, and the microtasks of a call run before the next one's.
import { AsyncLocalStorage, createHook, executionAsyncId } from 'node:async_hooks';
import { assert, DepthwiseConv2d, FILTER_SHAPE, SHAPE, survived, tensor, tick } from './support/harness.mjs';

const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' });
const input = tensor(SHAPE);
const storage = new AsyncLocalStorage();
await Promise.all(
  Array.from({ length: 200 }, (_, i) =>
    storage.run(i, async () => {
      await layer.run(input);
      assert.equal(storage.getStore(), i);
      await layer.run(input, { signal: new AbortController().signal });
      assert.equal(storage.getStore(), i);
    }),
  ),
);
assert.equal(storage.getStore(), undefined);

const created = new Map();
const seen = { before: 0, after: 0, destroy: 0 };
const hook = createHook({
  init: (id, type, trigger) => type === 'depthwise' && created.set(id, trigger),
  before: (id) => created.has(id) && seen.before++,
  after: (id) => created.has(id) && seen.after++,
  destroy: (id) => created.has(id) && seen.destroy++,
}).enable();
const here = executionAsyncId();
await Promise.all(Array.from({ length: 10 }, () => layer.run(input)));
await tick();
await tick();
hook.disable();
assert.deepEqual([...created.values()], Array(10).fill(here));
assert.deepEqual(seen, { before: 10, after: 10, destroy: 10 });
survived();
