// npx tsx examples/async_abort.ts
//
// An awaited call computes off this thread, which stays free, and can be called off.
import { Conv2d } from 'depthwise';

const channels = 256;
const filter = { data: new Float32Array(3 * 3 * channels * channels).fill(0.01), shape: [3, 3, channels, channels] };
const layer = new Conv2d(filter, { padding: 'same' });
const input = { data: new Float32Array(112 * 112 * channels).fill(1), shape: [112, 112, channels] };

let turns = 0;
const counter = setInterval(() => turns++, 1);
const { shape } = await layer.run(input);
clearInterval(counter);
console.log('computed', shape, turns > 0 ? 'while timers kept running' : 'too fast for any timer');

// A client went away: AbortSignal.timeout, a request's signal, or a controller of one's own.
const controller = new AbortController();
setTimeout(() => controller.abort(new Error('the client went away')), 2);
try {
  await layer.run(
    { data: new Float32Array(8 * input.data.length), shape: [8, ...input.shape] },
    { signal: controller.signal },
  );
  console.log('computed in less than 2 ms');
} catch (error) {
  console.log('aborted:', (error as Error).message);
}
