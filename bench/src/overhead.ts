// What this library costs besides the convolution: small calls, one-shot calls, awaited calls, the import, the addon.
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { Conv2d, conv2dSync, getThreads, setThreads } from '../../dist/index.js';
import { measure, type Timing, thorough } from './measure.js';
import { geometricMean } from './rows.js';
import { align } from './table.js';
import { makeTensors } from './tensors.js';
import { readWorkloads, type Workload } from './workload.js';

const root = new URL('../../', import.meta.url);
const filtersInTurn = 16;
setThreads(1);

const small = await smallCall();
const layers: LayerOverhead[] = [];
for (const workload of readWorkloads(/\| depthwise \| .*mobilenet/)) layers.push(await layerOverhead(workload));
const importMs = importTime();
const addonBytes = statSync(new URL('build/Release/depthwise.node', root)).size;

const head = ['layer', 'prepared', 'one-shot', 'ratio', 'fresh out', 'awaited', 'input copy', 'awaiting'];
const lines = layers.map((layer) => [
  layer.layer,
  ...[layer.preparedUs, layer.oneShotUs].map((us) => us.toFixed(1)),
  (layer.oneShotUs / layer.preparedUs).toFixed(2),
  ...[layer.freshUs, layer.awaitedUs, layer.copyUs, layer.awaitedUs - layer.freshUs - layer.copyUs].map((us) =>
    us.toFixed(1),
  ),
]);
console.log(`µs, one thread. prepared: runSync with out; one-shot: conv2dSync with out and a filter that was not used just before;
fresh out: runSync without out; awaited: run without out; awaiting: awaited less fresh out less the copy of the input

${align([head, ...lines], ['left', ...new Array<'right'>(7).fill('right')])}

one-shot over prepared: geometric mean ${geometricMean(layers.map((each) => each.oneShotUs / each.preparedUs)).toFixed(2)}
1x1x1x8: runSync ${small.runUs.toFixed(2)} µs, an empty call of the addon ${small.emptyUs.toFixed(2)} µs
import: ${importMs.toFixed(1)} ms; the addon: ${(addonBytes / 2 ** 20).toFixed(2)} MiB`);
const file = new URL('../results/overhead.json', import.meta.url);
writeFileSync(file, `${JSON.stringify({ small, importMs, addonBytes, layers }, rounded, 1)}\n`);
console.log(`\n${file.pathname}`);

interface LayerOverhead {
  layer: string;
  preparedUs: number;
  oneShotUs: number;
  freshUs: number;
  awaitedUs: number;
  copyUs: number;
}

async function layerOverhead(workload: Workload): Promise<LayerOverhead> {
  const { layer: name, batch, input, output, filter, strides, dilations, padding, groups } = workload;
  const tensors = makeTensors(workload);
  const source = { data: tensors.inputNhwc, shape: [batch, ...input] };
  const out = { data: new Float32Array(batch * output[0] * output[1] * output[2]), shape: [batch, ...output] };
  const filters = Array.from({ length: filtersInTurn }, () => ({
    data: tensors.filterHwio.slice(),
    shape: [...filter, input[2] / groups, output[2]],
  }));
  const options = { strides, dilations, padding, groups, bias: tensors.bias };
  const layer = new Conv2d(filters[0]!, options);
  const optionsAndOut = { ...options, out };
  const copy = new Float32Array(source.data.length);
  let turn = 0;
  const [prepared, oneShot, fresh, awaited, copied] = await measure(
    [
      () => layer.runSync(source, { out }),
      () => conv2dSync(source, filters[turn++ % filtersInTurn]!, optionsAndOut),
      () => layer.runSync(source),
      () => layer.run(source),
      () => copy.set(source.data),
    ],
    thorough,
  );
  return {
    layer: name,
    preparedUs: prepared!.us,
    oneShotUs: oneShot!.us,
    freshUs: fresh!.us,
    awaitedUs: awaited!.us,
    copyUs: copied!.us,
  };
}

async function smallCall(): Promise<{ runUs: number; emptyUs: number }> {
  const tensor = () => ({ data: new Float32Array(8), shape: [1, 1, 1, 8] });
  const layer = new Conv2d(tensor(), { groups: 8 });
  const [input, out] = [tensor(), tensor()];
  const many = 1000; // a call is shorter than reading the clock
  const repeated = (call: () => unknown) => () => {
    for (let i = 0; i < many; i++) call();
  };
  const calls = [repeated(() => layer.runSync(input, { out })), repeated(getThreads)];
  const [run, empty] = (await measure(calls, thorough)) as [Timing, Timing];
  return { runUs: run.us / many, emptyUs: empty.us / many };
}

/** Milliseconds of `import('depthwise')` in a fresh process that has imported something before, the median of eleven. */
function importTime(): number {
  const script = `await import('data:text/javascript,'); const start = performance.now(); await import('${new URL('dist/index.js', root)}');
    console.log(performance.now() - start);`;
  const run = () => spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout;
  const times = Array.from({ length: 11 }, () => Number(run()));
  return times.sort((a, b) => a - b)[5]!;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
