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

function depthwise(args: string[], stdin?: Uint8Array, env = process.env): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', tsx, main, ...args], { cwd: folder, env });
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

describe('what pictures become', () => {
  const convolved = async (name: string, ...more: string[]) => {
    const args = ['conv', name, '--filter', 'box:1', '--output', 'y.npy', '--quiet', ...more];
    expect(await depthwise(args)).toMatchObject({ code: 0, stderr: '' });
    return get('y.npy');
  };
  const identity = async (name: string, output: string) => {
    expect(await depthwise(['conv', name, '--filter', 'box:1', '--output', output])).toMatchObject({ code: 0 });
    return sharp(join(folder, output)).metadata();
  };
  const of = (data: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4) =>
    sharp(data, { raw: { width: 2, height: 2, channels } });

  test('a grey one has one channel, and stays grey', async () => {
    await of(Uint8Array.of(0, 51, 102, 255), 1)
      .toColourspace('b-w')
      .toFile(join(folder, 'grey.png'));
    expect(await convolved('grey.png')).toEqual({ data: Float32Array.of(0, 0.2, 0.4, 1), shape: [1, 2, 2, 1] });
    expect(await identity('grey.png', 'y.png')).toMatchObject({ space: 'b-w', channels: 1, depth: 'uchar' });
    expect(await identity('grey.png', 'y.jpg')).toMatchObject({ space: 'b-w', channels: 1 });
  });

  test('alpha is dropped, or kept as one more channel', async () => {
    const pixels = Uint8Array.from({ length: 16 }, (_, i) => 255 - i * 16);
    await of(pixels, 4).toFile(join(folder, 'alpha.png'));
    expect((await convolved('alpha.png')).shape).toEqual([1, 2, 2, 3]);
    const kept = await convolved('alpha.png', '--keep-alpha');
    expect(kept).toEqual({ data: Float32Array.from(pixels, (value) => value / 255), shape: [1, 2, 2, 4] });
  });

  test('16 bits a channel are kept', async () => {
    const values = Uint16Array.of(0, 1, 257, 1000, 2000, 3000, 65534, 65535, 40000, 7, 8, 9);
    await of(values, 3).toColourspace('rgb16').toFile(join(folder, 'deep.png'));
    expect(await convolved('deep.png')).toEqual({
      data: Float32Array.from(values, (value) => value / 65535),
      shape: [1, 2, 2, 3],
    });
    expect(await identity('deep.png', 'y.png')).toMatchObject({ depth: 'ushort', channels: 3 });
    const back = await sharp(join(folder, 'y.png')).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer();
    expect(new Uint16Array(back.buffer, back.byteOffset, 12)).toEqual(values);
    expect(await identity('deep.png', 'y.webp')).toMatchObject({ depth: 'uchar', channels: 3 });
    await of(values.slice(0, 4), 1).toColourspace('grey16').toFile(join(folder, 'deep_grey.png'));
    expect((await convolved('deep_grey.png')).shape).toEqual([1, 2, 2, 1]);
    expect(await identity('deep_grey.png', 'y.png')).toMatchObject({ depth: 'ushort', channels: 1 });
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

  test('an array that no layer takes is reported like a broken file', async () => {
    await Promise.all([put('in/flat.npy', tensor([4, 4])), put('in/good.npy', tensor([1, 4, 4, 2]))]);
    const { code, stderr } = await depthwise('conv in --filter box --out-dir out'.split(' '));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^depthwise: in[/\\]flat\.npy: input\.shape must have 3 or 4 sizes/m);
    expect(stderr).toContain('5 written, 2 failed');
  });

  test('files of one name from several folders do not meet', async () => {
    await mkdir(join(folder, 'other'));
    await Promise.all([picture('other/a.png', 9), picture('other/z.png'), picture('in/a.webp')]);
    const results = async () => (await readdir(join(folder, 'out'), { recursive: true })).sort();
    await depthwise('conv in/b.png other/z.png --filter box --out-dir out'.split(' '));
    expect(await results()).toEqual(['b.png', 'z.png']);
    await rm(join(folder, 'out'), { recursive: true });
    await depthwise('conv in/a.png other --filter box --out-dir out'.split(' '));
    expect(await results()).toEqual([
      'in',
      join('in', 'a.png'),
      'other',
      join('other', 'a.png'),
      join('other', 'z.png'),
    ]);
    await rm(join(folder, 'out'), { recursive: true });
    await depthwise('conv in/a.png in/a.webp --filter box --out-dir out --format npy'.split(' '));
    expect(await results()).toEqual(['a.png.npy', 'a.webp.npy']);
  });

  test('results within the pattern are not convolved again', async () => {
    for (let run = 0; run < 2; run++) {
      await depthwise(['conv', '**/[ab].png', '--filter', 'box', '--out-dir', 'out']);
      await depthwise(['conv', '**/[ab]*.png', '--filter', 'box', '--quiet']);
      await rm(join(folder, 'in/broken.conv.png'), { force: true });
    }
    expect((await readdir(join(folder, 'out'), { recursive: true })).sort()).toEqual(
      ['in', ...['a.conv', 'a', 'b.conv', 'b'].map((name) => join('in', `${name}.png`))].sort(),
    );
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
    ['an unknown command', 'con x.npy', 2, /unknown command 'con' \(Did you mean conv\?\)/],
    [
      'an unknown option',
      'conv x.npy --filter box --stride 2',
      2,
      /unknown option '--stride' \(Did you mean --strides\?\)/,
    ],
    ['an unknown filter', 'conv x.npy --filter gausian', 2, /'gausian' is neither/],
    ['too many numbers for a filter', 'conv x.npy --filter box:3,4', 2, /--filter box takes box:SIZE=3/],
    ['a huge filter', 'conv x.npy --filter box:257', 2, /1 to 255/],
    [
      'strides that are no numbers',
      'conv x.npy --filter box --strides a',
      2,
      /--strides must be a whole number of at least 1, or two/,
    ],
    [
      'strides that are too small',
      'conv x.npy --filter box --strides 0',
      2,
      /--strides must be a whole number of at least 1/,
    ],
    ['a padding of three', 'conv x.npy --filter box --padding 1,2,3', 2, /--padding must be/],
    ['an unknown activation', 'conv x.npy --filter box --activation swish', 2, /--activation must be/],
    ['an unknown format', 'conv x.npy --filter box --data-format HWC', 2, /Allowed choices are NHWC, NCHW/],
    ['a pattern without a match', 'conv none/*.png --filter box', 2, /no file matches/],
    ['two inputs into one output', 'conv x.npy k.npy --filter box --output y.npy', 2, /use --out-dir/],
    ['the input as output', 'conv x.npy --filter box --output ./x.npy', 2, /would overwrite it/],
    [
      'an output of no known kind',
      'conv x.npy --filter box --output y.txt',
      2,
      /y\.txt: not a kind of file that is written/,
    ],
    ['two destinations', 'conv x.npy --filter box --output y.npy --out-dir out', 2, /exclude each other/],
    [
      'a clip upside down',
      'conv x.npy --filter box --activation clip:2,1',
      2,
      /activation\.min must be <= activation\.max/,
    ],
    ['a clip without a number', 'conv x.npy --filter box --activation clip:,1', 2, /--activation must be one of/],
    ['groups of a built-in filter', 'conv x.npy --filter box --groups 3', 2, /built-in filter is depthwise/],
    ['a picture in NCHW', 'conv x.npy --filter box --data-format NCHW --output x.png', 2, /x\.png: pictures are NHWC/],
    ['a matrix', 'conv matrix.npy --filter box', 1, /matrix\.npy: input\.shape must have 3 or 4 sizes/],
    ['a filter of three sizes', 'conv x.npy --filter three.npy', 1, /three\.npy: filter\.shape must have 4 sizes/],
    ['a bias of another length', 'conv x.npy --filter w.npz --bias five.npy', 1, /five\.npy: bias must have/],
    ['many arrays and no name', 'conv x.npy --filter two.npz', 1, /two\.npz: which array\? It has a, b/],
    ['a filter larger than the input', 'conv x.npy --filter box:9 --padding valid', 1, /x\.npy: .*9/],
    [
      'four channels into a JPEG',
      'conv four.npy --filter box --output y.jpg',
      1,
      /four\.npy: the result has 4 channels/,
    ],
    ['an out-dir that is a file', 'conv x.npy --filter box --out-dir x.txt', 1, /x\.txt/],
    ['a folder as output', 'conv x.npy --filter box --output dir.npy', 1, /dir\.npy: is a directory/],
    ['bench with a filter that does not fit', 'bench 3 3 4 5 --padding valid', 2, /5/],
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
    await Promise.all([mkdir(join(folder, 'sub')), mkdir(join(folder, 'dir.npy'))]);
    await Promise.all([
      put('x.npy', tensor([1, 5, 5, 3])),
      put('sub/x.npy', tensor([1, 5, 5, 3])),
      put('five.npy', tensor([1, 5, 5, 5])),
      put('four.npy', tensor([1, 5, 5, 4])),
      put('matrix.npy', tensor([5, 3])),
      put('three.npy', tensor([3, 3, 3])),
      writeNpz(join(folder, 'two.npz'), new Map(['a', 'b'].map((name) => [name, tensor([3, 3, 3, 1])]))),
      put('k.npy', tensor([3, 3, 2, 1])),
      writeFile(join(folder, 'short.npy'), encodeNpy(tensor([1, 5, 5, 3])).slice(0, -9)),
      writeFile(join(folder, 'complex.npy'), await readFile(new URL('../io/fixtures/complex.npy', import.meta.url))),
      writeFile(join(folder, 'x.txt'), 'x'),
      writeNpz(join(folder, 'w.npz'), new Map([['k', tensor([3, 3, 3, 1])]])),
    ]);
    const before = await readdir(folder, { recursive: true });
    const outcome = await depthwise(args.split(' '));
    expect(outcome.stderr).toMatch(/^depthwise: [^\n]+\n$/);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.code).toBe(code);
    const after = await readdir(folder, { recursive: true });
    expect(after.filter((name) => name !== 'out')).toEqual(before);
  });
});

test('stdin that is no .npy, and a filter from an archive of one array', async () => {
  await writeNpz(join(folder, 'w.npz'), new Map([['k', tensor([3, 3, 4, 2])]]));
  const args = ['conv', '-', '--filter', 'w.npz'];
  const bad = await depthwise(args, Buffer.from('no array'));
  expect(bad).toMatchObject({ code: 1, stderr: expect.stringMatching(/^depthwise: stdin: not a \.npy file[^\n]*\n$/) });
  const good = await depthwise(args, encodeNpy(tensor([1, 4, 4, 4])));
  expect(decodeNpy(good.stdout).shape).toEqual([1, 2, 2, 8]);
});

test('a bad environment is one line, too', async () => {
  const outcome = await depthwise(['info'], undefined, { ...process.env, DEPTHWISE_ISA: 'mmx' });
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toMatch(/^depthwise: the environment variable DEPTHWISE_ISA must [^\n]+\n$/);
});

test('what a file says of itself does not reach the terminal as it is', async () => {
  const bytes = encodeNpy(tensor([1, 4, 4, 4]));
  bytes.set(Buffer.from('\u001b]0;x\u0007'), 12);
  await writeFile(join(folder, 'x.npy'), bytes);
  const { code, stderr } = await depthwise(['conv', 'x.npy', '--filter', 'box']);
  expect(code).toBe(1);
  expect(stderr).toContain('\\x1b]0;x\\x07');
  expect(stderr.trim()).not.toMatch(/\p{Cc}/u);
});

describe('stopped early', () => {
  const manyFiles = async (): Promise<void> => {
    await mkdir(join(folder, 'in'));
    await Promise.all(Array.from({ length: 400 }, (_, i) => put(`in/${i}.npy`, tensor([1, 64, 64, 3]))));
  };
  const start = () =>
    spawn(process.execPath, ['--import', tsx, main, ...'conv in --filter box:9 --out-dir out --json'.split(' ')], {
      cwd: folder,
    });
  const checkResults = async (): Promise<void> => {
    const results = await readdir(join(folder, 'out'));
    expect(results.length).toBeLessThan(400);
    for (const name of results) expect(await get(`out/${name}`)).toMatchObject({ shape: [1, 64, 64, 3] });
  };

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s: whole results only, no complaint', async (signal, expected) => {
    await manyFiles();
    const child = start();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.once('data', () => child.kill(signal));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: expected, stderr: '' });
    await checkResults();
  });

  test('by a reader that closes the pipe', async () => {
    await manyFiles();
    const child = start();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: 141, stderr: '' });
    await checkResults();
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
