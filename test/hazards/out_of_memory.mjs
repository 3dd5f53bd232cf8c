// Memory that can't be had: absurd shapes, and a limit on the address space that stops the addon's own allocations.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  assert,
  Conv2d,
  conv2d,
  conv2dSync,
  DepthwiseConv2d,
  depthwiseConv2d,
  rejects,
  survived,
  tensor,
} from './support/harness.mjs';

const refused = (error) =>
  error instanceof RangeError && ['ERR_OUT_OF_MEMORY', 'ERR_OUT_OF_RANGE'].includes(error.code);
const one = { data: Float32Array.of(1), shape: [1, 1, 1, 1] };
for (const padding of [2 ** 20, 2 ** 24, 2 ** 31, 2 ** 40, 2 ** 52]) {
  assert.throws(() => conv2dSync(one, one, { padding: [padding, padding] }), refused, `padding ${padding}`);
  await assert.rejects(conv2d(one, one, { padding: [padding, padding] }), refused, `padding ${padding}`);
  const layer = new Conv2d(one, { padding });
  await assert.rejects(layer.run(one), refused, `padding ${padding}`);
}

if (process.platform === 'linux') {
  // Arrays so large that what is a little less leaves V8 all it needs for itself: it dies where it can't grow its own
  // heap. A thread of its that allocates for the first time takes 128 MiB of addresses.
  const side = 2048;
  const shape = [1, side, side, 16];
  const layer = new DepthwiseConv2d(tensor([3, 3, 16, 1], 2), { padding: 'same' });
  const filter = tensor([3, 3, 16, 1], 2);
  const input = { data: new Float32Array(side * side * 16), shape };
  const out = { data: new Float32Array(side * side * 16), shape };
  layer.runSync(input, { out });
  out.data.fill(5);
  const { out: _ } = await Promise.race([layer.run(tensor([1, 8, 8, 16])), new Promise(() => {})]);

  const kilobytes = Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), `--as=${bytes}:unlimited`]);
  limit(kilobytes * 1024 + (7 / 8) * input.data.byteLength);
  try {
    for (let i = 0; i < 3; i++) {
      await rejects(layer.run(input, { out }), 'ERR_OUT_OF_MEMORY');
      await rejects(depthwiseConv2d(input, filter, { padding: 'same', out }), 'ERR_OUT_OF_MEMORY');
      await rejects(layer.run(input), 'ERR_OUT_OF_MEMORY');
    }
    assert.ok(
      out.data.every((x) => x === 5),
      'nothing is written',
    );
  } finally {
    limit('unlimited');
  }
  await layer.run(input, { out });
  assert.ok(out.data.every((x) => x === 0));
}
survived();
