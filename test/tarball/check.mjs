// What an installed package must do, run by scripts/test_tarball.sh beside its node_modules: load by import and by require,
// on the main thread and on a worker, and compute what plain loops compute.
import assert from 'node:assert';
import { createRequire } from 'node:module';
import { isMainThread, Worker } from 'node:worker_threads';
import { availableIsas, conv2d, depthwiseConv2dSync, isa } from 'depthwise';
import { decodeNpz, encodeNpz } from 'depthwise/io';

const random = (shape, seed) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 12.9898 + seed)),
  shape,
});

// NHWC, HWIO, padding 'valid'.
function plainLoops(input, filter, groups) {
  const [n, height, width, channels] = input.shape;
  const [fh, fw, perGroup, outChannels] = filter.shape;
  const shape = [n, height - fh + 1, width - fw + 1, outChannels];
  const data = [];
  for (let b = 0; b < n; b++)
    for (let y = 0; y < shape[1]; y++)
      for (let x = 0; x < shape[2]; x++)
        for (let o = 0; o < outChannels; o++) {
          const first = Math.floor(o / (outChannels / groups)) * perGroup;
          let sum = 0;
          for (let r = 0; r < fh; r++)
            for (let s = 0; s < fw; s++)
              for (let c = 0; c < perGroup; c++)
                sum +=
                  input.data[((b * height + y + r) * width + x + s) * channels + first + c] *
                  filter.data[((r * fw + s) * perGroup + c) * outChannels + o];
          data.push(sum);
        }
  return { data, shape };
}

function assertClose(actual, expected) {
  assert.deepEqual(actual.shape, expected.shape);
  for (const [i, value] of actual.data.entries()) assert(Math.abs(value - expected.data[i]) < 1e-4, `${i}: ${value}`);
}

const input = random([2, 9, 11, 24], 1);
for (const [fh, fw, multiplier] of [
  [3, 3, 1],
  [5, 5, 1],
  [1, 4, 2],
]) {
  const filter = random([fh, fw, 24, multiplier], 2);
  const grouped = { data: filter.data, shape: [fh, fw, 1, 24 * multiplier] };
  assertClose(depthwiseConv2dSync(input, filter), plainLoops(input, grouped, 24));
}
for (const groups of [1, 2, 6]) {
  const filter = random([3, 2, 24 / groups, 36], 3);
  assertClose(await conv2d(input, filter, { groups }), plainLoops(input, filter, groups));
}
assert.deepEqual(decodeNpz(encodeNpz(new Map([['x', input]]))).get('x'), input);

if (process.features.require_module) {
  assert.equal(createRequire(import.meta.url)('depthwise').conv2d, conv2d);
}
if (isMainThread) {
  await new Promise((resolve, reject) => new Worker(new URL(import.meta.url)).on('exit', resolve).on('error', reject));
  console.log(`  ${process.version} ${process.arch}: ${isa}, of ${availableIsas.join(', ')}`);
}
