import { Conv2d, setThreads, type Tensor } from '../../../dist/index.js';
import { type Tensors, toNhwc } from '../tensors.js';
import type { Workload } from '../workload.js';
import type { Contender } from './competitor.js';

function prepare(workload: Workload, tensors: Tensors, threads: number, layout: 'nhwc' | 'nchw') {
  setThreads(threads);
  const { batch, input, output, filter, strides, dilations, padding, groups } = workload;
  const layer = new Conv2d(
    { data: tensors.filterHwio, shape: [...filter, input[2] / groups, output[2]] },
    { strides, dilations, padding, groups, bias: tensors.bias, dataFormat: layout === 'nhwc' ? 'NHWC' : 'NCHW' },
  );
  const nhwc = layout === 'nhwc';
  const shaped = ([height, width, channels]: Workload['input']) =>
    nhwc ? [batch, height, width, channels] : [batch, channels, height, width];
  const source: Tensor = { data: nhwc ? tensors.inputNhwc : tensors.inputNchw, shape: shaped(input) };
  const out: Tensor = {
    data: new Float32Array(batch * output[0] * output[1] * output[2]),
    shape: shaped(output),
  };
  const asNhwc = ({ data }: Tensor) => (nhwc ? data : toNhwc(data, batch, output[2], output[0] * output[1]));
  return { layer, source, out, asNhwc };
}

const layouts = ['nhwc', 'nchw'] as const;

export const ours: Contender[] = [
  ...layouts.map(
    (layout): Contender => ({
      library: 'ours',
      how: 'runSync, out given',
      layout,
      async make(workload, tensors, threads) {
        const { layer, source, out, asNhwc } = prepare(workload, tensors, threads, layout);
        return {
          call: () => layer.runSync(source, { out }),
          output: async () => asNhwc(layer.runSync(source, { out })),
        };
      },
    }),
  ),
  ...layouts.map(
    (layout): Contender => ({
      library: 'ours',
      how: 'await run',
      layout,
      async make(workload, tensors, threads) {
        const { layer, source, asNhwc } = prepare(workload, tensors, threads, layout);
        return {
          call: () => layer.run(source),
          output: async () => asNhwc(await layer.run(source)),
        };
      },
    }),
  ),
];
