// npx tsx examples/grouped.ts
//
// Fewer output than input channels, in groups, as with the groups of PyTorch's conv2d: no splitting, no concatenating.
import { conv2dSync } from 'depthwise';

// Two stereo recordings of 8 samples, as images of height 1: channels are left A, right A, left B, right B.
const samples = 8;
const input = { data: new Float32Array(samples * 4), shape: [1, samples, 4] };
for (let t = 0; t < samples; t++) input.data.set([t, t + 1, 10 * t, 10 * t + 10], 4 * t);

// Two groups of two channels become one channel each: [height, width, channels of a group, output channels].
const mix = { data: Float32Array.of(0.5, 0.5, 0.5, 0.5), shape: [1, 1, 2, 2] };
const mono = conv2dSync(input, mix, { groups: 2 });
console.log('two mono tracks:', mono.shape, mono.data.join(' '));

// The same with PyTorch's order of weights, [output channels, channels of a group, height, width].
const torchMix = { data: mix.data, shape: [2, 2, 1, 1] };
const same = conv2dSync(input, torchMix, { groups: 2, filterFormat: 'OIHW' });
console.log('from OIHW:      ', same.shape, same.data.join(' '));

// Groups that don't fit are explained.
try {
  conv2dSync(input, mix, { groups: 3 });
} catch (error) {
  const { code, message } = error as Error & { code: string };
  console.log(`${code}: ${message}`);
}
