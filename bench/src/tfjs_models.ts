// Whole networks in TensorFlow.js: on our backend, on its own, and the same network in onnxruntime-node.
import { writeFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-wasm';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { isa, setThreads } from '../../dist/index.js';
import { groupedConv2d } from '../../dist/tfjs/index.js';
import { fusedModel } from '../../test/tfjs/models.js';
import { mobilenetV1, mobilenetV2, type Network, randomSource, resnextStage } from '../../test/tfjs/networks.js';
import { measure, type Timing } from './measure.js';
import { networkModel } from './onnx_network.js';
import { align } from './table.js';
import { toNhwc } from './tensors.js';

setWasmPaths(new URL('../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url).pathname);

type Predict = () => Promise<Float32Array>;

interface Result extends Timing {
  network: string;
  library: string;
  threads: number;
  /** The largest difference from tfjs's CPU backend, relative to its largest output. */
  error: number;
}

const effort = { rounds: 21, roundUs: 30_000, budgetUs: 3_000_000 };
const results: Result[] = [];
for (const network of [mobilenetV1(), mobilenetV2(), resnextStage()]) {
  const [height, width, channels] = network.input;
  const image = Float32Array.from({ length: height * width * channels }, randomSource(2));
  const ours = await onBackend('depthwise', network, image, groupedConv2d);
  const cpu = await onBackend('cpu', network, image, groupedConv2d);
  const others: { library: string; predict: Predict }[] = [];
  try {
    others.push({ library: 'tfjs-backend-wasm', predict: await onBackend('wasm', network, image, groupedConv2d) });
  } catch (error) {
    console.error(`${network.name}: tfjs-backend-wasm refuses it: ${(error as Error).message}`);
  }
  // Seconds for a prediction: once has to do.
  const start = performance.now();
  const expected = await cpu();
  const us = (performance.now() - start) * 1000;
  const reference = { network: network.name, library: 'tfjs-backend-cpu', threads: 1, error: 0 };
  results.push({ ...reference, us, lowerUs: us, upperUs: us });
  for (const threads of [1, 2]) {
    setThreads(threads);
    const row = [
      { library: 'depthwise', predict: ours },
      { library: 'onnxruntime-node', predict: await inOnnxruntime(network, image, threads) },
      ...(threads === 1 ? others : []),
    ];
    const errors: number[] = [];
    for (const { predict } of row) errors.push(difference(await predict(), expected));
    for (const { predict } of row) await warmUp(predict);
    const timings = await measure(
      row.map(({ predict }) => predict),
      effort,
    );
    for (const [i, timing] of timings.entries()) {
      results.push({ network: network.name, library: row[i]!.library, threads, error: errors[i]!, ...timing });
    }
  }
}

const ms = (us: number): string => (us / 1000).toFixed(1);
const lines = results.map(({ network, library, threads, us, lowerUs, upperUs, error }) => {
  const wasm = results.find((other) => other.network === network && other.library === 'tfjs-backend-wasm');
  const ratio = wasm ? (wasm.us / us).toFixed(1) : '';
  return [network, library, String(threads), ms(us), `${ms(lowerUs)}-${ms(upperUs)}`, ratio, error.toExponential(0)];
});
const head = ['network', 'library', 'threads', 'ms', 'quartiles', "x wasm's speed", 'error'];
console.log(`one image of 224x224, ${isa}

${align([head, ...lines], ['left', 'left', 'right', 'right', 'right', 'right', 'right'])}`);
const file = new URL('../results/tfjs.json', import.meta.url);
writeFileSync(file, `${JSON.stringify({ isa, results }, undefined, 1)}\n`);
console.log(`\n${file.pathname}`);

/** Until V8 has compiled what a prediction runs: tfjs's own code takes some 50 for that. */
async function warmUp(predict: Predict): Promise<void> {
  const end = performance.now() + 2000;
  for (let i = 0; i < 60 && performance.now() < end; i++) await predict();
}

/** Prediction with all tensors on one backend, result read out. Rejects where the backend can't run the network. */
async function onBackend(
  backend: string,
  network: Network,
  image: Float32Array,
  grouped: typeof groupedConv2d,
): Promise<Predict> {
  await tf.setBackend(backend);
  // Two copies of tfjs-core, the repository's and this folder's, share an engine but not their types.
  const model = fusedModel(tf as unknown as Parameters<typeof fusedModel>[0], network, grouped);
  const x = tf.tensor4d(image, [1, ...network.input]) as unknown as Parameters<typeof model.predict>[0];
  const predict: Predict = async () => {
    await tf.setBackend(backend);
    const y = model.predict(x);
    const values = y.dataSync() as Float32Array;
    y.dispose();
    return values;
  };
  await predict();
  return predict;
}

async function inOnnxruntime(network: Network, image: Float32Array, threads: number): Promise<Predict> {
  const [height, width, channels] = network.input;
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  const session = await InferenceSession.create(networkModel(network), options);
  // The transposition back is the same with pixels and channels in each other's place.
  const x = new Tensor('float32', toNhwc(image, 1, height * width, channels), [1, channels, height, width]);
  return async () => (await session.run({ x })).y!.data as Float32Array;
}

function difference(actual: Float32Array, expected: Float32Array): number {
  let error = actual.length === expected.length ? 0 : Number.NaN;
  let largest = 0;
  for (const [i, value] of expected.entries()) {
    error = Math.max(error, Math.abs(actual[i]! - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return error / largest;
}
