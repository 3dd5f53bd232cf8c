// The convolution as its definition has it, as anybody would write it in TypeScript: what the examples compare with.
import type { Tensor } from 'depthwise';

export interface PlainOptions {
  /** Pixels from one tap of the filter to the next. Default 1. */
  readonly dilation?: number;
  /** Into how many groups the channels are divided. Default 1. */
  readonly groups?: number;
}

/** `conv2d(input, filter, { padding: 'same', dilations: dilation, groups })` of one image in HWC, its filter in HWIO. */
export function plainConv2d(input: Tensor, filter: Tensor, { dilation = 1, groups = 1 }: PlainOptions = {}): Tensor {
  const [height, width, inChannels] = input.shape as [number, number, number];
  const [filterHeight, filterWidth, inPerGroup, outChannels] = filter.shape as [number, number, number, number];
  const outPerGroup = outChannels / groups;
  const top = Math.floor(((filterHeight - 1) * dilation) / 2);
  const left = Math.floor(((filterWidth - 1) * dilation) / 2);
  const output = new Float32Array(height * width * outChannels);

  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = (y * width + x) * outChannels;
      for (let ky = 0; ky < filterHeight; ky++) {
        const iy = y + ky * dilation - top;
        if (iy < 0 || iy >= height) continue;
        for (let kx = 0; kx < filterWidth; kx++) {
          const ix = x + kx * dilation - left;
          if (ix < 0 || ix >= width) continue;
          const from = (iy * width + ix) * inChannels;
          const tap = (ky * filterWidth + kx) * inPerGroup * outChannels;
          for (let g = 0; g < groups; g++) {
            for (let i = 0; i < inPerGroup; i++) {
              const value = input.data[from + g * inPerGroup + i]!;
              for (let o = g * outPerGroup; o < (g + 1) * outPerGroup; o++) {
                output[pixel + o]! += value * filter.data[tap + i * outChannels + o]!;
              }
            }
          }
        }
      }
    }
  }
  return { data: output, shape: [height, width, outChannels] };
}

/** `depthwiseConv2d(input, filter, { padding: 'same', dilations: dilation })` of the same. */
export function plainDepthwiseConv2d(input: Tensor, filter: Tensor, { dilation = 1 }: PlainOptions = {}): Tensor {
  const [height, width, channels] = input.shape as [number, number, number];
  const [filterHeight, filterWidth, , multiplier] = filter.shape as [number, number, number, number];
  const top = Math.floor(((filterHeight - 1) * dilation) / 2);
  const left = Math.floor(((filterWidth - 1) * dilation) / 2);
  const output = new Float32Array(height * width * channels * multiplier);

  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = (y * width + x) * channels;
      for (let ky = 0; ky < filterHeight; ky++) {
        const iy = y + ky * dilation - top;
        if (iy < 0 || iy >= height) continue;
        for (let kx = 0; kx < filterWidth; kx++) {
          const ix = x + kx * dilation - left;
          if (ix < 0 || ix >= width) continue;
          const from = (iy * width + ix) * channels;
          const tap = (ky * filterWidth + kx) * channels;
          for (let c = 0; c < channels; c++) {
            const value = input.data[from + c]!;
            for (let m = 0; m < multiplier; m++) {
              output[(pixel + c) * multiplier + m]! += value * filter.data[(tap + c) * multiplier + m]!;
            }
          }
        }
      }
    }
  }
  return { data: output, shape: [height, width, channels * multiplier] };
}
