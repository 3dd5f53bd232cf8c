// Processes end at every moment: in callbacks, aborts, getters and exit handlers, by exceptions and by signals, with calls
// of their own and of their workers in flight.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { assert, survived } from './support/harness.mjs';

const program = fileURLToPath(new URL('support/exiting.mjs', import.meta.url));
const endings = {
  'at once': [5, null],
  later: [5, null],
  'in a callback': [5, null],
  'in a microtask of a callback': [5, null],
  'in an abort': [5, null],
  'after an abort': [5, null],
  'in a getter': [5, null],
  'with new calls in the exit handler': [5, null],
  'by an exception': [1, null],
  'by a signal': [null, 'SIGTERM'],
  'by itself': [5, null],
  'while workers compute': [5, null],
};
async function ending(way, delay) {
  const child = spawn(process.execPath, [program, way, delay], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], endings[way], `${way}, ${delay} ms: ${stderr}`);
  assert.doesNotMatch(stderr, /AddressSanitizer|runtime error:|FATAL ERROR/);
}
const ways = Object.keys(endings);
for (let i = 0; i < ways.length; i += 2)
  await Promise.all(ways.slice(i, i + 2).map((way, j) => ending(way, (i + 3 * j) % 5)));
survived();
