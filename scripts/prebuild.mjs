// Compiles the addon that goes into the tarball, as prebuilds/<platform>-<arch>[-musl].node. It is compiled apart from build/,
// which is this machine's.
//
//   npm run build:prebuild                for this platform
//   npm run build:prebuild linux-arm64    for another, by Debian's g++-aarch64-linux-gnu
//
// For Linux it has to load where the C and C++ libraries are older than here: it carries its C++ library, exports nothing
// but Node-API's entry points, and asks of glibc nothing newer than OLDEST_GLIBC.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST_GLIBC = [2, 28]; // what Node's own binaries ask for

const root = fileURLToPath(new URL('..', import.meta.url));
const isLinux = process.platform === 'linux';
const isMusl = isLinux && process.report.getReport().header.glibcVersionRuntime === undefined;
const here = `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`;
const CROSS = { 'linux-arm64': { arch: 'arm64', prefix: 'aarch64-linux-gnu-' } };

const [name = here] = process.argv.slice(2);
const { arch, prefix } = name === here ? { arch: process.arch, prefix: '' } : (CROSS[name] ?? {});
if (arch === undefined) {
  console.error(`${name} is neither this platform (${here}) nor one of ${Object.keys(CROSS).join(', ')}`);
  process.exit(2);
}
const compiler = prefix === '' ? (process.env.CC ?? 'gcc') : `${prefix}gcc`;
const cross = prefix === '' ? {} : { CC: compiler, CXX: `${prefix}g++`, AR: `${prefix}ar`, LINK: `${prefix}g++` };

const folder = `${root}build-prebuild/${name}`;
const built = `${folder}/build/Release/depthwise.node`;
mkdirSync(folder, { recursive: true });
// This machine's own build has the same objects: with their times kept, only the addon is linked anew.
const sources = [
  'native',
  'binding.gyp',
  'package.json',
  ...(prefix === '' && existsSync(`${root}build`) ? ['build'] : []),
];
for (const source of sources) {
  cpSync(`${root}${source}`, `${folder}/${source}`, { recursive: true, preserveTimestamps: true });
}

const flags = isLinux ? linkerFlags() : [];
build(['configure', 'build'], flags);
if (isLinux && !isMusl) {
  build(['build'], [...flags, ...olderLibrary()]);
  const left = glibcSymbols(built, 'undefined').filter(({ version }) => !isOldEnough(version));
  if (left.length > 0) throw new Error(`newer than glibc ${OLDEST_GLIBC.join('.')}: ${JSON.stringify(left)}`);
}

const target = `${root}prebuilds/${name}.node`;
mkdirSync(`${root}prebuilds`, { recursive: true });
copyFileSync(built, target);
if (isLinux) run(`${prefix}strip`, ['--strip-unneeded', target]);
console.log(`${target} ${(statSync(target).size / 1e6).toFixed(2)} MB`);

function build(steps, ldflags) {
  const LDFLAGS = [process.env.LDFLAGS, ...ldflags].filter(Boolean).join(' ');
  const nodeGyp = `${root}node_modules/node-gyp/bin/node-gyp.js`;
  run(process.execPath, [nodeGyp, ...steps, '--jobs=max', `--arch=${arch}`], { ...process.env, ...cross, LDFLAGS });
}

function run(command, args, env = process.env) {
  execFileSync(command, args, { cwd: folder, env, stdio: 'inherit' });
}

function linkerFlags() {
  const entries = 'napi_register_module_v1; node_api_module_get_api_version_v1;';
  writeFileSync(`${folder}/exports.map`, `{ global: ${entries} local: *; };\n`);
  // libgcc stays outside: exceptions are unwound by one copy of it in a process.
  return ['-static-libstdc++', '-Wl,--gc-sections', `-Wl,--version-script=${folder}/exports.map`];
}

/** A library's dynamic symbols that have a version of glibc, such as { name: 'dlopen', version: 'GLIBC_2.34', isData: false }. */
function glibcSymbols(path, which) {
  const table = execFileSync(`${prefix}objdump`, ['-T', path], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return table
    .split('\n')
    .filter((line) => line.includes('*UND*') === (which === 'undefined'))
    .map((line) => /^\S+ .{6}(.).*\s\(?(GLIBC_[\d.]+)\)?\s+(\S+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, kind, version, symbol]) => ({ name: symbol, version, isData: kind === 'O' }));
}

function isOldEnough(version) {
  const [major, minor] = version.slice('GLIBC_'.length).split('.').map(Number);
  return major === OLDEST_GLIBC[0] && minor <= OLDEST_GLIBC[1];
}

/**
 * glibc keeps what a symbol was under its older versions, but the linker takes the newest. So the addon is linked again,
 * against a library that says it is libc.so.6 and has what the addon asked for, under the version it had before
 * OLDEST_GLIBC. It is never loaded.
 */
function olderLibrary() {
  const libc = glibcSymbols(
    execFileSync(compiler, ['-print-file-name=libc.so.6'], { encoding: 'utf8' }).trim(),
    'defined',
  );
  const wanted = glibcSymbols(built, 'undefined').filter(({ name: symbol }) =>
    libc.some((entry) => entry.name === symbol),
  );
  const byVersion = new Map();
  let code = '';
  for (const { name: symbol, version, isData } of wanted) {
    if (symbol === '__libc_single_threaded') continue;
    const chosen = isOldEnough(version)
      ? version
      : libc.find((entry) => entry.name === symbol && isOldEnough(entry.version))?.version;
    if (!chosen) throw new Error(`glibc has no ${symbol} that is as old as ${OLDEST_GLIBC.join('.')}`);
    byVersion.set(chosen, [...(byVersion.get(chosen) ?? []), symbol]);
    code += isData ? `char ${symbol}[64];\n` : `void ${symbol}(void) {}\n`;
  }
  const map = [...byVersion].map(
    ([version, names]) => `${version} { ${names.map((entry) => `${entry};`).join(' ')} };\n`,
  );
  writeFileSync(`${folder}/older.c`, code);
  writeFileSync(`${folder}/older.map`, map.join(''));
  const asLibc = ['-shared', '-nostdlib', '-fno-builtin', '-Wl,-soname,libc.so.6', '-Wl,--version-script=older.map'];
  run(compiler, [...asLibc, '-o', 'libolder.so', 'older.c']);
  // What libstdc++ asks before it counts references without atomic operations, since glibc 2.32: never.
  writeFileSync(`${folder}/threads.c`, 'char __libc_single_threaded;\n');
  run(compiler, ['-c', '-fPIC', 'threads.c']);
  return ['-Wl,--no-as-needed', `${folder}/libolder.so`, `${folder}/threads.o`];
}
