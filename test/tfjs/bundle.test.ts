import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

// A bundler that follows an application into depthwise/tfjs must bring its tfjs along and not a second one. Native
// addons stay outside of bundles: the part of the package that loads it is external, as sharp and others want it.
const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthwise-bundle-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const APPLICATION = `
  import * as tf from '@tensorflow/tfjs-core';
  import { groupedConv2d, kernelCalls } from 'depthwise/tfjs';
  await tf.setBackend('depthwise');
  const y = tf.depthwiseConv2d(tf.ones([1, 4, 4, 2]), tf.ones([3, 3, 2, 1]), 1, 'valid');
  const z = groupedConv2d(y, tf.ones([1, 1, 1, 2]), 1, 'same', 2);
  console.log(JSON.stringify({ sum: tf.sum(z).dataSync()[0], calls: Object.fromEntries(kernelCalls) }));
`;

test('an application bundled with depthwise/tfjs has one tfjs, and runs on our kernels', async () => {
  const entry = join(folder, 'application.mjs');
  writeFileSync(entry, APPLICATION);
  const { metafile } = await build({
    entryPoints: [entry],
    outfile: join(folder, 'bundle.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    nodePaths: [join(root, 'node_modules')],
    // tfjs calls require for Node's own modules.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
    metafile: true,
    logLevel: 'error',
    plugins: [
      {
        name: 'depthwise',
        setup({ onResolve }) {
          onResolve({ filter: /^depthwise\/tfjs$/ }, () => ({ path: join(root, 'dist/tfjs/index.js') }));
          onResolve({ filter: /^\.\.\/index\.js$/ }, ({ resolveDir }) =>
            resolveDir === join(root, 'dist/tfjs') ? { path: join(root, 'dist/index.js'), external: true } : undefined,
          );
        },
      },
    ],
  });
  const engines = Object.keys(metafile.inputs).filter((path) =>
    /tfjs-core\/dist\/(engine|tf-core[^/]*)\.js$/.test(path),
  );
  expect(engines).toHaveLength(1);
  const printed = execFileSync(process.execPath, [join(folder, 'bundle.mjs')], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toMatchObject({
    sum: 2 * 2 * 2 * 9,
    calls: { DepthwiseConv2dNative: 1, DepthwiseGroupedConv2D: 1 },
  });
});

test('modules that import tfjs live in tfjs/, and none there asks where it is', () => {
  const modules = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .map((path) => ({ path, source: readFileSync(join(root, 'dist', path), 'utf8') }));
  const inFolder = modules.filter(({ path }) => path.startsWith('tfjs/'));
  expect(inFolder.length).toBeGreaterThan(1);
  expect(
    modules.filter(({ source }) => source.includes('@tensorflow/')).every((module) => inFolder.includes(module)),
  ).toBe(true);
  for (const { source } of inFolder) expect(source).not.toContain('import.meta');
});
