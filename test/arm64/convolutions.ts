// Random convolutions against the definition, for a Node.js that can't run vitest, whose native parts are another
// machine's. scripts/test_arm64.sh bundles this file and runs it in an emulator:
//
//   node convolutions.mjs 1000
import fc from 'fast-check';
import { availableIsas, isa } from '../../lib/index.js';
import { callAsync, callSync, expectSameBits } from '../call.js';
import { callOf, cases } from '../cases.js';
import { expectWithin, reference } from '../reference.js';

const runs = Number(process.argv[2]);
await fc.assert(
  fc.asyncProperty(cases(20_000), async (made) => {
    const call = callOf(made);
    const result = callSync(call);
    expectWithin(result, reference(call.operator, call.input, call.filter, call.options));
    expectSameBits(await callAsync(call), result, 'the asynchronous function');
  }),
  { numRuns: runs },
);
const available = availableIsas.join(', ');
console.log(`${runs} random convolutions are right on ${isa} (${process.platform}-${process.arch}: ${available})`);
