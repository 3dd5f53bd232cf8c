// Signals that aren't what they seem: objects of the program's own, that throw, lie, or abort as they are looked at.
import {
  assert,
  copyOf,
  DepthwiseConv2d,
  depthwiseConv2d,
  FILTER_SHAPE,
  SHAPE,
  same,
  survived,
  tensor,
  tick,
} from './support/harness.mjs';

process.on('uncaughtException', (error) => {
  console.error('uncaught', error);
  process.exit(9);
});

const filter = tensor(FILTER_SHAPE, 2);
const layer = new DepthwiseConv2d(filter, { padding: 'same' });
const input = tensor(SHAPE);
const expected = layer.runSync(input);
const boom = () => {
  throw new Error('boom');
};
const fake = (properties) => ({ aborted: false, addEventListener() {}, removeEventListener() {}, ...properties });
const coded = (error) => /^ERR_/.test(error.code);
const ways = [
  (signal) => layer.run(input, { signal }),
  (signal) => depthwiseConv2d(input, filter, { padding: 'same', signal }),
];

for (const call of ways) {
  // Refused, and the call isn't left running behind.
  await assert.rejects(call(fake({ addEventListener: boom })), coded);
  await assert.rejects(call({ ...fake(), get aborted() { return boom(); } }), coded); // biome-ignore format: short
  await assert.rejects(call(new Proxy({}, { get: boom })), coded);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const none of [proxy, null, true, 'signal', {}, new AbortController(), () => {}, fake({ aborted: 'no' })]) {
    await assert.rejects(call(none), coded);
  }

  // Served.
  same(await call(fake({ removeEventListener: boom })), expected);
  same(await call(fake({ removeEventListener: undefined })), expected);
  same(await call(Object.freeze(fake())), expected);

  // Aborted without a reason, with one that can't be read, and with any value.
  await assert.rejects(call(fake({ aborted: true })), { name: 'AbortError' });
  const unreadable = new Error('no reason');
  await assert.rejects(
    call({
      ...fake({ aborted: true }),
      get reason() {
        throw unreadable;
      },
    }),
    unreadable,
  );
  for (const reason of [0, null, '', 'text', Symbol('reason'), {}, Promise.resolve(1)]) {
    const [{ reason: got }] = await Promise.allSettled([call(AbortSignal.abort(reason))]);
    assert.equal(got, reason);
    const controller = new AbortController();
    const running = Promise.allSettled([call(controller.signal)]);
    controller.abort(reason);
    assert.equal((await running)[0].reason, reason);
  }

  // Aborted as it is listened to, twice, or by the one who listens as well.
  await assert.rejects(
    call(
      fake({
        addEventListener(_, listener) {
          listener();
          listener();
        },
      }),
    ),
    { name: 'AbortError' },
  );
  let listener;
  const late = fake({ addEventListener: (_, given) => (listener = given) });
  const running = call(late);
  listener();
  listener();
  await assert.rejects(running, { name: 'AbortError' });
  listener();
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [call(signal), call(signal)];
  signal.addEventListener('abort', () => calls.push(call(signal)));
  controller.abort();
  for (const { status } of await Promise.allSettled(calls)) assert.equal(status, 'rejected');

  // A real signal whose reason was replaced by a getter that throws: every call that it was given to hears of it.
  const sly = new AbortController();
  Object.defineProperty(sly.signal, 'reason', { get: boom });
  const all = Array.from({ length: 5 }, () => call(sly.signal));
  sly.abort();
  for (const { reason } of await Promise.allSettled(all)) assert.equal(reason.message, 'boom');
}

// Aborted by a getter of the options that are read after it.
const controller = new AbortController();
const out = tensor(SHAPE, 9);
const before = copyOf(out);
const options = {
  out,
  signal: controller.signal,
  get padding() {
    controller.abort();
    return 'same';
  },
};
await assert.rejects(depthwiseConv2d(input, filter, options), { name: 'AbortError' });
await tick();
same(out, before, 'nothing is written');
survived();
