import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import cliProgress from 'cli-progress';
import { type Activation, Conv2d, type Conv2dOptions, DepthwiseConv2d, type Tensor } from '../index.js';
import { readInput, readWeights, writeOutput } from './arrays.js';
import { builtinFilter, depthwiseFilter } from './builtin_filters.js';
import { asUsage, DataError, inOneLine, UsageError } from './errors.js';
import { type Job, planJobs } from './files.js';
import { isPicture, loadSharp } from './pictures.js';
import { activation, integer, padding, pair } from './values.js';

/** What the command line says, every value still text. */
export interface ConvArguments {
  input?: string[];
  filter: string;
  output?: string;
  outDir?: string;
  format?: string;
  strides?: string;
  dilations?: string;
  padding?: string;
  dataFormat?: 'NHWC' | 'NCHW';
  filterFormat?: 'HWIO' | 'OIHW';
  groups?: string;
  bias?: string;
  activation?: string;
  keepAlpha?: boolean;
  jobs: string;
  resume?: boolean;
  json?: boolean;
  quiet?: boolean;
}

type Convolution = DepthwiseConv2d | Conv2d;

interface Result {
  input: string;
  output: string;
  shape?: readonly number[];
  kernel?: string;
  milliseconds?: number;
  skipped?: boolean;
  error?: string;
}

/** Convolves every input; true where all went well. Stops after the files in work when `signal` is aborted. */
export async function conv(inputs: readonly string[], args: ConvArguments, signal: AbortSignal): Promise<boolean> {
  const parallel = integer('--jobs', args.jobs, 1);
  const options = readOptions(args);
  const jobs = await planJobs([...inputs, ...(args.input ?? [])], args);
  const picture = jobs.flatMap(({ input, output }) => [input, output]).find(isPicture);
  if (picture !== undefined) {
    if (args.dataFormat === 'NCHW') throw new UsageError(`${picture}: pictures are NHWC, NCHW is for arrays`);
    await loadSharp();
  }
  const layerFor = await prepare(args, options);
  const report = reporter(args, jobs);
  let failed = 0;
  const queue = jobs.values();
  const worker = async (): Promise<void> => {
    for (const job of queue) {
      if (signal.aborted) return;
      const result = await runJob(job, args, layerFor, signal);
      if (signal.aborted && result.error !== undefined) return;
      if (result.error !== undefined) failed++;
      report.done(result);
    }
  };
  // Each worker holds one input and one output: memory is bounded by their number, not by that of the files.
  await Promise.all(Array.from({ length: Math.min(parallel, jobs.length) }, worker));
  report.end(signal.aborted);
  return failed === 0;
}

async function runJob(
  job: Job,
  args: ConvArguments,
  layerFor: (channels: number) => Convolution,
  signal: AbortSignal,
): Promise<Result> {
  if (args.resume && job.output !== '-' && existsSync(job.output)) return { ...job, skipped: true };
  try {
    const { tensor: input, depth } = await readInput(job.input, args.keepAlpha ?? false);
    const start = performance.now();
    const layer = layerFor(channelsOf(input, args.dataFormat));
    let output = await layer.run(input, { signal });
    const milliseconds = performance.now() - start;
    const { kernel } = layer.explain(input.shape);
    if (isPicture(job.output) && args.filter === 'sobel') output = magnitude(output);
    if (job.output !== '-') await mkdir(dirname(job.output), { recursive: true });
    await writeOutput(job.output, output, depth);
    return { ...job, shape: output.shape, kernel, milliseconds };
  } catch (error) {
    return { ...job, error: inOneLine(error, job.input === '-' ? 'stdin' : job.input) };
  }
}

/** Reads the weights once; layers are then made per number of channels that inputs have. */
async function prepare(args: ConvArguments, options: Options): Promise<(channels: number) => Convolution> {
  const slopes =
    options.activation === 'prelu' ? await readWeights(args.activation!.slice('prelu:'.length)) : undefined;
  const complete: Conv2dOptions = {
    ...options,
    bias: args.bias === undefined ? undefined : await readWeights(args.bias),
    activation: options.activation === 'prelu' ? { type: 'prelu', alpha: slopes!.data } : options.activation,
  };
  const make = (filter: Tensor): Convolution =>
    complete.groups === undefined ? new DepthwiseConv2d(filter, complete) : new Conv2d(filter, complete);
  const planes = builtinFilter(args.filter);
  if (planes) {
    const layers = new Map<number, Convolution>();
    return (channels) => {
      const layer = layers.get(channels) ?? make(depthwiseFilter(planes, channels));
      layers.set(channels, layer);
      return layer;
    };
  }
  const filter = await readWeights(args.filter);
  try {
    const layer = make(filter);
    return () => layer;
  } catch (error) {
    const text = inOneLine(error);
    const file = text.startsWith('bias') ? args.bias : text.startsWith('activation') ? args.activation : args.filter;
    throw new DataError(`${file}: ${text}`);
  }
}

/** The options without what lies in files; what is wrong with them is found before a file is read. */
type Options = Omit<Conv2dOptions, 'bias' | 'activation'> & { activation: Activation | 'prelu' | undefined };

function readOptions(args: ConvArguments): Options {
  const builtin = builtinFilter(args.filter) !== undefined;
  if (builtin && (args.groups !== undefined || args.filterFormat !== undefined)) {
    throw new UsageError("a built-in filter is depthwise: --groups and --filter-format go with a filter's file");
  }
  const chosen = args.activation === undefined ? undefined : activation(args.activation);
  const options = {
    strides: args.strides === undefined ? undefined : pair('--strides', args.strides),
    dilations: args.dilations === undefined ? undefined : pair('--dilations', args.dilations),
    padding: args.padding === undefined ? (builtin ? 'same' : undefined) : padding(args.padding),
    dataFormat: args.dataFormat,
    filterFormat: args.filterFormat,
  };
  const one = { data: new Float32Array(1), shape: [1, 1, 1, 1] };
  asUsage(() => new Conv2d(one, { ...options, activation: chosen === 'prelu' ? undefined : chosen }));
  const groups = args.groups === undefined ? {} : { groups: integer('--groups', args.groups, 1) };
  return { ...options, ...groups, activation: chosen };
}

function channelsOf({ shape }: Tensor, dataFormat = 'NHWC'): number {
  return (dataFormat === 'NHWC' ? shape.at(-1) : shape.at(-3)) ?? 0;
}

// Two gradients a channel are no picture; their length is.
function magnitude({ data, shape }: Tensor): Tensor {
  const lengths = new Float32Array(data.length / 2);
  for (let i = 0; i < lengths.length; i++) lengths[i] = Math.hypot(data[2 * i]!, data[2 * i + 1]!);
  return { data: lengths, shape: [...shape.slice(0, -1), shape.at(-1)! / 2] };
}

interface Reporter {
  done(result: Result): void;
  end(interrupted: boolean): void;
}

/** What a person or, with --json, a machine is told: everything on stderr but the lines of --json. */
function reporter(args: ConvArguments, jobs: readonly Job[]): Reporter {
  // Results on stdout and lines on stdout would mix.
  const lines = jobs.some(({ output }) => output === '-') ? process.stderr : process.stdout;
  if (args.json) {
    return { done: (result) => void lines.write(`${JSON.stringify(result)}\n`), end: () => undefined };
  }
  const bar =
    jobs.length > 1 && process.stderr.isTTY && !args.quiet
      ? new cliProgress.SingleBar({
          format: '{bar} {value}/{total} {file}',
          stream: process.stderr,
          clearOnComplete: true,
        })
      : undefined;
  bar?.start(jobs.length, 0, { file: '' });
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const failures: string[] = [];
  let written = 0;
  let skipped = 0;
  return {
    done({ input, output, shape, kernel, milliseconds, error, skipped: wasSkipped }) {
      bar?.increment({ file: input });
      if (error !== undefined) {
        failures.push(`depthwise: ${error}`);
        if (!bar) say(failures.at(-1)!);
      } else if (wasSkipped) {
        skipped++;
      } else {
        written++;
        if (!bar && !args.quiet) say(`${input} -> ${output} [${shape}] ${kernel} ${milliseconds!.toFixed(1)} ms`);
      }
    },
    end(interrupted) {
      bar?.stop();
      if (bar) for (const failure of failures) say(failure);
      if (args.quiet || (jobs.length === 1 && !interrupted)) return;
      const left = jobs.length - written - skipped - failures.length;
      const counts = { written, skipped, failed: failures.length, 'not done': left };
      const parts = Object.entries(counts).map(([what, count]) => (count === 0 ? '' : `${count} ${what}`));
      say(parts.filter((part) => part !== '').join(', '));
    },
  };
}
