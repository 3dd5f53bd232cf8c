// A depthwise-separable stack as MobileNet's first blocks are, over images of any size: its layers are prepared once, at
// start, and shared by all requests. The weights are made up; a real server would read its own (depthwise/io reads
// safetensors and .npz).
import { Conv2d, DepthwiseConv2d, type Tensor } from 'depthwise';

export interface Block {
  depthwise: DepthwiseConv2d;
  pointwise: Conv2d;
}

export interface Stack {
  stem: Conv2d;
  blocks: Block[];
  features: number;
}

/** Weights in [-1, 1) / sqrt(fan-in), the same at every start. */
function weights(shape: number[], seed: number): Tensor {
  const fanIn = shape[0]! * shape[1]! * shape[2]!;
  let state = seed;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31 / Math.sqrt(fanIn);
  });
  return { data, shape };
}

export function makeStack(): Stack {
  const same = { padding: 'same', activation: 'relu6' } as const;
  const channels = [16, 32, 64, 64];
  return {
    stem: new Conv2d(weights([3, 3, 3, channels[0]!], 1), { ...same, strides: 2 }),
    blocks: channels.slice(1).map((out, i) => ({
      depthwise: new DepthwiseConv2d(weights([3, 3, channels[i]!, 1], 10 + i), { ...same, strides: i === 0 ? 1 : 2 }),
      pointwise: new Conv2d(weights([1, 1, channels[i]!, out], 20 + i), same),
    })),
    features: channels.at(-1)!,
  };
}

/** The mean of every channel after the last block: a feature vector for [1, height, width, 3]. */
export async function features(stack: Stack, image: Tensor, signal: AbortSignal): Promise<number[]> {
  let x = await stack.stem.run(image, { signal });
  for (const { depthwise, pointwise } of stack.blocks) {
    x = await depthwise.run(x, { signal });
    x = await pointwise.run(x, { signal });
  }
  const sums = new Float64Array(stack.features);
  for (let i = 0; i < x.data.length; i++) sums[i % stack.features]! += x.data[i]!;
  const pixels = x.data.length / stack.features;
  return Array.from(sums, (sum) => sum / pixels);
}
