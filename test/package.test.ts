import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The package as users get it: packed, installed into an empty folder, compiled there. dist/ is packed as the last
// build left it, since other tests run from it meanwhile.
describe('the packed tarball', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'depthwise-package-'));
  const run = (command: string, args: string[], cwd = folder) =>
    execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, npm_config_build_from_source: 'true' }, // even where a clone has prebuilds
    });

  const program = `
    const input = { data: Float32Array.of(1, 2), shape: [1, 1, 2] };
    const filter = { data: Float32Array.of(1, 10, 100, 1000), shape: [1, 1, 2, 2] };
    console.log(depthwise.depthwiseConv2dSync(input, filter).data.join());`;

  beforeAll(() => {
    const [{ filename }] = JSON.parse(
      run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root),
    );
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    run('npm', ['install', '--no-audit', '--no-fund', join(folder, filename)]);
  }, 600_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('works when imported', () => {
    expect(run(process.execPath, ['-e', `import('depthwise').then((depthwise) => {${program}})`])).toBe(
      '1,10,200,2000\n',
    );
  });

  it('works when required', () => {
    const script = join(folder, 'program.cjs');
    writeFileSync(script, `const depthwise = require('depthwise');${program}`);
    expect(run(process.execPath, ['--no-warnings', script])).toBe('1,10,200,2000\n');
  });

  it.runIf(process.platform === 'linux' && process.arch === 'x64')('has an addon of at most 2 MiB', () => {
    const addon = join(folder, 'node_modules/depthwise/build/Release/depthwise.node');
    expect(statSync(addon).size).toBeLessThan(2 * 1024 * 1024);
  });

  it('has types, for strict programs too', () => {
    writeFileSync(
      join(folder, 'program.ts'),
      `import { Conv2d, conv2d, type Tensor } from 'depthwise';
      declare const x: Tensor;
      using layer = new Conv2d(x, { groups: 2, padding: [1, 1], activation: { type: 'clip', min: 0, max: 1 } });
      export const y: Tensor = layer.runSync(x);
      export const z: Promise<Tensor> = conv2d(x, { data: x.data, dims: [1, 1, 1, 1] }, { out: y });
      // @ts-expect-error it is strides
      new Conv2d(x, { stride: 2 });
      `,
    );
    const options = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--lib',
      'es2022,dom',
    ];
    run(join(root, 'node_modules/.bin/tsc'), [...options, '--types', '', 'program.ts']);
  });

  it('says why where the addon does not load, and what was looked for where there is none', () => {
    const addon = join(folder, 'node_modules/depthwise/build/Release/depthwise.node');
    const failure = () =>
      JSON.parse(
        run(process.execPath, [
          '-e',
          `import('depthwise').catch((e) => console.log(JSON.stringify({ ...e, message: e.message })))`,
        ]),
      );
    writeFileSync(addon, 'no addon');
    expect(failure()).toMatchObject({
      code: 'ERR_DLOPEN_FAILED',
      message: expect.stringContaining('npm rebuild depthwise'),
    });
    rmSync(addon);
    rmSync(join(folder, 'node_modules/depthwise/prebuilds'), { recursive: true, force: true });
    expect(failure()).toMatchObject({ code: 'ERR_ADDON_NOT_FOUND', message: expect.stringContaining(addon) });
  });
});
