import { codedError } from './errors.js';

/** Padding along one axis: a rule that depends on the input's size, or pixels before and after. */
export type AxisPadding = 'same' | 'same-lower' | readonly [before: number, after: number];

/** One axis of a convolution: sizes in pixels, `filter` in taps, `stride` and `dilation` in pixels. */
export interface Axis {
  readonly name: 'height' | 'width';
  readonly input: number;
  readonly filter: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: AxisPadding;
}

export interface AxisGeometry {
  readonly output: number;
  /** Pixels of padding before the first pixel of the input. */
  readonly before: number;
  /** The input with its padding. */
  readonly padded: number;
}

/**
 * How many outputs an axis has, and where the first one starts. With `span = (filter - 1) * dilation + 1`:
 *
 * - 'same': `ceil(input / stride)` outputs, `max((output - 1) * stride + span - input, 0)` pixels of padding in all, the
 *   odd one after (TensorFlow's SAME, ONNX's SAME_UPPER); 'same-lower' has it before (SAME_LOWER);
 * - explicit: `floor((before + input + after - span) / stride) + 1`.
 *
 * @throws RangeError ERR_SHAPE_MISMATCH where the filter doesn't fit the padded input, ERR_OUT_OF_RANGE where a size
 *   is not exact in a double.
 */
export function axisGeometry(axis: Axis): AxisGeometry {
  const { input, filter, stride, dilation, padding } = axis;
  const span = (filter - 1) * dilation + 1;
  if (padding === 'same' || padding === 'same-lower') {
    const output = Math.ceil(input / stride);
    const total = Math.max((output - 1) * stride + span - input, 0);
    const padded = checkExact(axis, input + total);
    return { output, before: padding === 'same' ? Math.floor(total / 2) : Math.ceil(total / 2), padded };
  }
  const [before, after] = padding;
  const padded = checkExact(axis, before + input + after);
  if (padded < span) throw filterTooLarge(axis, span, padded);
  return { output: Math.floor((padded - span) / stride) + 1, before, padded };
}

/** The product of sizes. Zero factors count as one, so that an empty batch doesn't hide an image too large to index. */
export function checkedProduct(name: string, sizes: readonly number[]): number {
  let product = 1;
  let isEmpty = false;
  for (const size of sizes) {
    if (size === 0) isEmpty = true;
    else product *= size;
  }
  if (!Number.isSafeInteger(product)) {
    throw codedError('ERR_OUT_OF_RANGE', `${name} of [${sizes.join(',')}] must have at most 2^53 - 1 elements`);
  }
  return isEmpty ? 0 : product;
}

function checkExact(axis: Axis, size: number): number {
  if (Number.isSafeInteger(size)) return size;
  throw codedError(
    'ERR_OUT_OF_RANGE',
    `the padded input's ${axis.name} must be at most 2^53 - 1, got about ${size}; check padding and dilations`,
  );
}

function filterTooLarge({ name, input, filter, dilation }: Axis, span: number, padded: number): Error {
  const taps = dilation === 1 ? `${filter}` : `${filter}, with dilation ${dilation} spanning ${span}`;
  const size = padded === input ? `${input}` : `${input}, padded to ${padded}`;
  return codedError(
    'ERR_SHAPE_MISMATCH',
    `the filter's ${name} (${taps}) must not exceed the input's ${name} (${size}); padding 'same' fits any size`,
  );
}
