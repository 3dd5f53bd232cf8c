import type { Tensors } from './tensors.js';
import type { Workload } from './workload.js';

/** The exact result (in double precision, NHWC) and how far from it a sum in single precision may be. */
export interface Reference {
  exact: Float64Array;
  bound: Float64Array;
}

export function computeReference(workload: Workload, { inputNhwc, filterHwio, bias }: Tensors): Reference {
  const { batch, input, output, filter, strides, dilations, padding, groups } = workload;
  const [inHeight, inWidth, inChannels] = input;
  const [outHeight, outWidth, outChannels] = output;
  const inPerGroup = inChannels / groups;
  const outPerGroup = outChannels / groups;
  const exact = new Float64Array(batch * outHeight * outWidth * outChannels);
  const bound = new Float64Array(exact.length);
  const tolerance = (filter[0] * filter[1] * inPerGroup + 4) * 2 ** -24;
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++, at += outChannels) {
        for (let o = 0; o < outChannels; o++) {
          exact[at + o] = bias[o]!;
          bound[at + o] = Math.abs(bias[o]!);
        }
        for (let ky = 0; ky < filter[0]; ky++) {
          const iy = y * strides[0] + ky * dilations[0] - padding[0][0];
          if (iy < 0 || iy >= inHeight) continue;
          for (let kx = 0; kx < filter[1]; kx++) {
            const ix = x * strides[1] + kx * dilations[1] - padding[1][0];
            if (ix < 0 || ix >= inWidth) continue;
            const pixel = ((b * inHeight + iy) * inWidth + ix) * inChannels;
            const tap = (ky * filter[1] + kx) * inPerGroup * outChannels;
            for (let i = 0; i < inPerGroup; i++) {
              for (let o = 0, left = outPerGroup, channel = pixel + i; o < outChannels; o++) {
                const product = inputNhwc[channel]! * filterHwio[tap + i * outChannels + o]!;
                exact[at + o]! += product;
                bound[at + o]! += Math.abs(product);
                if (--left === 0) {
                  left = outPerGroup;
                  channel += inPerGroup;
                }
              }
            }
          }
        }
        for (let o = 0; o < outChannels; o++) bound[at + o]! *= tolerance;
      }
    }
  }
  return { exact, bound };
}

/** The largest error in units of the bound; NaN where the result has one. Up to 1 is right. */
export function worstError(nhwc: Float32Array, { exact, bound }: Reference): number {
  if (nhwc.length !== exact.length) return Number.NaN;
  let worst = 0;
  for (let i = 0; i < exact.length; i++) worst = Math.max(worst, Math.abs(nhwc[i]! - exact[i]!) / bound[i]!);
  return worst;
}
