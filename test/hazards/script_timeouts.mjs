// vm's timeout stops scripts in the midst of calls of any kind: it is never taken for an error, and the library goes on.
import vm from 'node:vm';
import { assert, Conv2d, SHAPE, same, survived, tensor, tick } from './support/harness.mjs';

const filter = tensor([3, 3, 32, 32], 2);
const layer = new Conv2d(filter);
const input = tensor(SHAPE);
const tiny = tensor([1, 3, 3, 32]);
const expected = layer.runSync(input);
const scripts = [
  'for (;;) layer.runSync(input)',
  'for (;;) layer.runSync(tiny)',
  'for (;;) { try { layer.runSync(tiny) } catch {} }',
  'for (let i = 0; ; i++) i < 2000 && layer.run(tiny)',
  'for (let i = 0; ; i++) i < 20 && layer.run(input)',
  'for (;;) { try { layer.runSync(null) } catch {} }',
  'for (;;) new Conv2d(filter).explain([1, 3, 3, 32])',
];
for (const script of scripts) {
  for (const timeout of [1, 2, 5, 17]) {
    const run = () => vm.runInNewContext(script, { Conv2d, layer, filter, input, tiny }, { timeout });
    assert.throws(run, { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' }, script);
    await tick();
  }
}
same(layer.runSync(input), expected);
same(await layer.run(input), expected);
survived();
