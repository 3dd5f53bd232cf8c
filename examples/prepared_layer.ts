// npx tsx examples/prepared_layer.ts
//
// A layer checks and packs its weights once: what a server makes at its start and runs for each request.
import { DepthwiseConv2d } from 'depthwise';

const channels = 96;
const filter = {
  data: Float32Array.from({ length: 3 * 3 * channels }, (_, i) => Math.cos(i)),
  shape: [3, 3, channels, 1],
};
const bias = new Float32Array(channels).fill(0.1);
const layer = new DepthwiseConv2d(filter, { strides: 2, padding: 'same', bias, activation: 'relu6' });

const shape = [1, 56, 56, channels];
console.log('output:', layer.outputShape(shape));
const { kernel, isa, flops } = layer.explain(shape);
console.log(`kernel: ${kernel} on ${isa}, ${(flops / 1e6).toFixed(1)} million operations`);

// The same output again and again: nothing is allocated.
const out = layer.runSync({ data: new Float32Array(56 * 56 * channels), shape });
const input = { data: Float32Array.from({ length: 56 * 56 * channels }, (_, i) => Math.sin(i)), shape };
const begin = performance.now();
for (let i = 0; i < 100; i++) layer.runSync(input, { out });
console.log(
  `each: ${(10 * (performance.now() - begin)).toFixed(0)} us, the largest output is ${Math.max(...out.data).toFixed(3)}`,
);

// Sizes may change from call to call, and the layer has its own copy of the weights.
filter.data.fill(0);
console.log(
  'another size:',
  layer.runSync({ data: new Float32Array(10 * 7 * channels), shape: [10, 7, channels] }).shape,
);
