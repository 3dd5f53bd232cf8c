// Copies the addon that was just compiled to prebuilds/, stripped, under the name that the loader looks for. Run after
// `npm run build:native` on each platform; what lies in prebuilds/ when the package is packed goes into its tarball.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { glibcVersionRuntime } = process.report.getReport().header;
const musl = process.platform === 'linux' && glibcVersionRuntime === undefined ? '-musl' : '';
// A cross compilation names its target and its strip: ARCH=arm64 STRIP=aarch64-linux-gnu-strip.
const name = `${process.platform}-${process.env.ARCH ?? process.arch}${musl}.node`;
const target = `${root}prebuilds/${name}`;

mkdirSync(`${root}prebuilds`, { recursive: true });
copyFileSync(`${root}build/Release/depthwise.node`, target);
if (process.platform === 'linux')
  spawnSync(process.env.STRIP ?? 'strip', ['--strip-unneeded', target], { stdio: 'inherit' });
console.log(`${target} ${(statSync(target).size / 1e6).toFixed(2)} MB`);
