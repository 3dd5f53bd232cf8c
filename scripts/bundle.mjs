// Bundles lib/ into one file for each entry of package.json's exports and bin, and chunks for what they share: Node opens
// a dozen small modules five times slower than one.
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { exports, bin, engines } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const outputs = [...Object.values(exports).map((entry) => entry.default), ...Object.values(bin)];
const entries = outputs
  .filter((path) => path !== undefined)
  .map((path) => path.replace(/^(\.\/)?dist\/(.*)\.js$/, 'lib/$2.ts'));
const isTfjs = (entry) => entry.startsWith('lib/tfjs/');

const options = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: `node${engines.node.replace(/^>=/, '')}`,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
};

rmSync(`${root}dist`, { recursive: true, force: true }); // chunks are named by their contents: old ones would stay
await build({
  ...options,
  entryPoints: entries.filter((entry) => !isTfjs(entry)),
  outdir: 'dist',
  outbase: 'lib',
});
// Everything that imports TensorFlow.js stays in a folder of its own, and apart from what finds the addon by its place:
// an application's bundler can take the one in, with the application's own TensorFlow.js, and leave the other outside.
await build({
  ...options,
  entryPoints: entries.filter(isTfjs),
  outdir: 'dist/tfjs',
  outbase: 'lib/tfjs',
  plugins: [
    {
      name: 'depthwise-outside',
      setup({ onResolve }) {
        onResolve({ filter: /^\.\.\/index\.js$/ }, ({ path }) => ({ path, external: true }));
      },
    },
  ],
});
