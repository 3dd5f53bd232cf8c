// Every example of README, docs/ and the docstrings runs as a program of its own, and prints what its comments promise. A block
// that is no whole program says so: ```js ignore.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { writeNpy } from '../lib/io/index.js';

// A program each, several at once.
vi.setConfig({ testTimeout: 180_000 });

interface Example {
  name: string;
  code: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const filesIn = (folder: string, extension: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension) && !file.includes('node_modules'))
    .map((file) => join(folder, file));

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

function fencedExamples(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^```(?:js|ts)\n(.*?)^```$/gms)].map((match) => ({
    name: `${file}:${lineOf(text, match.index)}`,
    code: match[1]!,
  }));
}

function docstringExamples(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^ *\* @example\n(.*?)(?=^ *\* @|^ *\*\/)/gms)].map((match) => ({
    name: `${file}:${lineOf(text, match.index)}`,
    code: match[1]!.replace(/^ *\* ?/gm, ''),
  }));
}

/** What `console.log(…); // promise` says; an explanation may follow behind a colon. */
const promises = (code: string): string[] =>
  [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text!);

// A folder with the package installed, and all files that examples and commands name.
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'depthwise-docs-'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name.startsWith('.')) continue;
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
  }
  symlinkSync(root, join(folder, 'node_modules', 'depthwise'), 'junction');
  for (const name of ['in', 'in/deep', 'photos']) mkdirSync(join(folder, name));
  const photo = sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } });
  for (const name of ['photo.jpg', 'in/a.png', 'in/deep/b.png', 'photos/c.webp'])
    await photo.toFile(join(folder, name));
  const zeros = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b)), shape });
  await writeNpy(join(folder, 'x.npy'), zeros(1, 8, 8, 8));
  await writeNpy(join(folder, 'k.npy'), zeros(3, 3, 8, 1));
  const header = JSON.stringify({
    'conv1.weight': { dtype: 'F32', shape: [8, 2, 3, 3], data_offsets: [0, 576] },
    'conv1.bias': { dtype: 'F32', shape: [8], data_offsets: [576, 608] },
  });
  const file = Buffer.alloc(8 + header.length + 608);
  file.writeBigUInt64LE(BigInt(header.length));
  file.write(header, 8);
  writeFileSync(join(folder, 'model.safetensors'), file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ['README.md', fencedExamples('README.md')],
  ['docs', filesIn('docs', '.md').flatMap(fencedExamples)],
  ['docstrings', filesIn('lib', '.ts').flatMap(docstringExamples)],
])('examples of %s', (_, examples) => {
  test.concurrent.for(examples)('$name', async ({ name, code }, { expect }) => {
    const program = join(folder, `${name.replace(/\W/g, '_')}.mts`);
    writeFileSync(program, code);
    const args = ['--no-warnings', '--import', import.meta.resolve('tsx'), program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
    const printed = stdout.trimEnd().split('\n');
    for (const [i, promise] of promises(code).entries()) {
      const line = printed[i] ?? '';
      if (!promise.startsWith(`${line}:`)) expect(line).toBe(promise);
    }
  });
});

// The commands in ```sh blocks.
describe.skipIf(process.platform === 'win32')('commands', () => {
  const commands = ['README.md', ...filesIn('docs', '.md')].flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^(?:cat \S+ \| )?npx depthwise .*$/gm)].map(([line]) => line),
  );

  test.concurrent.each(commands)('%s', async (line) => {
    const command = line.replace('npx depthwise', `'${process.execPath}' '${join(root, 'dist/cli/main.js')}'`);
    await promisify(execFile)('sh', ['-c', command], { cwd: folder });
  });
});
