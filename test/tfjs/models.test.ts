import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model as layersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { fallbackCalls, groupedConv2d } from '../../lib/tfjs/index.js';
import { fusedModel } from './models.js';
import { mobilenetV1, mobilenetV2, type Network, randomSource, resnextStage } from './networks.js';

beforeEach(async () => {
  await tf.setBackend('depthwise');
});

function image([height, width, channels]: readonly [number, number, number]): tf.Tensor4D {
  const random = randomSource(2);
  return tf.tensor4d(Float32Array.from({ length: height * width * channels }, random), [1, height, width, channels]);
}

/** The largest difference relative to the largest output, and how large that is. */
function compare(actual: Float32Array, expected: Float32Array): { error: number; largest: number } {
  const largest = expected.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  const error = expected.reduce((max, v, i) => Math.max(max, Math.abs(actual[i]! - v)), 0) / largest;
  return { error: actual.length === expected.length ? error : Number.NaN, largest };
}

async function predictOn(backend: string, predict: (x: tf.Tensor4D) => tf.Tensor, input: Network['input']) {
  await tf.setBackend(backend);
  return tf.tidy(() => predict(image(input)).dataSync() as Float32Array).slice();
}

type Layer = layers.Layer;

/** MobileNetV2 as Keras has it before anything is fused. */
function mobilenetV2Layers(size: number): LayersModel {
  const { steps } = mobilenetV2(size);
  const outputs: SymbolicTensor[] = [];
  const input = layers.input({ shape: [size, size, 3] });
  // A layer has its weights when it has been applied.
  const apply = (layer: Layer, x: SymbolicTensor | SymbolicTensor[], values: Float32Array[] = []): SymbolicTensor => {
    const y = layer.apply(x) as SymbolicTensor;
    if (values.length > 0) {
      const shapes = layer.getWeights().map(({ shape }) => shape);
      tf.tidy(() => layer.setWeights(values.map((v, i) => tf.tensor(v, shapes[i]))));
    }
    return y;
  };
  for (const [i, step] of steps.entries()) {
    const x = outputs[i - 1] ?? input;
    let y: SymbolicTensor;
    switch (step.op) {
      case 'conv': {
        const padding = steps[i - 1]?.op === 'pad' ? 'valid' : 'same';
        const options = { kernelSize: step.size, strides: step.stride, padding, useBias: false } as const;
        const layer =
          step.groups > 1 ? layers.depthwiseConv2d(options) : layers.conv2d({ ...options, filters: step.outChannels });
        y = apply(layer, x, [step.filter]);
        // Statistics as training leaves them: gamma, beta, mean, variance.
        const random = randomSource(i);
        const around = (center: number) => step.bias.map(() => center + random() / 4);
        y = apply(layers.batchNormalization(), y, [around(1), step.bias, around(0), around(1)]);
        if (step.activation === 'relu6') y = apply(layers.reLU({ maxValue: 6 }), y);
        break;
      }
      case 'pad':
        y = apply(
          layers.zeroPadding2d({
            padding: [
              [0, 1],
              [0, 1],
            ],
          }),
          x,
        );
        break;
      case 'add':
        y = apply(layers.add(), [x, outputs[step.other]!]);
        break;
      case 'mean':
        y = apply(layers.globalAveragePooling2d({}), x);
        break;
      case 'dense':
        y = apply(layers.dense({ units: step.outputs }), x, [step.weights, step.bias]);
        break;
      case 'softmax':
        y = apply(layers.softmax(), x);
        break;
      default:
        throw new Error(`MobileNetV2 has no ${step.op}`);
    }
    outputs.push(y);
  }
  return layersModel({ inputs: input, outputs: outputs.at(-1)! });
}

// The specification's size is 224; tfjs's CPU backend takes seconds for it, and nothing but sizes differs.
const SIZE = 96;

describe.each([
  ['MobileNetV1', mobilenetV1],
  ['MobileNetV2', mobilenetV2],
  ['a stage of ResNeXt', resnextStage],
])('%s', (_, network) => {
  test("in fused form agrees with tfjs's CPU backend, with nothing left to it", async () => {
    const net = network(SIZE);
    const run = async (backend: string) => {
      await tf.setBackend(backend);
      const model = fusedModel(tf, net, groupedConv2d);
      const y = await predictOn(backend, model.predict, net.input);
      model.dispose();
      return y;
    };
    const expected = await run('cpu');
    const before = new Map(fallbackCalls);
    const actual = await run('depthwise');
    expect(new Map(fallbackCalls)).toEqual(before);
    const { error, largest } = compare(actual, expected);
    expect(largest).toBeGreaterThan(1 / 1000);
    expect(error).toBeLessThan(1e-4);
  });
});

test("MobileNetV2 as a Layers model agrees with tfjs's CPU backend", async () => {
  const model = mobilenetV2Layers(SIZE);
  const predict = (x: tf.Tensor4D) => model.predict(x) as tf.Tensor;
  const actual = await predictOn('depthwise', predict, [SIZE, SIZE, 3]);
  const { error } = compare(actual, await predictOn('cpu', predict, [SIZE, SIZE, 3]));
  expect(error).toBeLessThan(1e-4);
});

/** Resident bytes without garbage. */
function resident(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage.rss();
}

test('memory is flat over 10,000 predictions', () => {
  const net = mobilenetV2(32);
  const model = fusedModel(tf, { ...net, steps: net.steps.slice(0, 12) });
  const x = image(net.input);
  const predict = (times: number): void => {
    for (let i = 0; i < times; i++) tf.tidy(() => void model.predict(x).dataSync());
  };
  predict(2000); // the heap has its size, and functions are compiled
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  const before = resident();
  predict(10_000);
  expect(tf.memory()).toMatchObject({ numTensors, numBytes, numDataBuffers });
  // A kilobyte lost in each prediction would be 10 MB; what a prediction allocates, leaked, gigabytes.
  expect(resident() - before).toBeLessThan(10 * 2 ** 20);
});
