import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { availableIsas, getThreads, isa, setThreads, version } from '../lib/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What a program in a new process prints, which may use `depthwise`, or the error that importing it from `from` throws. */
function inNewProcess(program: string, env: Record<string, string> = {}, from = root): Promise<string> {
  const url = pathToFileURL(join(from, 'lib/index.ts'));
  const script = `import(${JSON.stringify(url)}).then(
    (depthwise) => { ${program} },
    ({ name, code, message }) => console.log(name, code, message),
  );`;
  const { DEPTHWISE_ISA: _, DEPTHWISE_THREADS: __, ...clean } = process.env;
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', '-e', script],
      { cwd: root, env: { ...clean, ...env } },
      (error, out) => (error ? reject(error) : resolve(out.trimEnd())),
    );
  });
}

describe('version, isa, availableIsas', () => {
  it('are those of the package and the machine', async () => {
    const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
    expect(version).toBe(manifest.version);
    expect(availableIsas.at(-1)).toBe('portable');
    expect(availableIsas).toContain(isa);
    expect(Object.isFrozen(availableIsas)).toBe(true);
  });

  it('isa is the best available one by default', async () => {
    expect(await inNewProcess('console.log(depthwise.isa)')).toBe(availableIsas[0]);
  });
});

describe('setThreads and getThreads', () => {
  it('agree', () => {
    const before = getThreads();
    for (const threads of [1, 2, 3, 64, 1024, 1]) {
      setThreads(threads);
      expect(getThreads()).toBe(threads);
    }
    setThreads(before);
  });
});

describe('the environment', () => {
  const print = 'console.log(depthwise.isa, depthwise.getThreads())';

  it.each(availableIsas)('DEPTHWISE_ISA=%s forces it', async (name) => {
    const output = await inNewProcess(print, { DEPTHWISE_ISA: name, DEPTHWISE_THREADS: '3' });
    expect(output).toBe(`${name} 3`);
  });

  it('forces the kernels, too', async () => {
    const explain = `const filter = { data: new Float32Array(9), shape: [3, 3, 1, 1] };
      console.log(new depthwise.DepthwiseConv2d(filter).explain([1, 8, 8, 1]).isa);`;
    expect(await inNewProcess(explain, { DEPTHWISE_ISA: 'portable' })).toBe('portable');
  });

  const isas = "'avx512', 'avx2', 'neon' or 'portable'";
  it.each([
    ['DEPTHWISE_ISA', '', `be ${isas}, got ''`],
    ['DEPTHWISE_ISA', 'sse2', `be ${isas}, got 'sse2'`],
    ['DEPTHWISE_ISA', 'AVX2', `be ${isas}, got 'AVX2'; did you mean 'avx2'?`],
    ['DEPTHWISE_ISA', 'avx2 ', `be ${isas}, got 'avx2 '; did you mean 'avx2'?`],
    ['DEPTHWISE_THREADS', '', "be an integer from 1 to 1024, got ''"],
    ['DEPTHWISE_THREADS', '0', "be an integer from 1 to 1024, got '0'"],
    ['DEPTHWISE_THREADS', '-1', "be an integer from 1 to 1024, got '-1'"],
    ['DEPTHWISE_THREADS', '1.5', "be an integer from 1 to 1024, got '1.5'"],
    ['DEPTHWISE_THREADS', '1e2', "be an integer from 1 to 1024, got '1e2'"],
    ['DEPTHWISE_THREADS', '0x2', "be an integer from 1 to 1024, got '0x2'"],
    ['DEPTHWISE_THREADS', ' 2', "be an integer from 1 to 1024, got ' 2'"],
    ['DEPTHWISE_THREADS', 'all', "be an integer from 1 to 1024, got 'all'"],
    ['DEPTHWISE_THREADS', '1025', "be an integer from 1 to 1024, got '1025'"],
    ['DEPTHWISE_THREADS', '99999999999999999999', "be an integer from 1 to 1024, got '99999999999999999999'"],
  ])('%s=%s makes the import fail', async (name, value, message) => {
    const output = await inNewProcess(print, { [name]: value });
    expect(output).toBe(`RangeError ERR_INVALID_ARG_VALUE the environment variable ${name} must ${message}`);
  });

  it('an ISA of another machine makes the import fail', async () => {
    const missing = ['avx512', 'neon'].find((name) => !availableIsas.includes(name as typeof isa))!;
    const output = await inNewProcess(print, { DEPTHWISE_ISA: missing });
    expect(output).toMatch(/^RangeError ERR_INVALID_ARG_VALUE .* must be available on this machine \('.*'\), got '/);
  });
});

describe('the addon', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  /** A copy of the package without an addon. */
  function copy(): string {
    const folder = mkdtempSync(join(tmpdir(), 'depthwise-'));
    folders.push(folder);
    cpSync(join(root, 'lib'), join(folder, 'lib'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    return folder;
  }

  it('that is not there: says what was looked for, where, and what to do', async () => {
    const folder = copy();
    const message = await inNewProcess('', {}, folder);
    expect(message).toMatch(/^Error ERR_ADDON_NOT_FOUND depthwise has no native addon for /);
    expect(message).toContain(join(folder, 'build/Release/depthwise.node'));
    expect(message).toContain(join(folder, `prebuilds/${process.platform}-${process.arch}`));
    expect(message).toContain('npm rebuild depthwise');
  });

  it('that cannot be loaded: says what the loader said', async () => {
    const folder = copy();
    mkdirSync(join(folder, 'build/Release'), { recursive: true });
    writeFileSync(join(folder, 'build/Release/depthwise.node'), 'not a library');
    const message = await inNewProcess('', {}, folder);
    expect(message).toMatch(/^Error ERR_DLOPEN_FAILED depthwise could not load its native addon on /);
    expect(message).toContain(join(folder, 'build/Release/depthwise.node'));
  });

  it('of another version: says so', async () => {
    const folder = copy();
    cpSync(join(root, 'build/Release/depthwise.node'), join(folder, 'build/Release/depthwise.node'));
    writeFileSync(join(folder, 'package.json'), '{ "version": "99.0.0", "type": "module" }');
    const message = await inNewProcess('', {}, folder);
    expect(message).toContain(`Error ERR_ADDON_VERSION depthwise 99.0.0 found an addon of version ${version} at `);
  });

  it('is loaded from prebuilds where none was compiled', async () => {
    const folder = copy();
    const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
    const libc = process.platform === 'linux' && glibcVersionRuntime === undefined ? '-musl' : '';
    const prebuilt = join(folder, `prebuilds/${process.platform}-${process.arch}${libc}.node`);
    cpSync(join(root, 'build/Release/depthwise.node'), prebuilt);
    expect(await inNewProcess('console.log(depthwise.version)', {}, folder)).toBe(version);
  });
});
