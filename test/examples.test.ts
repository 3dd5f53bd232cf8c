// Every example runs, and prints what its comments promise.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../lib/index.js';

const examples = fileURLToPath(new URL('../examples/', import.meta.url));
const loader = ['--import', import.meta.resolve('tsx')];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'depthwise-examples-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What the example prints, run in a folder of its own. */
async function run(name: string, ...args: string[]): Promise<string> {
  const command = [...(name.endsWith('.ts') ? loader : []), join(examples, name), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder });
  return stdout;
}

test('depthwise_basics', async () => {
  expect(await run('depthwise_basics.ts')).toBe(`\
multiplier 1: [ 2, 2, 2 ] 3 20 4 20 6 20 7 20
multiplier 2: [ 3, 3, 4 ] first pixel 1 -1 10 5
strides 2:    [ 2, 2, 2 ] 0.5 21 0 21 1.25 21 0 21
`);
});

test('grouped', async () => {
  expect(await run('grouped.ts')).toBe(`\
two mono tracks: [ 1, 8, 2 ] 0.5 5 1.5 15 2.5 25 3.5 35 4.5 45 5.5 55 6.5 65 7.5 75
from OIHW:       [ 1, 8, 2 ] 0.5 5 1.5 15 2.5 25 3.5 35 4.5 45 5.5 55 6.5 65 7.5 75
ERR_SHAPE_MISMATCH: groups must divide the output channels (2, filter.shape[3]), got 3
`);
});

test('prepared_layer', async () => {
  const printed = await run('prepared_layer.ts');
  expect(printed).toContain('output: [ 1, 28, 28, 96 ]');
  expect(printed).toMatch(/kernel: \w+ on \w+, 1\.3 million operations/);
  expect(printed).toContain('the largest output is 2.567');
  expect(printed).toContain('another size: [ 5, 4, 96 ]');
});

test('async_abort', async () => {
  expect(await run('async_abort.ts')).toBe(`\
computed [ 112, 112, 256 ] while timers kept running
aborted: the client went away
`);
});

test('workers', async () => {
  expect(await run('workers.mjs')).toMatch(/^3 workers, threads in all: \d+\n(\[ 252, 252, 3 \] mean \d\.000\n){3}$/);
});

describe('photo', () => {
  test('writes a contact sheet of the mandrill, and prints shapes, kernels and times', {
    timeout: 60_000,
  }, async () => {
    const printed = await run('photo.ts');
    expect(printed).toContain(`depthwise ${version}`);
    expect(printed).toMatch(/multiplier 1 +\(2,3,3,4\) +\(2,2,4,1\) +\(2,3,3,4\)/);
    expect(printed).toMatch(/multiplier 2 +\(2,3,3,4\) +\(2,2,4,2\) +\(2,3,3,8\)/);
    expect(printed).toMatch(/groups 2 +\(2,3,3,4\) +\(2,2,2,2\) +\(2,3,3,2\)/);
    expect(printed).toMatch(/Gaussian blur.* ms .* ms .* ms .* x/);
    const [, difference] = /Largest difference from the plain loop: (\S+)/.exec(printed)!;
    expect(Number(difference)).toBeLessThan(1e-5);

    const path = join(folder, 'contact-sheet.png');
    expect(printed).toContain(path);
    const sheet = sharp(path);
    expect(await sheet.metadata()).toMatchObject({ format: 'png', width: 1280, height: 1406 });
    expect((await sheet.stats()).entropy).toBeGreaterThan(3);
  });

  test.each([
    { what: 'a portrait with transparency', width: 60, height: 200, background: '#f003', format: 'png' },
    { what: 'a single grey pixel', width: 1, height: 1, background: '#777', format: 'webp' },
    { what: 'a picture larger than the limit', width: 1500, height: 80, background: '#08f', format: 'jpeg' },
  ] as const)('takes $what', async ({ width, height, background, format }) => {
    const path = join(folder, `picture.${format}`);
    await sharp({ create: { width, height, channels: 4, background } })
      .toFormat(format)
      .toFile(path);
    expect(await run('photo.ts', path)).toContain('The pictures: ');
  });

  test('says what is wrong with a file that is no picture', async () => {
    const path = join(folder, 'text.png');
    await writeFile(path, await readFile(new URL(import.meta.url)));
    const problem = { code: 1, stderr: expect.stringContaining(`Can't read ${path} as an image`) };
    await expect(run('photo.ts', path)).rejects.toMatchObject(problem);
    await expect(run('photo.ts', 'missing.jpg')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('missing'),
    });
  });
});
