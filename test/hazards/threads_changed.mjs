// The number of threads changes all the time while calls run.
import { Conv2d, depthwise, same, survived, tensor } from './support/harness.mjs';

const layer = new Conv2d(tensor([3, 3, 32, 32], 2), { padding: 'same' });
const input = tensor([1, 60, 60, 32]);
const expected = layer.runSync(input);
for (let round = 0; round < 60; round++) {
  const calls = [];
  for (const threads of [1, 7, 2, 64, 3, 1, 2]) {
    depthwise.setThreads(threads);
    calls.push(layer.run(input));
    same(layer.runSync(input), expected);
  }
  for (const output of await Promise.all(calls)) same(output, expected);
}
survived();
