#!/usr/bin/env bash
# clang-format on all C++ sources; arguments go to it. Versions differ in what they write, so it is this one's style that
# counts.
set -euo pipefail
cd "$(dirname "$0")/.."
find native test/native bench/native \( -name '*.h' -o -name '*.cc' \) -print0 | xargs -0 "${CLANG_FORMAT:-clang-format-19}" "$@"
