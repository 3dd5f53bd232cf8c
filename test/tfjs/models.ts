import type * as Tf from '@tensorflow/tfjs-core';
import type { groupedConv2d } from '../../lib/tfjs/index.js';
import type { Network, Step } from './networks.js';

export interface Model {
  /** From [batch, height, width, channels] to [batch, classes]. */
  predict(x: Tf.Tensor4D): Tf.Tensor;
  dispose(): void;
}

/**
 * A network of tensors and operators in the fused form that tfjs's converter writes; like its GraphModel, it disposes of
 * a tensor behind the last operator that reads it. `tf` and `grouped` are given because benchmarks and tests have a tfjs
 * each.
 */
export function fusedModel(tf: typeof Tf, { steps }: Network, grouped?: typeof groupedConv2d): Model {
  const weights = steps.map((step): Tf.Tensor[] => weightsOf(tf, step));
  const inputs = steps.map((step, i) => [
    'from' in step && step.from !== undefined ? step.from : i - 1,
    ...(step.op === 'add' ? [step.other] : []),
  ]);
  // By an output's step, the last one that reads it.
  const lastReader = new Map(inputs.flatMap((read, i) => read.map((j) => [j, i])));
  return {
    predict: (x) =>
      tf.tidy(() => {
        const outputs: Tf.Tensor[] = [];
        for (const [i, step] of steps.entries()) {
          const [input, other] = inputs[i]!.map((j) => outputs[j] ?? x);
          const padded = steps[inputs[i]![0]!]?.op === 'pad';
          outputs.push(run(tf, step, input!, weights[i]!, padded, other, grouped));
          for (const j of inputs[i]!) if (lastReader.get(j) === i) outputs[j]?.dispose();
        }
        return outputs.at(-1)!;
      }),
    dispose: () => tf.dispose(weights),
  };
}

function weightsOf(tf: typeof Tf, step: Step): Tf.Tensor[] {
  if (step.op === 'dense') return [tf.tensor2d(step.weights, [step.inputs, step.outputs]), tf.tensor1d(step.bias)];
  if (step.op !== 'conv') return [];
  const { size, groups, inChannels, outChannels } = step;
  const shape: [number, number, number, number] =
    groups > 1 && groups === inChannels
      ? [size, size, inChannels, outChannels / inChannels]
      : [size, size, inChannels / groups, outChannels];
  return [tf.tensor4d(step.filter, shape), tf.tensor1d(step.bias)];
}

function run(
  tf: typeof Tf,
  step: Step,
  x: Tf.Tensor,
  [filter, bias]: Tf.Tensor[],
  padded: boolean,
  other: Tf.Tensor | undefined,
  grouped: typeof groupedConv2d | undefined,
): Tf.Tensor {
  const activate = (y: Tf.Tensor, activation: 'linear' | 'relu' | 'relu6'): Tf.Tensor =>
    activation === 'linear' ? y : tf[activation](y);
  switch (step.op) {
    case 'conv': {
      const { stride, groups, inChannels, activation } = step;
      const pad = padded ? 'valid' : 'same';
      if (groups > 1 && groups < inChannels) {
        if (!grouped) throw new Error('no grouped convolution');
        const y = grouped(x as Tf.Tensor4D, filter as Tf.Tensor4D, stride, pad, groups);
        return activate(tf.add(y, bias!), activation);
      }
      const options = {
        x: x as Tf.Tensor4D,
        filter: filter as Tf.Tensor4D,
        strides: stride,
        pad,
        bias: bias!,
      } as const;
      return groups > 1
        ? tf.fused.depthwiseConv2d({ ...options, activation })
        : tf.fused.conv2d({ ...options, activation });
    }
    case 'pad':
      return tf.pad(x, [
        [0, 0],
        [0, 1],
        [0, 1],
        [0, 0],
      ]);
    case 'add':
      return activate(tf.add(x, other!), step.activation);
    case 'maxPool':
      return tf.maxPool(x as Tf.Tensor4D, 3, 2, 'same');
    case 'mean':
      return tf.mean(x, [1, 2]);
    case 'dense':
      return tf.fused.matMul({ a: x as Tf.Tensor2D, b: filter as Tf.Tensor2D, bias: bias! });
    case 'softmax':
      return tf.softmax(x);
  }
}
