// A call keeps the process alive until it is done; the idle pool doesn't.
import { assert, DepthwiseConv2d, FILTER_SHAPE, heavy, SHAPE, tensor } from './support/harness.mjs';

const { layer, input } = heavy(0.3);
await new DepthwiseConv2d(tensor(FILTER_SHAPE, 2)).run(tensor(SHAPE));
let done = false;
const start = performance.now();
layer.run(input).then(() => {
  done = true;
  process.on('exit', () => console.log('survived'));
  setTimeout(() => process.exit(7), 1000).unref(); // nothing else keeps the process from ending now
});
process.on('exit', (code) => {
  assert.ok(done, 'the process ended before the call');
  assert.equal(code, 0);
  assert.ok(performance.now() - start < 20_000);
});
