import { availableIsas, Conv2d, getThreads, isa, version } from '../index.js';

// A layer of each kind whose kernel is worth knowing: [height, width, channels], outputs, groups, filter.
const SAMPLES: Record<string, { shape: [number, number, number]; outputs: number; groups: number; k: number }> = {
  'depthwise 3x3': { shape: [56, 56, 64], outputs: 64, groups: 64, k: 3 },
  'depthwise 5x5': { shape: [28, 28, 64], outputs: 64, groups: 64, k: 5 },
  'depthwise, multiplier 2': { shape: [56, 56, 32], outputs: 64, groups: 32, k: 3 },
  'picture, 3 channels': { shape: [256, 256, 3], outputs: 3, groups: 3, k: 5 },
  'groups of 4 channels': { shape: [56, 56, 128], outputs: 128, groups: 32, k: 3 },
  'groups of 48 channels': { shape: [14, 14, 432], outputs: 432, groups: 9, k: 3 },
  'dense 1x1': { shape: [14, 14, 256], outputs: 256, groups: 1, k: 1 },
};

/** Prints the version, instruction sets, threads, and the kernel that each kind of layer runs on here. */
export function info(json: boolean): void {
  const kernels = Object.fromEntries(
    ['NHWC', 'NCHW'].map((format) => [
      format,
      Object.fromEntries(Object.entries(SAMPLES).map(([name, sample]) => [name, kernelOf(format as 'NHWC', sample)])),
    ]),
  );
  const facts = { version, isa, availableIsas, threads: getThreads(), node: process.version, kernels };
  if (json) {
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return;
  }
  const names = Object.keys(SAMPLES);
  const width = Math.max(...names.map((name) => name.length));
  const column = Math.max(...names.map((name) => kernels.NHWC![name]!.length), 4);
  process.stdout.write(`depthwise ${version} on Node.js ${process.version}
instruction set  ${isa} (available: ${availableIsas.join(', ')})
threads          ${getThreads()}

${'kernels'.padEnd(width)}  ${'NHWC'.padEnd(column)}  NCHW
${names.map((name) => `${name.padEnd(width)}  ${kernels.NHWC![name]!.padEnd(column)}  ${kernels.NCHW![name]}`).join('\n')}
`);
}

function kernelOf(dataFormat: 'NHWC' | 'NCHW', { shape, outputs, groups, k }: (typeof SAMPLES)[string]): string {
  const [height, width, channels] = shape;
  const filterShape = [k, k, channels / groups, outputs];
  const filter = { data: new Float32Array(filterShape.reduce((a, b) => a * b)), shape: filterShape };
  const layer = new Conv2d(filter, { groups, padding: 'same', dataFormat });
  return layer.explain(dataFormat === 'NHWC' ? [1, height, width, channels] : [1, channels, height, width]).kernel;
}
