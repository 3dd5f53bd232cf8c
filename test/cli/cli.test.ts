import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { conv2dSync, depthwiseConv2dSync, type Tensor, version } from '../../lib/index.js';
import { decodeNpy, encodeNpy, readNpy, writeNpy, writeNpz } from '../../lib/io/index.js';

const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

interface Outcome {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'depthwise-cli-'));
});
afterEach(() => rm(folder, { recursive: true }));

function depthwise(args: string[], stdin?: Uint8Array): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', tsx, main, ...args], { cwd: folder });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }));
    child.stdin.end(stdin);
  });
}

const tensor = (shape: number[], scale = 1): Tensor => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => scale * Math.sin(i)),
  shape,
});
const put = (name: string, array: Tensor): Promise<void> => writeNpy(join(folder, name), array);
const get = (name: string): ReturnType<typeof readNpy> => readNpy(join(folder, name));
const picture = (name: string, seed = 0): Promise<unknown> =>
  sharp(Buffer.from(Uint8Array.from({ length: 20 * 16 * 3 }, (_, i) => (i * 37 + seed) % 256)), {
    raw: { width: 20, height: 16, channels: 3 },
  }).toFile(join(folder, name));

describe('arrays', () => {
  const x = tensor([2, 9, 8, 4]);
  const k = tensor([3, 3, 4, 2]);

  test('depthwise by default, every option by its name', async () => {
    const bias = tensor([8]);
    await Promise.all([put('x.npy', x), put('k.npy', k), put('b.npy', bias)]);
    const args =
      '--input x.npy --filter k.npy --padding same --strides 2,1 --dilations 1,2 --bias b.npy --activation relu6';
    expect(await depthwise(['conv', ...args.split(' '), '--output', 'y.npy'])).toMatchObject({ code: 0 });
    const options = { padding: 'same', strides: [2, 1], dilations: [1, 2], bias, activation: 'relu6' } as const;
    expect(await get('y.npy')).toEqual(depthwiseConv2dSync(x, k, options));
  });

  test('grouped, OIHW, NCHW, explicit padding, prelu, weights from .npz', async () => {
    const input = tensor([1, 4, 7, 6]);
    const filter = tensor([6, 2, 3, 3]);
    const slopes = tensor([6]);
    await put('x.npy', input);
    await writeNpz(
      join(folder, 'w.npz'),
      new Map([
        ['filter', filter],
        ['slopes', slopes],
      ]),
    );
    const args =
      '--filter w.npz:filter --filter-format OIHW --data-format NCHW --groups 2 --padding 0,1,2,0 --activation prelu:w.npz:slopes';
    expect(await depthwise(['conv', 'x.npy', ...args.split(' ')])).toMatchObject({ code: 0 });
    const expected = conv2dSync(input, filter, {
      filterFormat: 'OIHW',
      dataFormat: 'NCHW',
      groups: 2,
      padding: [
        [0, 1],
        [2, 0],
      ],
      activation: { type: 'prelu', alpha: slopes.data },
    });
    expect(await get('x.conv.npy')).toEqual(expected);
  });

  test('stdin to stdout, lines of --json on stderr then', async () => {
    await put('k.npy', k);
    const { code, stdout, stderr } = await depthwise(['conv', '-', '--filter', 'k.npy', '--json'], encodeNpy(x));
    expect(code).toBe(0);
    expect(decodeNpy(stdout)).toEqual(depthwiseConv2dSync(x, k));
    expect(JSON.parse(stderr)).toMatchObject({ input: '-', shape: [2, 7, 6, 8] });
  });

  test('numbers of other types are converted', async () => {
    await writeFile(join(folder, 'x.npy'), encodeNpy({ data: Uint8Array.of(1, 2, 3, 4), shape: [1, 2, 2, 1] }));
    await put('k.npy', { data: Float32Array.of(2), shape: [1, 1, 1, 1] });
    expect(await depthwise(['conv', 'x.npy', '--filter', 'k.npy'])).toMatchObject({ code: 0 });
    expect((await get('x.conv.npy')).data).toEqual(Float32Array.of(2, 4, 6, 8));
  });
});

describe('pictures', () => {
  test.each(['gaussian:5,1.2', 'sobel', 'laplacian', 'box:5', 'sharpen', 'emboss', 'sobel-x', 'sobel-y'])(
    '%s',
    async (filter) => {
      await picture('a.png');
      expect(await depthwise(['conv', 'a.png', '--filter', filter])).toMatchObject({ code: 0 });
      expect(await sharp(join(folder, 'a.conv.png')).metadata()).toMatchObject({ width: 20, height: 16, channels: 3 });
    },
  );

  test('the identity leaves every pixel as it is; png to npy and webp', async () => {
    await picture('a.png');
    expect(await depthwise('conv a.png --filter box:1 --output b.png'.split(' '))).toMatchObject({ code: 0 });
    const [a, b] = await Promise.all(['a.png', 'b.png'].map((name) => sharp(join(folder, name)).raw().toBuffer()));
    expect(b).toEqual(a);
    expect(await depthwise('conv a.png --filter sobel --format npy --out-dir out'.split(' '))).toMatchObject({
      code: 0,
    });
    expect((await get('out/a.npy')).shape).toEqual([1, 16, 20, 6]);
    expect(await depthwise('conv a.png --filter box --output a.webp'.split(' '))).toMatchObject({ code: 0 });
    expect(await sharp(join(folder, 'a.webp')).metadata()).toMatchObject({ format: 'webp', width: 20 });
  });
});

describe('many files', () => {
  beforeEach(async () => {
    await mkdir(join(folder, 'in/deep'), { recursive: true });
    await Promise.all([
      ...['a', 'b', 'c', 'd'].map((name, i) => picture(`in/${name}.png`, i)),
      picture('in/deep/e.png'),
      writeFile(join(folder, 'in/broken.png'), 'no picture'),
      writeFile(join(folder, 'in/notes.txt'), 'not an input'),
    ]);
  });

  test('a broken one is reported, the others are finished, exit code 1; nothing half-written stays', async () => {
    const { code, stderr } = await depthwise('conv in --filter box --out-dir out --jobs 3'.split(' '));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^depthwise: in[/\\]broken\.png: .*unsupported image format$/m);
    expect(stderr).toContain('4 written, 1 failed');
    expect(stderr).not.toContain('at ');
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['a.png', 'b.png', 'c.png', 'd.png']);
  });

  test('--resume does what is missing only', async () => {
    await rm(join(folder, 'in/broken.png'));
    await depthwise('conv in --filter box --out-dir out'.split(' '));
    const before = await stat(join(folder, 'out/a.png'));
    await rm(join(folder, 'out/b.png'));
    const { code, stdout } = await depthwise('conv in --filter box --out-dir out --resume --json'.split(' '));
    expect(code).toBe(0);
    const lines = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ skipped }) => !skipped).map(({ output }) => output)).toEqual([join('out', 'b.png')]);
    expect((await stat(join(folder, 'out/a.png'))).mtimeMs).toBe(before.mtimeMs);
  });

  test('a pattern keeps the folders below it; results beside inputs are no inputs next time', async () => {
    expect((await depthwise(['conv', 'in/**/[ae].png', '--filter', 'box', '--out-dir', 'out'])).code).toBe(0);
    expect(await readdir(join(folder, 'out/deep'))).toEqual(['e.png']);
    await rm(join(folder, 'in/broken.png'));
    await depthwise(['conv', 'in', '--filter', 'box', '--quiet']);
    await depthwise(['conv', 'in', '--filter', 'box', '--quiet']);
    expect((await readdir(join(folder, 'in'))).filter((name) => name.includes('.conv.conv.'))).toEqual([]);
  });
});

describe('what is wrong is said in one line', () => {
  test.each<[string, string, number, RegExp]>([
    ['no filter', 'conv x.npy', 2, /required option '--filter <filter>'/],
    ['no input', 'conv --filter box', 2, /^depthwise: no input/],
    ['an unknown command', 'con x.npy', 2, /unknown command 'con'\n\(Did you mean conv\?\)/],
    [
      'an unknown option',
      'conv x.npy --filter box --stride 2',
      2,
      /unknown option '--stride'\n\(Did you mean --strides\?\)/,
    ],
    ['an unknown filter', 'conv x.npy --filter gausian', 2, /'gausian' is neither/],
    ['too many numbers for a filter', 'conv x.npy --filter box:3,4', 2, /--filter box takes :SIZE/],
    ['a huge filter', 'conv x.npy --filter box:257', 2, /1 to 255/],
    [
      'strides that are no numbers',
      'conv x.npy --filter box --strides a',
      2,
      /--strides must be a whole number or two/,
    ],
    ['strides that are too small', 'conv x.npy --filter box --strides 0', 2, /strides must be an integer >= 1, got 0/],
    ['a padding of three', 'conv x.npy --filter box --padding 1,2,3', 2, /--padding must be/],
    ['an unknown activation', 'conv x.npy --filter box --activation swish', 2, /--activation must be/],
    ['an unknown format', 'conv x.npy --filter box --data-format HWC', 2, /Allowed choices are NHWC, NCHW/],
    ['a pattern without a match', 'conv none/*.png --filter box', 2, /no file matches/],
    ['two inputs into one output', 'conv x.npy k.npy --filter box --output y.npy', 2, /use --out-dir/],
    ['the input as output', 'conv x.npy --filter box --output ./x.npy', 2, /would overwrite it/],
    ['two results of one name', 'conv x.npy sub/x.npy --filter box --out-dir out', 2, /would both be written to/],
    ['groups that are no number', 'conv x.npy --filter k.npy --groups two', 2, /--groups must be a whole number/],
    ['a missing file', 'conv none.npy --filter box', 1, /none\.npy: no such file or directory/],
    ['a missing filter', 'conv x.npy --filter none.npy', 1, /none\.npy: no such file or directory/],
    ['a truncated array', 'conv short.npy --filter box', 1, /short\.npy: \.npy array declares shape/],
    ['complex numbers', 'conv complex.npy --filter box', 1, /'<c8' is not read/],
    ['a kind that is not read', 'conv x.txt --filter box', 1, /x\.txt: not a kind of file/],
    ['a filter that does not fit', 'conv x.npy --filter k.npy', 1, /x\.npy: filter\.shape\[2\] must equal/],
    ['a result that is no picture', 'conv five.npy --filter box --output y.png', 1, /five\.npy: an image has shape/],
    ['a name that a file lacks', 'conv x.npy --filter w.npz:none', 1, /w\.npz: has no array 'none'; it has k/],
    ['bench without sizes', 'bench 3 3', 2, /missing required argument 'c'/],
    ['bench with groups that do not divide', 'bench 8 8 6 3 --groups 4', 2, /--groups 4 must divide/],
  ])('%s', async (_, args, code, message) => {
    await mkdir(join(folder, 'sub'));
    await Promise.all([
      put('x.npy', tensor([1, 5, 5, 3])),
      put('sub/x.npy', tensor([1, 5, 5, 3])),
      put('five.npy', tensor([1, 5, 5, 5])),
      put('k.npy', tensor([3, 3, 2, 1])),
      writeFile(join(folder, 'short.npy'), encodeNpy(tensor([1, 5, 5, 3])).slice(0, -9)),
      writeFile(join(folder, 'complex.npy'), await readFile(new URL('../io/fixtures/complex.npy', import.meta.url))),
      writeFile(join(folder, 'x.txt'), 'x'),
      writeNpz(join(folder, 'w.npz'), new Map([['k', tensor([3, 3, 3, 1])]])),
    ]);
    const before = await readdir(folder, { recursive: true });
    const outcome = await depthwise(args.split(' '));
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
    expect(outcome.code).toBe(code);
    const after = await readdir(folder, { recursive: true });
    expect(after.filter((name) => name !== 'out')).toEqual(before);
  });
});

test('info and bench, for people and for machines', async () => {
  expect((await depthwise(['--version'])).stdout.toString().trim()).toBe(version);
  expect((await depthwise(['info'])).stdout.toString()).toMatch(/instruction set.*\nthreads/);
  const info = JSON.parse((await depthwise(['info', '--json'])).stdout.toString());
  expect(info).toMatchObject({ version, kernels: { NHWC: { 'depthwise 3x3': expect.any(String) } } });
  const bench = JSON.parse((await depthwise('bench 14 14 32 3 --strides 2 --json'.split(' '))).stdout.toString());
  expect(bench).toMatchObject({ output: [1, 7, 7, 32], microseconds: { median: expect.any(Number) } });
});
