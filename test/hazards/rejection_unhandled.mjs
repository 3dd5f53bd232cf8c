// A rejected call whose rejection nobody handles ends the process as any other would.
import { DepthwiseConv2d, FILTER_SHAPE, tensor } from './support/harness.mjs';

const layer = new DepthwiseConv2d(tensor(FILTER_SHAPE, 2));
console.log('survived');
layer.run(tensor([1, 9, 9, 32]), { signal: AbortSignal.timeout(0) }).then(() => process.exit(9));
layer.run(tensor([1, 9, 9, 31]));
