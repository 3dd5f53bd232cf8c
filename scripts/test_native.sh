#!/usr/bin/env bash
# The C++ tests: as released, under AddressSanitizer and UndefinedBehaviorSanitizer, and under ThreadSanitizer.
# Arguments go to the test program; "-tc=pool*" runs the cases whose name begins so.
set -euo pipefail
cd "$(dirname "$0")/.."

run() {
  local directory=$1 sanitize=$2
  shift 2
  printf '\n== %s\n' "$directory"
  cmake -S . -B "$directory" -G Ninja -DDEPTHWISE_SANITIZE="$sanitize" >"$directory.log"
  cmake --build "$directory" --target native_tests >>"$directory.log" || { cat "$directory.log"; exit 1; }
  "$directory/native_tests" "$@"
}

export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
run build-native '' "$@"
run build-asan address,undefined "$@"
run build-tsan thread "$@"
