// Inputs, outputs, layers and promises are dropped and collected while the calls they belong to run.
import {
  assert,
  collect,
  DepthwiseConv2d,
  FILTER_SHAPE,
  SHAPE,
  same,
  survived,
  tensor,
  tick,
} from './support/harness.mjs';

const expected = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' }).runSync(tensor(SHAPE));
const start = (out) =>
  new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' }).run(tensor(SHAPE), out && { out });

for (let round = 0; round < 30; round++) {
  const calls = [start(), start(tensor(SHAPE, 9)), start()];
  start(tensor(SHAPE, 9)); // nobody ever looks at this one
  collect();
  if (round % 3 === 0) await tick();
  collect();
  for (const output of await Promise.all(calls)) same(output, expected);
}

// A shared input lives as long as the call, even if the program has forgotten it.
const sharedRun = () => {
  const { data, shape } = tensor(SHAPE);
  const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
  shared.set(data);
  return new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' }).run({ data: shared, shape });
};
for (let round = 0; round < 30; round++) {
  const call = sharedRun();
  collect();
  same(await call, expected);
}

// And all of it can be collected afterwards.
let freed = 0;
const registry = new FinalizationRegistry(() => freed++);
for (let i = 0; i < 20; i++) {
  const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' });
  const output = await layer.run(tensor(SHAPE));
  registry.register(layer);
  registry.register(output.data);
}
for (let i = 0; i < 50 && freed < 36; i++) {
  collect();
  await tick();
}
assert.ok(freed >= 36, `only ${freed} of 40 layers and outputs were collected`);
survived();
