// Runs at `npm install` and as `npm run build:native`: compiles the addon with node-gyp, unless the package came with one
// that loads here. Set npm_config_build_from_source to compile in any case.
// `configure build`, not `rebuild`: in a clone a second install compiles only what has changed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Only a clone has this file; there the sources are what counts.
const isClone = existsSync(new URL('../tsconfig.json', import.meta.url));
if (!isClone && !process.env.npm_config_build_from_source && (await packageLoads())) process.exit(0);

// npm and pnpm name the node-gyp they bundle; other package managers put one on the PATH.
const bundled = process.env.npm_config_node_gyp;
const [command, prefix] = bundled ? [process.execPath, [bundled]] : ['node-gyp', []];

const { status, error } = spawnSync(command, [...prefix, 'configure', 'build', '--jobs', 'max'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
  shell: process.platform === 'win32' && !bundled,
});

if (status !== 0) {
  console.error(`
depthwise could not compile its native addon${error ? ` (${error.message})` : ''}. It needs
  - a C++20 compiler and make: "apt install g++ make", "apk add g++ make", Xcode's command line tools, or Visual Studio's C++ workload
  - Python 3, for node-gyp: https://github.com/nodejs/node-gyp#installation
  - Node's headers, which node-gyp downloads unless npm's "nodedir" setting points at a copy`);
  process.exit(1);
}

/** Whether the package works as it was unpacked: its own loader is the judge. */
async function packageLoads() {
  try {
    await import('../dist/index.js');
    return true;
  } catch ({ code, message }) {
    if (code !== 'ERR_ADDON_NOT_FOUND') console.error(message);
    return false;
  }
}
