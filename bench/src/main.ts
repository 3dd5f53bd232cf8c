import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { availableIsas, version } from '../../dist/index.js';
import { quick, thorough } from './measure.js';
import { nativeBench } from './native_bench.js';
import { nodeBench } from './node_bench.js';
import { writePlots } from './plots.js';
import type { NativeRow, Row } from './rows.js';
import { formatRefused, formatSummary, formatTable } from './table.js';
import { readWorkloads } from './workload.js';

const usage = `Times depthwise beside oneDNN and XNNPACK (in C++), onnxruntime-node and tfjs-backend-wasm (in Node).

  npm run bench -- [options]

  --quick          a minute's worth: the published table's layers, few rounds
  --filter REGEX   only layers of bench/layers.txt of which it matches 'layer | kind | used by'
  --threads LIST   1,2,... (default: 1 and as many as there are CPUs)
  --isa LIST       instruction sets for the C++ part (default: the two best)
  --only PART      native or node
  --event-loop     instead: what a flood of calls does to the event loop and to fs
  --overhead       instead: what a call costs besides the convolution
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    filter: { type: 'string' },
    threads: { type: 'string', default: [...new Set([1, availableParallelism()])].join(',') },
    isa: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  process.stdout.write(usage);
  process.exit(0);
}

const filter = options.filter ?? (options.quick ? 'table' : '');
const workloads = readWorkloads(new RegExp(filter));
const threadCounts = options.threads.split(',').map(Number);
const isas = (options.isa ?? availableIsas.slice(0, 2).join(',')).split(',');
const results = new URL('../results/', import.meta.url);

const native: NativeRow[] = [];
const node: Row[] = [];
if (options.only !== 'node') {
  const rows = nativeBench({ filter, isas, threadCounts, quick: options.quick });
  await collect('C++', rows, native);
}
if (options.only !== 'native') {
  await collect('Node', nodeBench(workloads, threadCounts, options.quick ? quick : thorough), node);
}

for (const [title, rows] of [
  ['In C++, hot caches', native],
  ['In Node.js', node],
] as const) {
  if (rows.length === 0) continue;
  console.log(
    `\n${title}\n\n${formatTable(rows)}\n\n${formatSummary(rows)}\n\nNot counted:\n${formatRefused(rows) || 'none'}`,
  );
}
const json = new URL('results.json', results);
writeFileSync(json, formatJson());
console.log(`\n${[json.pathname, ...(await writePlots(native, node, results))].join('\n')}`);

async function collect<T extends Row>(title: string, rows: AsyncGenerator<T>, into: T[]): Promise<void> {
  const bar = new cliProgress.SingleBar({ format: `${title} {bar} {value}/{total} {layer}`, stopOnComplete: true });
  bar.start(workloads.length * threadCounts.length, 0, { layer: '' });
  for await (const row of rows) {
    into.push(row);
    bar.increment({ layer: row.layer });
  }
  bar.stop();
}

/** One line a row, so that runs can be compared by their lines. */
function formatJson(): string {
  const machine = { cpu: cpus()[0]?.model, cpus: availableParallelism(), node: process.version, depthwise: version };
  const lines = (rows: readonly Row[]) => rows.map((row) => `    ${JSON.stringify(row, rounded)}`).join(',\n');
  return `{
  "machine": ${JSON.stringify(machine)},
  "native": [\n${lines(native)}\n  ],
  "node": [\n${lines(node)}\n  ]
}
`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
