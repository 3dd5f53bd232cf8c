// Each call that is done starts the next, as fast as calls get done: the event loop still comes to its timers and files.
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { assert, DepthwiseConv2d, survived } from './support/harness.mjs';

// As much to copy as to compute.
const layer = new DepthwiseConv2d({ data: new Float32Array(64).fill(1), shape: [1, 1, 64, 1] });
const input = { data: new Float32Array(128 * 128 * 64), shape: [1, 128, 128, 64] };

const CALLS = 400;
let started = 0;
let over = false;
const flood = async () => {
  while (started < CALLS) {
    started++;
    await layer.run(input);
  }
};
const floods = Promise.all(Array.from({ length: 16 }, flood)).then(() => {
  over = true;
});

let turns = 0;
while (!over) {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await stat(fileURLToPath(import.meta.url));
  turns++;
}
await floods;
assert.ok(turns >= CALLS / 32, `timers and files came to their turn ${turns} times in ${CALLS} calls`);
survived();
