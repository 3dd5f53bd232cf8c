import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import cliProgress from 'cli-progress';
import { Conv2d, type Conv2dOptions, DepthwiseConv2d, type Tensor } from '../index.js';
import { isImage, readInput, readWeights, writeOutput } from './arrays.js';
import { builtinFilter, depthwiseFilter } from './builtin_filters.js';
import { inOneLine, isUsage } from './errors.js';
import { type Job, planJobs } from './files.js';
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

/** Convolves every input; the process's exit code: 0, or 1 where a file failed. */
export async function conv(inputs: readonly string[], args: ConvArguments, signal: AbortSignal): Promise<number> {
  const parallel = integer('jobs', args.jobs, 1);
  const layerFor = await prepare(args);
  const jobs = await planJobs([...inputs, ...(args.input ?? [])], args);
  const report = reporter(args, jobs);
  let failed = 0;
  const queue = jobs.values();
  const worker = async (): Promise<void> => {
    for (const job of queue) {
      if (signal.aborted) return;
      const result = await runJob(job, args, layerFor, signal);
      if (result.error !== undefined) failed++;
      report.done(result);
    }
  };
  // Each worker holds one input and one output: memory is bounded by their number, not by that of the files.
  await Promise.all(Array.from({ length: Math.min(parallel, jobs.length) }, worker));
  report.end(failed);
  return failed > 0 ? 1 : 0;
}

async function runJob(
  job: Job,
  args: ConvArguments,
  layerFor: (channels: number) => Convolution,
  signal: AbortSignal,
): Promise<Result> {
  if (args.resume && job.output !== '-' && existsSync(job.output)) return { ...job, skipped: true };
  try {
    const input = await readInput(job.input);
    const start = performance.now();
    const layer = layerFor(channelsOf(input, args.dataFormat));
    let output = await layer.run(input, { signal });
    const milliseconds = performance.now() - start;
    const { kernel } = layer.explain(input.shape);
    if (isImage(job.output) && args.filter === 'sobel') output = magnitude(output);
    if (job.output !== '-') await mkdir(dirname(job.output), { recursive: true });
    await writeOutput(job.output, output);
    return { ...job, shape: output.shape, kernel, milliseconds };
  } catch (error) {
    if (isUsage(error) && !signal.aborted) throw error;
    return { ...job, error: inOneLine(error, job.input) };
  }
}

/** Checks the options and reads the weights once; layers are then made per number of channels that inputs have. */
async function prepare(args: ConvArguments): Promise<(channels: number) => Convolution> {
  const planes = builtinFilter(args.filter);
  const filter = planes ? undefined : await readWeights(args.filter);
  const options = await convolutionOptions(args, planes !== undefined);
  const layers = new Map<number, Convolution>();
  return (channels) => {
    const key = planes ? channels : 0;
    let layer = layers.get(key);
    if (!layer) {
      const weights = filter ?? depthwiseFilter(planes!, channels);
      layer = options.groups === undefined ? new DepthwiseConv2d(weights, options) : new Conv2d(weights, options);
      layers.set(key, layer);
    }
    return layer;
  };
}

async function convolutionOptions(args: ConvArguments, builtin: boolean): Promise<Conv2dOptions> {
  const chosen = args.activation === undefined ? undefined : activation(args.activation);
  const slopes = chosen === 'prelu' ? await readWeights(args.activation!.slice('prelu:'.length)) : undefined;
  return {
    strides: args.strides === undefined ? undefined : pair('strides', args.strides),
    dilations: args.dilations === undefined ? undefined : pair('dilations', args.dilations),
    padding: args.padding === undefined ? (builtin ? 'same' : undefined) : padding(args.padding),
    dataFormat: args.dataFormat,
    filterFormat: builtin ? undefined : args.filterFormat,
    bias: args.bias === undefined ? undefined : await readWeights(args.bias),
    activation: chosen === 'prelu' ? { type: 'prelu', alpha: slopes!.data } : chosen,
    ...(args.groups !== undefined && { groups: integer('groups', args.groups, 1) }),
  };
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
  end(failed: number): void;
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
  const failures: string[] = [];
  let skipped = 0;
  return {
    done({ input, output, shape, kernel, milliseconds, error, skipped: wasSkipped }) {
      bar?.increment({ file: input });
      if (error !== undefined) failures.push(error);
      if (wasSkipped) skipped++;
      if (!bar && !args.quiet && error === undefined && !wasSkipped) {
        const what = `[${shape}] ${kernel} ${milliseconds!.toFixed(1)} ms`;
        process.stderr.write(`${input} -> ${output} ${what}\n`);
      }
      if (!bar && error !== undefined) process.stderr.write(`depthwise: ${error}\n`);
    },
    end(failed) {
      bar?.stop();
      if (bar) for (const failure of failures) process.stderr.write(`depthwise: ${failure}\n`);
      if (jobs.length > 1 && !args.quiet) {
        const parts = [`${jobs.length - failed - skipped} written`, `${skipped} skipped`, `${failed} failed`];
        process.stderr.write(`${parts.filter((part) => !part.startsWith('0 ')).join(', ')}\n`);
      }
    },
  };
}
