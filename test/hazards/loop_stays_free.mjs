// A flood of large calls blocks neither timers nor, with a single libuv thread, the file system.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { assert, heavy, survived } from './support/harness.mjs';

const { layer, input } = heavy(0.2);
const flood = Promise.all(Array.from({ length: 8 }, () => layer.run(input)));
let over = false;
flood.then(() => {
  over = true;
});

let ticks = 0;
const delays = [];
const reads = [];
let last = performance.now();
while (!over) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  const start = performance.now();
  delays.push(start - last);
  await readFile(fileURLToPath(import.meta.url));
  last = performance.now();
  reads.push(last - start);
  ticks++;
}
await flood;
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
assert.ok(ticks > 20, `only ${ticks} turns of the event loop`);
assert.ok(median(delays) < 20, `the event loop's median delay was ${median(delays)} ms`);
assert.ok(median(reads) < 20, `the median of reading a file was ${median(reads)} ms`);
survived();
