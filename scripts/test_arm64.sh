#!/usr/bin/env bash
# The C++ tests on arm64, cross-compiled and run by an emulator, and the symbols of the objects. Arguments go to the test
# program. Needs Debian's g++-aarch64-linux-gnu and qemu-user.
set -euo pipefail
cd "$(dirname "$0")/.."

# A directory with doctest alone: beside it in /usr/include lie the headers of this machine's C library.
doctest=${DOCTEST_INCLUDE:-/usr/include}/doctest
mkdir -p build-arm64/include
ln -sfn "$doctest" build-arm64/include/doctest

cmake -S . -B build-arm64 -G Ninja -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64-linux-gnu.cmake" \
  -Ddoctest_include="$PWD/build-arm64/include" >build-arm64.log
cmake --build build-arm64 --target native_tests >>build-arm64.log || { cat build-arm64.log; exit 1; }
scripts/check_symbols.sh build-arm64
qemu-aarch64 -L /usr/aarch64-linux-gnu build-arm64/native_tests "$@"
