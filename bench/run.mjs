// `npm run bench`: makes sure that everything to be measured is built from the sources as they are, then measures.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));

function run(command, args, cwd = root) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error || status !== 0) {
    console.error(`\n"${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}.`);
    console.error('The benchmark needs CMake, Ninja, a C++20 compiler and, on Debian, libdnnl-dev and libxnnpack-dev.');
    process.exit(status || 1);
  }
}

const args = process.argv.slice(2);
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
const scripts = { '--event-loop': 'event_loop.ts', '--overhead': 'overhead.ts', '--tfjs': 'tfjs_models.ts' };
const other = args.find((argument) => argument in scripts);

if (!existsSync(`${bench}node_modules`)) run('npm', ['ci', '--no-audit', '--no-fund'], bench);
run('npm', ['run', '--silent', 'build']);
if (!other && only !== 'node') {
  run('cmake', ['-S', 'bench/native', '-B', 'build-bench', '-G', 'Ninja', '--log-level=WARNING']);
  run('cmake', ['--build', 'build-bench', '--', '--quiet']);
}
mkdirSync(`${bench}results`, { recursive: true });
const script = `src/${other ? scripts[other] : 'main.ts'}`;
run(process.execPath, ['--import', 'tsx', script, ...args.filter((argument) => argument !== other)], bench);
