// Processes are started while the pool works: by fork, exec and, synchronously, execFileSync; each child computes as well.
import { exec, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { assert, DepthwiseConv2d, FILTER_SHAPE, heavy, SHAPE, same, survived, tensor } from './support/harness.mjs';

const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2), { padding: 'same' });
const input = tensor(SHAPE);
if (process.send) {
  process.send((await layer.run(input)).data.slice(0, 100));
  process.disconnect();
} else {
  const expected = layer.runSync(input);
  const { layer: long, input: large } = heavy(0.3);
  for (let round = 0; round < 2; round++) {
    const running = long.run(large);
    const calls = Array.from({ length: 50 }, () => layer.run(input));
    const children = [fork(fileURLToPath(import.meta.url)), fork(fileURLToPath(import.meta.url))];
    const endings = children.map((child) => once(child, 'exit'));
    const messages = children.map((child) => once(child, 'message'));
    exec('exit 0');
    assert.equal(execFileSync('sh', ['-c', 'echo started'], { encoding: 'utf8' }), 'started\n');
    for (const output of await Promise.all(calls)) same(output, expected);
    for (const [numbers] of await Promise.all(messages)) {
      assert.deepEqual(Object.values(numbers), [...expected.data.subarray(0, 100)]);
    }
    for (const [code, signal] of await Promise.all(endings)) assert.deepEqual([code, signal], [0, null]);
    await running;
  }
  survived();
}
