#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { version } from '../index.js';
import { type BenchArguments, bench } from './bench.js';
import { BUILTIN_FILTERS } from './builtin_filters.js';
import { type ConvArguments, conv } from './conv.js';
import { inOneLine, isUsage } from './errors.js';
import { info } from './info.js';

const abort = new AbortController();
const collect = (value: string, previous: string[] = []): string[] => [...previous, value];
const dataFormat = (): Option => new Option('--data-format <format>', 'of input and output').choices(['NHWC', 'NCHW']);

const program = new Command('depthwise')
  .description('Depthwise and grouped convolution of arrays and pictures.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(depthwise --help, or depthwise help COMMAND, says more)');

program
  .command('conv')
  .summary('convolve .npy files or pictures')
  .description(
    `Convolve .npy files or pictures (PNG, JPEG, WebP). Depthwise, unless --groups is given.

Pictures are read as [1, height, width, channels] of values in [0, 1], without alpha, and written clipped to that. \
Arrays are float32; other numbers are converted.

Results lie beside their inputs as NAME.conv.EXT, or go to --output or under --out-dir. A file that fails is \
reported and the others are finished; the exit code then is 1. A wrong command line exits with 2.`,
  )
  .argument('[inputs...]', "files, folders, patterns such as 'in/*.png', or - for .npy on stdin")
  .requiredOption('--filter <filter>', `FILE.npy, FILE.npz:NAME, FILE.safetensors:NAME, or ${BUILTIN_FILTERS}`)
  .option('--input <file>', 'the same as naming it; may be repeated', collect)
  .option('--output <file>', 'where one result goes; - is .npy on stdout')
  .option('--out-dir <folder>', 'where results go, under their own names')
  .addOption(new Option('--format <ext>', "of results, instead of the input's").choices(['npy', 'png', 'jpg', 'webp']))
  .option('--strides <n>', 'n or h,w (default: 1)')
  .option('--dilations <n>', 'n or h,w (default: 1)')
  .option(
    '--padding <padding>',
    'valid, same, same-lower, n, h,w or top,bottom,left,right (default: valid; same with a built-in filter)',
  )
  .addOption(dataFormat())
  .addOption(new Option('--filter-format <format>', "of the filter's file").choices(['HWIO', 'OIHW']))
  .option('--groups <n>', 'grouped convolution with so many groups, instead of depthwise; 1 is an ordinary one')
  .option('--bias <file>', 'a value per output channel, from FILE.npy, FILE.npz:NAME or FILE.safetensors:NAME')
  .option('--activation <name>', 'relu, relu6, silu …, leakyRelu:ALPHA, clip:MIN,MAX or prelu:FILE')
  .option('--jobs <n>', 'files in work at once; memory grows with it', '2')
  .option('--resume', 'skip inputs whose result is there; results are never there by half')
  .option('--json', 'a line of JSON per file, failures too')
  .option('--quiet', 'say nothing but what failed')
  .action(async (inputs: string[], options: ConvArguments) => {
    process.exitCode = await conv(inputs, options, abort.signal);
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
  .argument('<k>')
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

// The first stops after the files in work, which leaves no half-written ones; the second is the system's.
process.once('SIGINT', () => {
  abort.abort();
  process.exitCode = 130;
});
// A reader that closes the pipe early (head) ends the program without a complaint.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`depthwise: ${inOneLine(error)}\n`);
    process.exitCode = isUsage(error) ? 2 : 1;
  }
}
