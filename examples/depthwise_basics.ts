// npx tsx examples/depthwise_basics.ts
//
// What a depthwise convolution does to two tiny channels, in numbers small enough to follow with a finger.
import { depthwiseConv2dSync } from 'depthwise';

// 3 x 3 pixels of 2 channels, NHWC: the channels of a pixel are neighbours. Channel 0 counts up, channel 1 is constant.
const input = {
  data: Float32Array.of(1, 10, 2, 10, 3, 10, 4, 10, 5, 10, 6, 10, 7, 10, 8, 10, 9, 10),
  shape: [3, 3, 2],
};

// Multiplier 1: a filter for each channel, [height, width, channels, 1]. Channel 0 is averaged, channel 1 is doubled.
const one = { data: Float32Array.of(1 / 4, 2, 1 / 4, 0, 1 / 4, 0, 1 / 4, 0), shape: [2, 2, 2, 1] };
const averaged = depthwiseConv2dSync(input, one);
console.log('multiplier 1:', averaged.shape, averaged.data.join(' '));

// Multiplier 2: two filters for each channel, [1, 1, channels, 2]. Output c * 2 + m is channel c times filter m.
const two = { data: Float32Array.of(1, -1, 1, 0.5), shape: [1, 1, 2, 2] };
const doubled = depthwiseConv2dSync(input, two);
console.log('multiplier 2:', doubled.shape, 'first pixel', doubled.data.slice(0, 4).join(' '));

// The options: every other pixel, an output for border pixels too, a bias and an activation in the same step.
const strided = depthwiseConv2dSync(input, one, {
  strides: 2,
  padding: 'same',
  bias: Float32Array.of(-2.5, 1),
  activation: 'relu',
});
console.log('strides 2:   ', strided.shape, strided.data.join(' '));
