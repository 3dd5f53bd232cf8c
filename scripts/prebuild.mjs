// Puts an addon into prebuilds/, stripped, under the name that the loader looks for; what lies there when the package is
// packed goes into its tarball.
//
//   npm run build:native && node scripts/prebuild.mjs    this platform's, from build/
//   node scripts/prebuild.mjs linux-arm64                cross-compiled, from a folder of its own
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const CROSS = {
  // Debian's g++-aarch64-linux-gnu
  'linux-arm64': { arch: 'arm64', tools: 'aarch64-linux-gnu-' },
};

const [platform = thisPlatform()] = process.argv.slice(2);
const cross = platform === thisPlatform() ? undefined : CROSS[platform];
if (!cross && platform !== thisPlatform()) {
  console.error(`${platform} is neither this platform (${thisPlatform()}) nor one of ${Object.keys(CROSS).join(', ')}`);
  process.exit(2);
}
const built = cross ? crossCompile(cross) : root;
const target = `${root}prebuilds/${platform}.node`;
mkdirSync(`${root}prebuilds`, { recursive: true });
copyFileSync(`${built}build/Release/depthwise.node`, target);
if (platform.startsWith('linux')) run(`${cross?.tools ?? ''}strip`, ['--strip-unneeded', target]);
console.log(`${target} ${(statSync(target).size / 1e6).toFixed(2)} MB`);

function thisPlatform() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  const musl = process.platform === 'linux' && glibcVersionRuntime === undefined ? '-musl' : '';
  return `${process.platform}-${process.arch}${musl}`;
}

/** Compiles a copy of the sources, since node-gyp knows one build folder, and that is this platform's. */
function crossCompile({ arch, tools }) {
  const folder = `${root}build-${platform}/`;
  for (const source of ['native', 'binding.gyp', 'package.json']) {
    cpSync(root + source, folder + source, { recursive: true, preserveTimestamps: true });
  }
  const compilers = { CC: `${tools}gcc`, CXX: `${tools}g++`, AR: `${tools}ar` };
  run('npx', ['node-gyp', '-C', folder, 'configure', 'build', `--arch=${arch}`, '--jobs', 'max'], compilers);
  return folder;
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) throw error;
  if (status !== 0) process.exit(1);
}
