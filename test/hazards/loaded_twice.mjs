// One environment loads the addon several times: handles of one are no handles of another, and wrong arguments none.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { assert, library, survived } from './support/harness.mjs';

const path = fileURLToPath(new URL('../build/Release/depthwise.node', library));
const require = createRequire(import.meta.url);
const load = () => {
  delete require.cache[path];
  return require(path);
};
const [first, second] = [load(), load()];
assert.notEqual(first, second);

const spec = Float64Array.of(1, 1, 1, 4, 4, 0, 0, 0, 0, 0);
const problem = Float64Array.of(1, 2, 2, 4, 2, 2, 4, 1, 1, 1, 1, 1, 1, 0, 0, 4, 0, 0, 0);
const input = new Float32Array(16).fill(3);
const filter = new Float32Array(4).fill(2);
for (const addon of [first, second, load()]) {
  const layer = addon.createLayer(spec, filter, undefined, undefined);
  const plan = addon.prepare(layer, problem);
  const output = new Float32Array(16);
  addon.run(plan, input, output);
  assert.ok(output.every((x) => x === 6));
  const result = await new Promise((resolve) =>
    addon.runAsync(plan, input, new Float32Array(16), true, (_, array) => resolve(array)),
  );
  assert.ok(result.every((x) => x === 6));

  // Handles that are none.
  const other = addon === first ? second : first;
  const stranger = { code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' };
  for (const wrong of [other.createLayer(spec, filter), {}, null, undefined, 1, 'x', layer]) {
    assert.throws(() => addon.run(wrong, input, output), stranger);
  }
  assert.throws(() => addon.prepare(plan, problem), stranger);
  assert.throws(() => addon.disposeLayer(plan), stranger);

  // Arguments that don't fit what they are for.
  assert.throws(() => addon.run(plan, input.subarray(1), output), { code: 'ERR_SHAPE_MISMATCH' });
  assert.throws(() => addon.run(plan, input, output.subarray(1)), { code: 'ERR_SHAPE_MISMATCH' });
  assert.throws(() => addon.run(plan, new Float64Array(16), output), stranger);
  assert.throws(() => addon.runAsync(plan, input, new Float32Array(16), true, 'callback'), stranger);
  assert.throws(() => addon.run(), stranger);
  for (let field = 0; field < problem.length; field++) {
    for (const value of [-1, 0.5, Number.NaN, Infinity, 2 ** 53, 1e300, 2 ** 52]) {
      const wrong = problem.with(field, value);
      try {
        addon.run(addon.prepare(layer, wrong), input, output);
      } catch (error) {
        assert.match(error.code, /^ERR_/, `${field} ${value}: ${error}`);
      }
    }
  }
  for (let field = 0; field < 7; field++) {
    for (const value of [-1, 0.5, Number.NaN, Infinity, 2 ** 52, 13]) {
      assert.throws(
        () => addon.createLayer(spec.with(field, value), filter),
        (error) => {
          return (error instanceof TypeError || error instanceof RangeError) && error.code.startsWith('ERR_');
        },
        `${field} ${value}`,
      );
    }
  }

  addon.disposeLayer(layer);
  addon.disposeLayer(layer);
  assert.throws(() => addon.run(plan, input, output), { code: 'ERR_INVALID_STATE' });
  assert.throws(() => addon.prepare(layer, problem), { code: 'ERR_INVALID_STATE' });
}
survived();
