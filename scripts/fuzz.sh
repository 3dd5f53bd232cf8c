#!/usr/bin/env bash
# Fuzzes the plan builder, and then the kernels against the definition, under ASan and UBSan, for SECONDS each.
# They start from layers as networks have them; what they learn is kept in build-fuzz/corpus; a failing input is written
# to build-fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}

cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER="${CLANGXX:-clang++-19}" -DDEPTHWISE_FUZZERS=ON \
  -DDEPTHWISE_TESTS=OFF >build-fuzz.log
cmake --build build-fuzz >>build-fuzz.log || { cat build-fuzz.log; exit 1; }
node test/native/fuzz/make_corpus.mjs build-fuzz/seeds
for target in plan run; do
  printf '\n== %s\n' "$target"
  corpus=build-fuzz/corpus/$target
  mkdir -p "$corpus"
  build-fuzz/${target}_fuzzer "$corpus" build-fuzz/seeds/$target -artifact_prefix=build-fuzz/ -max_len=512 -max_total_time="$seconds" \
    -print_final_stats=1 -verbosity=0
done
