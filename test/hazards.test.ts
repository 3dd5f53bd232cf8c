import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';

// Programs that would crash, corrupt or hang a naive addon, each in a process of its own under plain Node. With
// DEPTHWISE_TEST_ADDON and DEPTHWISE_TEST_PRELOAD (scripts/test_asan.sh) they run against another build of the addon, with
// DEPTHWISE_TEST_NODE (scripts/test_hazards.sh) under another version of Node.

const root = fileURLToPath(new URL('..', import.meta.url));
const hazards = join(root, 'test/hazards');
const { DEPTHWISE_TEST_ADDON: addon = join(root, 'build/Release/depthwise.node'), DEPTHWISE_TEST_PRELOAD: preload } =
  process.env;
const node = process.env.DEPTHWISE_TEST_NODE ?? process.execPath;
const staged = join(root, preload ? 'build-hazards-preloaded' : 'build-hazards');

// Programs that end otherwise than with 0.
const EXIT_CODES: Record<string, number> = {
  'process_exit.mjs': 3,
  'rejection_unhandled.mjs': 1,
  'uncaught_exception.mjs': 1,
};

// Files that need more of the environment than the rest.
const ENVIRONMENTS: Record<string, NodeJS.ProcessEnv> = {
  'loop_stays_free.mjs': { UV_THREADPOOL_SIZE: '1' },
};

interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

function run(file: string): Promise<Ending> {
  const { DEPTHWISE_ISA: _, DEPTHWISE_THREADS: __, NODE_OPTIONS: ___, ...clean } = process.env;
  const env = {
    ...clean,
    ...ENVIRONMENTS[file],
    DEPTHWISE_UNDER_TEST: pathToFileURL(join(staged, 'dist/index.js')).href,
    ...(preload && { LD_PRELOAD: preload }),
  };
  return new Promise((resolve) => {
    const child = execFile(
      node,
      ['--unhandled-rejections=throw', join(hazards, file)],
      { env, timeout: 110_000, killSignal: 'SIGKILL' },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
}

// The package as it would be installed: the sources as they are now, and the addon under test.
beforeAll(async () => {
  mkdirSync(join(staged, 'build/Release'), { recursive: true });
  cpSync(join(root, 'package.json'), join(staged, 'package.json'));
  cpSync(addon, join(staged, 'build/Release/depthwise.node'));
  await build({
    entryPoints: [join(root, 'lib/index.ts')],
    outfile: join(staged, 'dist/index.js'),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    sourcemap: 'inline',
  });
}, 60_000);

describe('the process survives', () => {
  for (const file of readdirSync(hazards).filter((name) => name.endsWith('.mjs'))) {
    const [title] = readFileSync(join(hazards, file), 'utf8').split('\n');
    it(`${file}: ${title!.replace(/^\/\/ /, '')}`, { timeout: 120_000 }, async () => {
      const { code, signal, stdout, stderr } = await run(file);
      expect({ code, signal, stdout }, stderr).toEqual({
        code: EXIT_CODES[file] ?? 0,
        signal: null,
        stdout: expect.stringMatching(/survived\n$/),
      });
      expect(stderr).not.toMatch(/AddressSanitizer|runtime error:|FATAL ERROR/);
    });
  }
});
