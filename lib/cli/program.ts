import { Command, CommanderError, Option } from 'commander';
import { version } from '../index.js';
import { type BenchArguments, bench } from './bench.js';
import { BUILTIN_FILTERS } from './builtin_filters.js';
import { type ConvArguments, conv } from './conv.js';
import { inOneLine, UsageError } from './errors.js';
import { info } from './info.js';
import { ACTIVATIONS } from './values.js';

const abort = new AbortController();
const collect = (value: string, previous: string[] = []): string[] => [...previous, value];
const dataFormat = (): Option =>
  new Option('--data-format <format>', 'of input and output (default: NHWC)').choices(['NHWC', 'NCHW']);

const program = new Command('depthwise')
  .description('Depthwise and grouped convolution of arrays and pictures.')
  .version(version)
  .exitOverride()
  .configureOutput({
    outputError: (text, write) => write(`depthwise: ${inOneLine(text.replace(/^error: /, ''))}\n`),
  });

program
  .command('conv')
  .summary('convolve .npy files or pictures')
  .description(
    `Convolve .npy files or pictures (PNG, JPEG, WebP). Depthwise, unless --groups is given.

Pictures are read as [1, height, width, channels] of values in [0, 1], grey ones with one channel, and written clipped \
to that. Arrays are float32; other numbers are converted.

Results lie beside their inputs as NAME.conv.EXT, or go to --output or under --out-dir. A file that fails is \
reported and the others are finished; the exit code then is 1. A wrong command line exits with 2.

Built-in filters: ${BUILTIN_FILTERS}. sobel makes two channels of each, across and down; of a picture, the length of both.`,
  )
  .argument('[inputs...]', "files, folders, patterns such as 'in/*.png', or - for .npy on stdin")
  .requiredOption('--filter <filter>', 'FILE.npy, FILE.npz:NAME, FILE.safetensors:NAME, or a built-in one')
  .option('--input <file>', 'the same as naming it; may be repeated', collect)
  .option('--output <file>', 'where one result goes, as its extension says; - is .npy on stdout')
  .option('--out-dir <folder>', 'where results go, under their own names')
  .addOption(new Option('--format <ext>', "of results, instead of the input's").choices(['npy', 'png', 'jpg', 'webp']))
  .option('--strides <n>', 'n or h,w (default: 1)')
  .option('--dilations <n>', 'n or h,w (default: 1)')
  .option(
    '--padding <padding>',
    'valid, same, same-lower, n, h,w or top,bottom,left,right (default: valid; same for a built-in filter)',
  )
  .addOption(dataFormat())
  .addOption(
    new Option('--filter-format <format>', "of the filter's file (default: HWIO, TensorFlow's)").choices([
      'HWIO',
      'OIHW',
    ]),
  )
  .option('--groups <n>', 'grouped convolution with so many groups, instead of depthwise; 1 is an ordinary one')
  .option('--bias <file>', 'a value per output channel, from FILE.npy, FILE.npz:NAME or FILE.safetensors:NAME')
  .option('--activation <name>', ACTIVATIONS)
  .option('--keep-alpha', "filter a picture's alpha like its colours, instead of dropping it")
  .option('--jobs <n>', 'files in work at once; memory grows with it', '2')
  .option('--resume', 'skip inputs whose result is there; results are never there by half')
  .option('--json', 'a line of JSON per file, failures too')
  .option('--quiet', 'say nothing but what failed')
  .addHelpText(
    'after',
    `
Examples:
  depthwise conv photo.jpg --filter sharpen:0.5 --output sharp.png
  depthwise conv 'in/**/*.png' --filter gaussian:9 --out-dir blurred --resume
  depthwise conv --input x.npy --filter k.npy --padding same --strides 2 --output y.npy
  depthwise conv x.npy --filter model.safetensors:conv1.weight --filter-format OIHW --data-format NCHW --groups 4
  cat x.npy | depthwise conv - --filter k.npy --activation leakyRelu:0.1 > y.npy`,
  )
  .action(async (inputs: string[], options: ConvArguments) => {
    process.exitCode = (await conv(inputs, options, abort.signal)) ? 0 : 1;
  });

program
  .command('info')
  .summary('what runs here')
  .description('Version, instruction sets, threads, and which kernel runs which layer here.')
  .option('--json', 'as JSON')
  .action(({ json }: { json?: boolean }) => info(json ?? false));

program
  .command('bench')
  .summary('time one layer here')
  .description('Time one layer here: depthwise of k x k on an input of h x w x c, unless --groups is given.')
  .argument('<h>')
  .argument('<w>')
  .argument('<c>')
  .argument('<k>', 'n or h,w')
  .option('--batch <n>', 'images', '1')
  .option('--multiplier <n>', 'outputs per input channel of a depthwise convolution')
  .option('--groups <n>', 'grouped convolution with so many groups')
  .option('--out-channels <n>', 'of a grouped convolution (default: c)')
  .option('--strides <n>', 'n or h,w')
  .option('--dilations <n>', 'n or h,w')
  .option('--padding <padding>', 'as in conv', 'same')
  .addOption(dataFormat())
  .option('--json', 'as JSON')
  .action((h: string, w: string, c: string, k: string, options: BenchArguments) => bench([h, w, c, k], options));

// An exit code as the shell makes it of a signal. Files in work leave nothing half-written; a second signal is the system's.
let stopped: number | undefined;
const stop = (code: number): void => {
  stopped ??= code;
  abort.abort();
};
process.once('SIGINT', () => stop(128 + 2));
process.once('SIGTERM', () => stop(128 + 15));
// A reader that closes the pipe early (head) ends the program without a complaint, as SIGPIPE would.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code }: NodeJS.ErrnoException) => stop(code === 'EPIPE' ? 128 + 13 : 1));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`depthwise: ${inOneLine(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
if (stopped !== undefined) process.exitCode = stopped;
