import { InferenceSession, Tensor } from 'onnxruntime-node';
import { convModel } from '../onnx_model.js';
import { type Tensors, toNhwc } from '../tensors.js';
import type { Workload } from '../workload.js';
import type { Contender } from './competitor.js';

async function prepare(workload: Workload, tensors: Tensors, threads: number) {
  const { batch, input, output } = workload;
  const session = await InferenceSession.create(convModel(workload, tensors), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const feeds = { x: new Tensor('float32', tensors.inputNchw, [batch, input[2], input[0], input[1]]) };
  const dims = [batch, output[2], output[0], output[1]];
  const asNhwc = ({ y }: InferenceSession.ReturnType) =>
    toNhwc(y!.data as Float32Array, batch, output[2], output[0] * output[1]);
  return { session, feeds, dims, asNhwc };
}

export const onnxruntime: Contender[] = [
  {
    library: 'onnxruntime-node',
    how: 'await session.run',
    layout: 'nchw',
    async make(workload, tensors, threads) {
      const { session, feeds, asNhwc } = await prepare(workload, tensors, threads);
      return {
        call: () => session.run(feeds),
        output: async () => asNhwc(await session.run(feeds)),
        dispose: () => void session.release(),
      };
    },
  },
  {
    library: 'onnxruntime-node',
    how: 'await session.run, out given',
    layout: 'nchw',
    async make(workload, tensors, threads) {
      const { session, feeds, dims, asNhwc } = await prepare(workload, tensors, threads);
      const y = new Tensor('float32', new Float32Array(dims.reduce((product, dim) => product * dim)), dims);
      return {
        call: () => session.run(feeds, { y }),
        output: async () => asNhwc(await session.run(feeds, { y })),
        dispose: () => void session.release(),
      };
    },
  },
];
