// Throws random values at every function of the package, for SECONDS: `npm run fuzz:api -- SECONDS [SEED]`. Calls that would
// be right are spoiled in up to three places: by another value, by a proxy, or by a getter that transfers an array, aborts,
// disposes, calls the library again or throws. Nothing may end the process, throw what has no code, or give a wrong output.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const seconds = Number(process.argv[2] ?? 60);
let seed = Number(process.argv[3] ?? Date.now() % 1e9);
const end = performance.now() + seconds * 1000;
const only = process.argv[3] !== undefined;

// A process for some seconds each: one that dies names the case that it was at.
let cases = 0;
do {
  const left = Math.max(1, Math.min(15, (end - performance.now()) / 1000));
  const program = fileURLToPath(new URL('api_cases.mjs', import.meta.url));
  const child = fork(program, [String(seed), String(left)], {
    execArgv: ['--expose-gc', '--unhandled-rejections=throw'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  let last = seed;
  child.on('message', (at) => {
    last = at;
  });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) {
    console.error(`failed with ${signal ?? `exit code ${code}`} in the thousand cases from seed ${last} on`);
    process.exit(1);
  }
  cases += last - seed;
  seed = last + 1;
} while (performance.now() < end && !only);
console.log(`${cases} cases, no failure`);
