import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, test } from 'vitest';
import { groupedConv2d, kernelCalls } from '../../lib/tfjs/index.js';
import { conv2d } from '../../lib/tfjs/layers.js';

beforeEach(async () => {
  await tf.setBackend('depthwise');
});

/** A model through its saved form, as `model.save` and `loadLayersModel` pass it. */
async function reloaded(model: LayersModel): Promise<LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return loadLayersModel(tf.io.fromMemory(saved!));
}

describe('a model with groups', () => {
  const build = (dataFormat: 'channelsLast' | 'channelsFirst'): LayersModel =>
    sequential({
      layers: [
        conv2d({
          filters: 9,
          kernelSize: 3,
          groups: 3,
          padding: 'same',
          activation: 'relu',
          biasInitializer: 'randomNormal',
          dataFormat,
          inputShape: dataFormat === 'channelsLast' ? [8, 7, 6] : [6, 8, 7],
        }),
        layers.separableConv2d({ filters: 4, kernelSize: 3, dataFormat: 'channelsLast' }),
        layers.flatten(),
      ],
    });

  test.each(['channelsLast', 'channelsFirst'] as const)('%s: saves, loads and predicts the same', async (format) => {
    const model = build(format);
    const again = await reloaded(model);
    expect(again.layers[0]!.getConfig()).toMatchObject({ groups: 3, filters: 9 });
    expect(again.layers[0]!.getWeights()[0]!.shape).toEqual([3, 3, 2, 9]);
    const x = tf.randomUniform([2, ...(model.inputs[0]!.shape.slice(1) as number[])], -1, 1, 'float32', 7);
    const before = kernelCalls.get('DepthwiseGroupedConv2D') ?? 0;
    const [a, b] = [model, again].map((m) => (m.predict(x) as tf.Tensor).dataSync());
    expect(a).toEqual(b);
    expect(kernelCalls.get('DepthwiseGroupedConv2D')).toBe(before + 2);
  });

  test('learns', async () => {
    const model = build('channelsLast');
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const x = tf.randomUniform([8, 8, 7, 6], -1, 1, 'float32', 8);
    const y = tf.zeros([8, model.outputs[0]!.shape[1]!]);
    const { history } = await model.fit(x, y, { epochs: 12, verbose: 0 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0] as number);
  });
});

test("Keras' model of the report loads: 96 channels in two groups into 256", async () => {
  const { model, weights } = JSON.parse(
    readFileSync(new URL('fixtures/grouped_keras.json', import.meta.url), 'utf8'),
  ) as { model: tf.io.ModelJSON['modelTopology']; weights: tf.io.WeightsManifestEntry[] };
  const floats = weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const data = Float32Array.from({ length: floats }, (_, i) => Math.sin(i) / 40);
  const loaded = await loadLayersModel(
    tf.io.fromMemory({ modelTopology: model as object, weightSpecs: weights, weightData: data.buffer }),
  );
  const x = tf.tensor(
    Float32Array.from({ length: 27 * 27 * 96 }, (_, i) => Math.cos(i)),
    [1, 27, 27, 96],
  );
  expect((loaded.predict(x) as tf.Tensor).shape).toEqual([1, 27, 27, 256]);
});

test('a saved Keras model with groups predicts what PyTorch computes in double precision', async () => {
  const folder = new URL('fixtures/grouped_torch/', import.meta.url);
  const json = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  const { modelTopology, weightsManifest } = json<tf.io.ModelJSON>('model.json');
  const { input, output } = json<Record<'input' | 'output', { shape: number[]; data: number[] }>>('expected.json');
  const weightData = Uint8Array.from(readFileSync(new URL('weights.bin', folder))).buffer;
  const model = await loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0]!.weights, weightData }),
  );
  const y = model.predict(tf.tensor(input.data, input.shape)) as tf.Tensor;
  expect(y.shape).toEqual(output.shape);
  const scale = Math.max(...output.data.map(Math.abs));
  const difference = Math.max(...Array.from(y.dataSync(), (v, i) => Math.abs(v - output.data[i]!)));
  expect(difference).toBeLessThan(1e-5 * scale);
});

describe.each([
  ['Conv2D', { filters: 6, kernelSize: [3, 2], groups: 2, activation: 'relu' }],
  ['SeparableConv2D', { filters: 5, kernelSize: [3, 2], depthMultiplier: 2, groups: 1, activation: 'tanh' }],
  ['DepthwiseConv2D', { kernelSize: [3, 2], depthMultiplier: 2, groups: 4, strides: [2, 2] }],
  ['DepthwiseConv2D', { kernelSize: [3, 2], depthMultiplier: 2, groups: 1, dilationRate: [2, 2] }],
])('%s %o', (className, options) => {
  const build = async (data_format: 'channels_last' | 'channels_first', padding: string): Promise<LayersModel> => {
    const snake = Object.entries(options).map(([key, value]) => [
      key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
      value,
    ]);
    const config = {
      ...{ name: 'conv', padding, data_format, use_bias: true, ...Object.fromEntries(snake) },
      batch_input_shape: data_format === 'channels_last' ? [null, 9, 8, 4] : [null, 4, 9, 8],
    };
    const modelTopology = {
      class_name: 'Sequential',
      config: { name: 's', layers: [{ class_name: className, config }] },
    };
    return loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: [], weightData: new ArrayBuffer(0) }), {
      strict: false,
    });
  };

  test.each(['same', 'valid'])(
    '%s: both formats are one, by our kernels, and what the definition says',
    async (padding) => {
      const last = await build('channels_last', padding);
      const first = await build('channels_first', padding);
      const weights = last.getWeights().map((w, i) => tf.randomUniform(w.shape, -1, 1, 'float32', i + 1));
      for (const model of [last, first]) model.setWeights(weights);
      const x = tf.randomUniform([2, 9, 8, 4], -1, 1, 'float32', 9) as tf.Tensor4D;
      const y = last.predict(x) as tf.Tensor;
      const transposed = first.predict(tf.transpose(x, [0, 3, 1, 2])) as tf.Tensor;
      expect(y.shape.slice(1)).toEqual(last.outputs[0]!.shape.slice(1));
      expect(transposed.shape.slice(1)).toEqual(first.outputs[0]!.shape.slice(1));

      const [kernel, second, third] = weights as [tf.Tensor4D, tf.Tensor, tf.Tensor];
      type Pair = [number, number];
      const given = options as { strides?: unknown; dilationRate?: unknown };
      const strides = (given.strides ?? [1, 1]) as Pair;
      const dilations = (given.dilationRate ?? [1, 1]) as Pair;
      const pad = padding as 'same' | 'valid';
      let expected: tf.Tensor;
      if (className === 'Conv2D') expected = tf.relu(tf.add(groupedConv2d(x, kernel, 1, pad, 2), second));
      else {
        expected = tf.depthwiseConv2d(x, kernel, strides, pad, 'NHWC', dilations);
        if (className === 'SeparableConv2D') {
          expected = tf.tanh(tf.add(tf.conv2d(expected as tf.Tensor4D, second as tf.Tensor4D, 1, 'same'), third));
        } else expected = tf.add(expected, second);
      }
      for (const actual of [y, tf.transpose(transposed, [0, 2, 3, 1])]) {
        expect(actual.shape).toEqual(expected.shape);
        expect(tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0]).toBeLessThan(1e-5);
      }
    },
  );

  test('saves, loads and learns', async () => {
    const model = await build('channels_last', 'same');
    const again = await reloaded(model);
    const x = tf.randomUniform([4, 9, 8, 4], -1, 1, 'float32', 8);
    const y = model.predict(x) as tf.Tensor;
    expect((again.predict(x) as tf.Tensor).dataSync()).toEqual(y.dataSync());
    if ((options as { dilationRate?: unknown }).dilationRate) return; // tfjs has no gradient for dilation
    again.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const { history } = await again.fit(x, tf.zeros(y.shape), { epochs: 6, verbose: 0 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0] as number);
  });
});

test('groups that do not divide are refused', () => {
  expect(() => conv2d({ filters: 4, kernelSize: 3, groups: 3 })).toThrow(
    'groups (3) must be a positive integer that divides filters (4)',
  );
  const layer = conv2d({ filters: 6, kernelSize: 3, groups: 3 });
  expect(() => layer.apply(tf.ones([1, 8, 8, 4]))).toThrow("must divide the input's channels (4)");
});

test('without groups the layer is the one of tfjs', async () => {
  const model = sequential({ layers: [layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 2] })] });
  const x = tf.randomUniform([1, 4, 4, 2], -1, 1, 'float32', 9);
  const again = await reloaded(model);
  expect((again.predict(x) as tf.Tensor).dataSync()).toEqual((model.predict(x) as tf.Tensor).dataSync());
});
