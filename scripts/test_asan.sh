#!/usr/bin/env bash
# The hazard suite, and half a minute of random calls, against an addon with AddressSanitizer and
# UndefinedBehaviorSanitizer, in an ordinary Node.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S . -B build-asan -G Ninja -DDEPTHWISE_ADDON=ON -DDEPTHWISE_SANITIZE=address,undefined >build-asan.log
cmake --build build-asan --target depthwise >>build-asan.log || { cat build-asan.log; exit 1; }

# Leaks are left out: at exit Node holds much that it doesn't free. The native tests look for ours.
export ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export DEPTHWISE_TEST_ADDON=$PWD/build-asan/depthwise.node
DEPTHWISE_TEST_PRELOAD=$(${CXX:-c++} -print-file-name=libasan.so)
export DEPTHWISE_TEST_PRELOAD
npx vitest run test/hazards.test.ts "$@"
# The package as that suite put it together.
DEPTHWISE_UNDER_TEST=file://$PWD/build-hazards-preloaded/dist/index.js LD_PRELOAD=$DEPTHWISE_TEST_PRELOAD \
  node test/fuzz/api.mjs 30
