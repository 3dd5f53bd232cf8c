import type { Workload } from './workload.js';

/** One layer's data: made once, read by every competitor. */
export interface Tensors {
  inputNhwc: Float32Array;
  inputNchw: Float32Array;
  filterHwio: Float32Array;
  filterOihw: Float32Array;
  bias: Float32Array;
}

export function makeTensors({ batch, input, output, filter, groups }: Workload): Tensors {
  const [height, width, channels] = input;
  const perGroup = channels / groups;
  const taps = filter[0] * filter[1];
  const random = generator();
  const inputNchw = fill(batch * height * width * channels, random);
  const filterOihw = fill(output[2] * perGroup * taps, random);
  const filterHwio = new Float32Array(filterOihw.length);
  for (let o = 0; o < output[2]; o++) {
    for (let i = 0; i < perGroup; i++) {
      for (let t = 0; t < taps; t++) {
        filterHwio[(t * perGroup + i) * output[2] + o] = filterOihw[(o * perGroup + i) * taps + t]!;
      }
    }
  }
  return {
    inputNchw,
    inputNhwc: toNhwc(inputNchw, batch, channels, height * width),
    filterOihw,
    filterHwio,
    bias: fill(output[2], random),
  };
}

export function toNhwc(nchw: Float32Array, batch: number, channels: number, pixels: number): Float32Array {
  const nhwc = new Float32Array(nchw.length);
  for (let b = 0; b < batch; b++) {
    const image = b * channels * pixels;
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < pixels; p++) nhwc[image + p * channels + c] = nchw[image + c * pixels + p]!;
    }
  }
  return nhwc;
}

/** Uniform in [-1, 1), the same sequence in every run (mulberry32). */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function fill(length: number, random: () => number): Float32Array {
  return Float32Array.from({ length }, random);
}
