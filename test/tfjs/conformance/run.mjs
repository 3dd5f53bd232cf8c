// Runs tfjs-core's own test suite for third-party backends against the depthwise backend: all specs, no exclusions.
// Fails where a spec fails, or where our kernels weren't the ones that ran the convolutions.
//
// Five specs are pending on every backend, because tfjs marks them with xit: 'debug on A x B', 'isBrowser: true' and
// 'isBrowser: false', and the two that register a kernel or a gradient twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import Jasmine from 'jasmine';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'depthwise-conformance-'));
const bundle = join(folder, 'specs.cjs');

// One bundle, so that the specs, the backend and tfjs share one engine. tfjs's list of side effects leaves its specs
// out, which would drop every one: hence ignoreAnnotations. Our own entry finds the addon relative to itself and stays
// outside.
await build({
  entryPoints: [join(here, 'specs.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  mainFields: ['module', 'main'],
  ignoreAnnotations: true,
  logLevel: 'error',
  nodePaths: [join(root, 'node_modules')],
  plugins: [
    {
      name: 'depthwise-outside',
      setup({ onResolve }) {
        onResolve({ filter: /^\.\.\/index\.js$/ }, ({ importer }) =>
          importer.startsWith(join(root, 'lib')) ? { path: join(root, 'dist/index.js'), external: true } : undefined,
        );
      },
    },
  ],
});

const jasmine = new Jasmine({ projectBaseDir: folder });
jasmine.exitOnCompletion = false;
jasmine.loadConfig({ random: false, spec_files: [bundle] });
jasmine.clearReporters();
const counts = { passed: 0, failed: 0, pending: 0, excluded: 0, convolution: 0 };
jasmine.addReporter({
  specDone({ status, fullName, failedExpectations }) {
    counts[status]++;
    if (status === 'pending') console.log(`PENDING ${fullName}`);
    if (/conv/i.test(fullName)) counts.convolution++;
    for (const { message } of failedExpectations) console.error(`FAILED ${fullName}\n  ${message}`);
  },
});
await jasmine.execute();
rmSync(folder, { recursive: true });

const calls = globalThis.depthwiseKernelCalls;
console.log(`${counts.convolution} specs touch convolution; our kernels ran`, Object.fromEntries(calls));
console.log('left to tfjs', Object.fromEntries(globalThis.depthwiseFallbackCalls));
if (counts.pending + counts.excluded > 0) console.log(`${counts.pending} pending, ${counts.excluded} excluded`);
for (const kernel of ['Conv2D', 'FusedConv2D', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2D']) {
  if (!(calls.get(kernel) > 0)) throw new Error(`${kernel} never ran on our kernels`);
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 && counts.passed > 4000 ? 0 : 1);
