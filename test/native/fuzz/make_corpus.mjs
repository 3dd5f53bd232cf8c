// Writes what the fuzzers start from: `node make_corpus.mjs FOLDER`. Layers of every family, as the bytes that plan_fuzzer.cc
// and run_fuzzer.cc read numbers from.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];

// [height, width, in, out, groups, filter, stride, dilation, padding before] by what they have in common with networks.
const layers = {
  mobilenet: [112, 112, 32, 32, 32, 3, 1, 1, 1],
  mobilenet_stride: [112, 112, 96, 96, 96, 3, 2, 1, 0],
  mobilenet_end: [7, 7, 960, 960, 960, 3, 1, 1, 1],
  efficientnet: [28, 28, 240, 240, 240, 5, 2, 1, 1],
  convnext: [56, 56, 96, 96, 96, 7, 1, 1, 3],
  multiplier: [56, 56, 32, 64, 32, 3, 1, 1, 1],
  multiplier_of_one: [28, 28, 1, 8, 1, 3, 1, 1, 1],
  photo: [1080, 1920, 3, 3, 3, 5, 1, 1, 2],
  dilated: [33, 33, 64, 64, 64, 3, 1, 12, 12],
  resnext: [56, 56, 128, 128, 32, 3, 1, 1, 1],
  resnext_stride: [28, 28, 512, 512, 32, 3, 2, 1, 1],
  shuffle: [28, 28, 24, 48, 2, 1, 1, 1, 0],
  pointwise: [28, 28, 192, 64, 1, 1, 1, 1, 0],
  dense: [28, 28, 64, 64, 1, 3, 1, 1, 1],
  stem: [224, 224, 3, 32, 1, 3, 2, 1, 0],
  fewer_out: [6, 7, 4, 2, 2, 2, 1, 1, 0],
  audio: [1, 400, 64, 64, 64, 9, 1, 1, 4],
  single: [1, 1, 1, 1, 1, 1, 1, 1, 0],
};

/** A number as Bytes::any() reads it. */
function any(number) {
  if (number < 32) return [number];
  const bytes = Buffer.alloc(9, 0xff);
  bytes.writeBigInt64BE(BigInt(number), 1);
  return [...bytes];
}

/** A number as Bytes::within(least, …) reads it. */
function within(number, least, most) {
  const drawn = Math.min(Math.max(number, least), most) - least;
  return [drawn & 255, drawn >> 8];
}

function write(target, name, bytes) {
  mkdirSync(join(folder, target), { recursive: true });
  writeFileSync(join(folder, target, name), Uint8Array.from(bytes.flat()));
}

for (const [name, [height, width, inC, outC, groups, size, stride, dilation, pad]] of Object.entries(layers)) {
  const filterHeight = Math.min(size, height);
  const out = (input, filter) => Math.floor((input + 2 * pad - (filter - 1) * dilation - 1) / stride) + 1;
  for (const layout of [0, 1]) {
    const problem = [1, height, width, inC, out(height, filterHeight), out(width, size), outC, filterHeight, size];
    const steps = [stride, stride, dilation, dilation, pad, pad, groups];
    write('plan', `${name}_${layout}`, [...problem.map(any), ...steps.map(any), [layout, layout, layout, 0]]);

    // The same kind of layer, as small as run_fuzzer.cc draws them.
    const kind = groups === inC ? 0 : groups === 1 ? 1 : 2;
    const channels = within(inC, 1, 40);
    const grouped = kind === 2 ? [within(groups, 1, 6), within(inC / groups, 1, 9)] : [];
    const outputs = kind === 0 ? [] : [within(outC / groups, 1, 40)];
    write('run', `${name}_${layout}`, [
      channels,
      within(kind === 0 ? outC / inC : 1, 1, 5),
      [kind],
      ...grouped,
      ...outputs,
      within(1, 0, 2),
      ...[filterHeight, size].map((n) => within(n, 1, 7)),
      ...[stride, stride].map((n) => within(n, 1, 4)),
      ...[dilation, dilation].map((n) => within(n, 1, 3)),
      ...[pad, pad, pad, pad].map((n) => within(n, 0, 5)),
      within(height, 1, 14),
      within(width, 1, 20),
      [layout, layout, layout, 0, 1, 1, 7],
    ]);
  }
}
