#!/usr/bin/env bash
# Objects compiled for one instruction set must hold nothing that the linker could pick for another CPU: each defines
# exactly one global symbol, strong, named after its instruction set. The directory is node-gyp's (build/Release) or
# CMake's.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/Release}

shopt -s globstar nullglob
objects=("$build"/**/*kernels_*/**/*.o)
[ ${#objects[@]} -gt 0 ] || { echo "no kernel objects in $build: build first" >&2; exit 1; }

bad=0
for object in "${objects[@]}"; do
  isa=$(sed -E 's/.*kernels_([a-z0-9]+).*/\1/' <<<"$object")
  # nm's letters: upper case is global; W, V and u are weak and unique, which the linker merges with others.
  defined=$(nm --defined-only "$object" | awk '$2 ~ /[A-Zu]/ { print $2, $3 }')
  if [ "$(wc -l <<<"$defined")" != 1 ] || ! [[ $defined =~ ^[DRB]\ .*_${isa}E?$ ]]; then
    printf '%s must define one strong symbol, ..._%s, and defines\n%s\n' "$object" "$isa" "${defined:-nothing}" >&2
    bad=1
  fi
done
[ $bad = 0 ] && echo "${#objects[@]} kernel objects define one strong symbol each"
