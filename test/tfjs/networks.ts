// Networks as plain data, with random weights: what tests and benchmarks build their models from.

export type Activation = 'linear' | 'relu' | 'relu6';

/** A convolution with bias and activation. Depthwise where every channel is a group of its own. */
export interface ConvStep {
  op: 'conv';
  size: number;
  stride: number;
  groups: number;
  inChannels: number;
  outChannels: number;
  /** [size, size, inChannels / groups, outChannels] */
  filter: Float32Array;
  bias: Float32Array;
  activation: Activation;
  /** Reads this step's output in place of the previous one's. */
  from?: number;
}

/** One step reads the output of the step before it. */
export type Step =
  | ConvStep
  /** Zeros, one row and column after: what Keras puts before a convolution with stride 2, which then has no padding. */
  | { op: 'pad' }
  /** Adds the output of another step; -1 is the input. */
  | { op: 'add'; other: number; activation: Activation }
  /** 3x3, stride 2, same padding. */
  | { op: 'maxPool' }
  /** The mean of each channel: [batch, channels]. */
  | { op: 'mean' }
  | { op: 'dense'; inputs: number; outputs: number; weights: Float32Array; bias: Float32Array }
  | { op: 'softmax' };

export interface Network {
  name: string;
  /** The height, width and channels of one input. */
  input: readonly [number, number, number];
  steps: Step[];
}

/** Repeatable numbers in [-1, 1). */
export function randomSource(seed: number): () => number {
  let state = Math.imul(seed, 2654435761) + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

class Builder {
  readonly steps: Step[] = [];
  readonly #random = randomSource(1);

  constructor(public channels: number) {}

  /** The index of the last step, which later ones may refer to. */
  get last(): number {
    return this.steps.length - 1;
  }

  conv(outChannels: number, size: number, stride: number, activation: Activation, groups = 1, from?: number): this {
    const inChannels = this.channels;
    const perGroup = inChannels / groups;
    // Keeps the variance of what flows through, so that errors of any layer show in the output.
    const scale = Math.sqrt((activation === 'linear' ? 3 : 6) / (size * size * perGroup));
    const filter = Float32Array.from({ length: size * size * perGroup * outChannels }, () => this.#random() * scale);
    const bias = Float32Array.from({ length: outChannels }, () => this.#random() / 10);
    const step: ConvStep = { op: 'conv', size, stride, groups, inChannels, outChannels, filter, bias, activation };
    this.steps.push(from === undefined ? step : { ...step, from });
    this.channels = outChannels;
    return this;
  }

  depthwise(stride: number): this {
    return this.conv(this.channels, 3, stride, 'relu6', this.channels);
  }

  push(step: Step): this {
    this.steps.push(step);
    return this;
  }

  classifier(outputs: number): this {
    const inputs = this.channels;
    const scale = Math.sqrt(3 / inputs);
    const weights = Float32Array.from({ length: inputs * outputs }, () => this.#random() * scale);
    const bias = Float32Array.from({ length: outputs }, () => this.#random() / 10);
    return this.push({ op: 'mean' }).push({ op: 'dense', inputs, outputs, weights, bias }).push({ op: 'softmax' });
  }
}

export function mobilenetV1(size = 224): Network {
  const net = new Builder(3).push({ op: 'pad' }).conv(32, 3, 2, 'relu6');
  const blocks = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
  for (const [i, channels] of blocks.entries()) {
    const stride = [1, 3, 5, 11].includes(i) ? 2 : 1;
    if (stride === 2) net.push({ op: 'pad' });
    net.depthwise(stride).conv(channels, 1, 1, 'relu6');
  }
  return { name: 'MobileNetV1', input: [size, size, 3], steps: net.classifier(1000).steps };
}

export function mobilenetV2(size = 224): Network {
  const net = new Builder(3).push({ op: 'pad' }).conv(32, 3, 2, 'relu6');
  const blocks = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const;
  for (const [expansion, channels, repeats, firstStride] of blocks) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? firstStride : 1;
      const other = net.last;
      const residual = i > 0;
      if (expansion > 1) net.conv(net.channels * expansion, 1, 1, 'relu6');
      if (stride === 2) net.push({ op: 'pad' });
      net.depthwise(stride).conv(channels, 1, 1, 'linear');
      if (residual) net.push({ op: 'add', other, activation: 'linear' });
    }
  }
  net.conv(1280, 1, 1, 'relu6');
  return { name: 'MobileNetV2', input: [size, size, 3], steps: net.classifier(1000).steps };
}

/** ResNeXt-50's stem and its first stage: three blocks of 32 groups. */
export function resnextStage(size = 224): Network {
  const net = new Builder(3).conv(64, 7, 2, 'relu').push({ op: 'maxPool' });
  for (let i = 0; i < 3; i++) {
    const input = net.last;
    const inputChannels = net.channels;
    net.conv(128, 1, 1, 'relu').conv(128, 3, 1, 'relu', 32).conv(256, 1, 1, 'linear');
    let other = input;
    if (i === 0) {
      other = net.last;
      net.channels = inputChannels;
      net.conv(256, 1, 1, 'linear', 1, input);
    }
    net.push({ op: 'add', other, activation: 'relu' });
  }
  return { name: 'ResNeXt-50, first stage', input: [size, size, 3], steps: net.classifier(1000).steps };
}
