// A process that has nothing to compute uses no CPU.
import { assert, DepthwiseConv2d, FILTER_SHAPE, SHAPE, sleep, survived, tensor } from './support/harness.mjs';

const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2));
for (let i = 0; i < 20; i++) {
  layer.runSync(tensor(SHAPE));
  await layer.run(tensor(SHAPE));
}
await sleep(500); // the compiler and collector of JavaScript settle
const before = process.cpuUsage();
await sleep(1000);
const { user, system } = process.cpuUsage(before);
assert.ok(user + system < 20_000, `${(user + system) / 1000} ms of CPU in a second of idleness`);
survived();
