// Any valid call gives what the definition says, however it is made.
import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { getThreads, isa, setThreads } from '../../lib/index.js';
import { callAsync, callSync, expectSameBits, guardedOut, layerOf } from '../call.js';
import { type Case, callOf, cases } from '../cases.js';
import { expectWithin, type Reference, reference } from '../reference.js';

const RUNS = 4000;
const threads = getThreads();
afterEach(() => setThreads(threads));

test(`${RUNS} random convolutions are right, and the same by every way to call them`, {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(cases(), async (made) => {
      const call = callOf(made);
      const expected = reference(call.operator, call.input, call.filter, call.options);

      setThreads(1);
      const result = callSync(call);
      expectWithin(result, exactly(made) ? collapsed(expected) : expected);

      const layer = layerOf(call);
      expect(layer.outputShape(call.input.shape)).toEqual(expected.shape);
      const { flops, bytes, isa: isaOfPlan } = layer.explain(call.input.shape);
      expect(flops).toBe(2 * expected.products);
      expect(bytes).toBe(4 * (call.input.data.length + call.filter.data.length + expected.output.length));
      expect(isaOfPlan).toBe(isa);
      setThreads(2);
      const guarded = guardedOut(expected.shape, 65 + (made.seed % 7));
      expect(layer.runSync(call.input, { out: guarded.out })).toBe(guarded.out);
      expectSameBits(guarded.out, result, 'layer.runSync on 2 threads, into out');
      guarded.expectUntouchedAround();

      setThreads(Math.max(3, availableParallelism()));
      expectSameBits(await callAsync(call), result, 'the asynchronous function');
      const guardedAsync = guardedOut(expected.shape, 67 + (made.seed % 5));
      expect(await layer.run(call.input, { out: guardedAsync.out })).toBe(guardedAsync.out);
      expectSameBits(guardedAsync.out, result, 'layer.run, into out');
      guardedAsync.expectUntouchedAround();
    }),
    { numRuns: RUNS },
  );
});

/** Whether float32 computes the case without rounding. */
function exactly({ numbers, activation }: Case): boolean {
  return numbers === 'integers' && (activation === 'linear' || activation === 'relu' || activation === 'relu6');
}

function collapsed(expected: Reference): Reference {
  return { ...expected, low: expected.output, high: expected.output };
}
