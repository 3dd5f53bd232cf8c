import { fileURLToPath } from 'node:url';
import { closeSync, existsSync, openSync, readFileSync, readSync, toNamespacedPath } from './builtins.js';
import type { Native } from './native.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The addon: what was compiled on this machine, else the prebuilt one for this platform.
 *
 * @throws Error that says what was looked for and where, with code ERR_ADDON_NOT_FOUND; or what the system's loader
 *   said, with its code (ERR_DLOPEN_FAILED).
 */
export function loadAddon(): Native {
  const local = `${root}build/Release/depthwise.node`;
  if (existsSync(local)) return load(local);
  const prebuilt = `${root}prebuilds/${platformName()}.node`;
  if (existsSync(prebuilt)) return load(prebuilt);
  throw failure(
    'ERR_ADDON_NOT_FOUND',
    `depthwise has no native addon for ${platformName()} (Node ${process.version}). Looked for
  ${local}
  ${prebuilt}
Compile it with "npm rebuild depthwise" (in a clone: "npm run build:native"). Where install scripts are switched off
(--ignore-scripts, or a package manager that asks first), allow this package's. If a bundler moved this code into a file
of its own, leave the package outside (esbuild: --external:depthwise).`,
  );
}

function load(path: string): Native {
  const module = { exports: {} };
  try {
    process.dlopen(module, toNamespacedPath(path)); // what require does, without its search, which takes as long
  } catch (cause) {
    const { code = 'ERR_DLOPEN_FAILED', message } = cause as NodeJS.ErrnoException;
    throw failure(
      code,
      `depthwise could not load its native addon on ${platformName()} (Node ${process.version}):
  ${message}
If node_modules came from another machine or platform, install again here; "npm rebuild depthwise" compiles it anew.`,
      cause,
    );
  }
  const addon = module.exports as Native;
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
  if (addon.version !== version) {
    throw failure(
      'ERR_ADDON_VERSION',
      `depthwise ${version} found an addon of version ${addon.version} at ${path}. "npm rebuild depthwise" compiles it anew.`,
    );
  }
  return addon;
}

function failure(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code });
}

/** Such as 'linux-x64', or 'linux-x64-musl' where the C library isn't glibc. */
function platformName(): string {
  const name = `${process.platform}-${process.arch}`;
  return process.platform === 'linux' && isMusl() ? `${name}-musl` : name;
}

// Node's binary names its dynamic loader near its start, musl's or glibc's. process.report knows too, but takes 20 ms to say.
function isMusl(): boolean {
  const start = Buffer.alloc(4096);
  try {
    const binary = openSync(process.execPath, 'r');
    readSync(binary, start);
    closeSync(binary);
  } catch {
    return false;
  }
  return start.includes('/ld-musl-');
}
