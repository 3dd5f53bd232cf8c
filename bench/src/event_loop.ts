// What a flood of convolutions does to the rest of a server: the event loop's delay and the latency of fs, idle, under
// this library's run, and under onnxruntime-node's run of the same layer.
import { writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createHistogram, monitorEventLoopDelay, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { getThreads } from '../../dist/index.js';
import type { Contender } from './competitors/competitor.js';
import { onnxruntime } from './competitors/onnxruntime.js';
import { ours } from './competitors/ours.js';
import { align } from './table.js';
import { makeTensors } from './tensors.js';
import { readWorkloads, type Workload } from './workload.js';

const { values: options } = parseArgs({
  options: {
    filter: { type: 'string', default: '^(56x56x96 k7|1080x1920x3 k5) ' },
    seconds: { type: 'string', default: '3' },
    'in-flight': { type: 'string', default: '8' },
  },
});
const milliseconds = Number(options.seconds) * 1000;
const inFlight = Number(options['in-flight']);

interface Observation {
  layer: string;
  load: string;
  callsPerSecond: number;
  loopDelayMs: Percentiles;
  fsMs: Percentiles;
}

interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

const loads: (Contender | undefined)[] = [
  undefined,
  ours.find(({ how, layout }) => how === 'await run' && layout === 'nhwc'),
  onnxruntime.find(({ how }) => how === 'await session.run'),
];

const observations: Observation[] = [];
const workloads = readWorkloads(new RegExp(options.filter));
const bar = new cliProgress.SingleBar({ format: '{bar} {value}/{total} {layer}', stopOnComplete: true });
bar.start(workloads.length * loads.length, 0, { layer: '' });
for (const workload of workloads) {
  for (const load of loads) {
    observations.push(await observe(workload, load));
    bar.increment({ layer: workload.layer });
  }
}
bar.stop();
console.log(`\n${inFlight} calls in flight, ${getThreads()} threads; milliseconds\n\n${format()}`);
const file = new URL('../results/event_loop.json', import.meta.url);
writeFileSync(file, `[\n${observations.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`);
console.log(`\n${file.pathname}`);

async function observe(workload: Workload, load: Contender | undefined): Promise<Observation> {
  const competitor = await load?.make(workload, makeTensors(workload), getThreads());
  await competitor?.call();
  await sleep(100); // the heap and the pools come to rest

  const end = performance.now() + milliseconds;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const fsLatency = createHistogram();
  let calls = 0;
  const flood = async () => {
    while (competitor && performance.now() < end) {
      await competitor.call();
      calls++;
    }
  };
  delay.enable();
  await Promise.all([probeFs(fsLatency, end), sleep(milliseconds), ...Array.from({ length: inFlight }, flood)]);
  delay.disable();
  competitor?.dispose?.();
  return {
    layer: workload.layer,
    load: load ? `${load.library} ${load.how}` : 'idle',
    callsPerSecond: Math.round((calls * 1000) / milliseconds),
    loopDelayMs: percentiles(delay),
    fsMs: percentiles(fsLatency),
  };
}

/** One stat at a time, with a pause between: what a request that reads a file would wait. */
async function probeFs(latency: RecordableHistogram, end: number): Promise<void> {
  while (performance.now() < end) {
    const start = process.hrtime.bigint();
    await stat(import.meta.filename);
    latency.record(process.hrtime.bigint() - start);
    await sleep(5);
  }
}

function percentiles(nanoseconds: { percentile(p: number): number; max: number }): Percentiles {
  const milliseconds = (value: number) => Number((value / 1e6).toPrecision(3));
  return {
    p50: milliseconds(nanoseconds.percentile(50)),
    p99: milliseconds(nanoseconds.percentile(99)),
    max: milliseconds(nanoseconds.max),
  };
}

function format(): string {
  const head = ['layer', 'load', 'calls/s', 'loop p50', 'p99', 'max', 'fs p50', 'p99', 'max'];
  const lines = observations.map(({ layer, load, callsPerSecond, loopDelayMs, fsMs }) => [
    layer,
    load,
    String(callsPerSecond),
    ...[loopDelayMs, fsMs].flatMap(({ p50, p99, max }) => [p50, p99, max].map(String)),
  ]);
  return align([head, ...lines], ['left', 'left', ...new Array<'right'>(7).fill('right')]);
}
