import type { ConvStep, Network } from '../../test/tfjs/networks.js';
import { encodeModel, floats, int, ints, value } from './onnx_model.js';

interface Shape {
  height: number;
  width: number;
  channels: number;
}

interface Graph {
  node: object[];
  initializer: { name: string }[];
}

/**
 * A network of `test/tfjs/networks.ts` as an ONNX model with its weights inside, from `x` in NCHW to `y`: what one would
 * export from a framework, with the padding in the convolutions and the activations as operators of their own, which
 * the runtime fuses.
 */
export function networkModel({ input, steps }: Network): Uint8Array {
  const [height, width, channels] = input;
  const graph: Graph = { node: [], initializer: [] };
  if (steps.some((step) => step.op === 'conv' && step.activation === 'relu6')) {
    graph.initializer.push(floats('zero', [], Float32Array.of(0)), floats('six', [], Float32Array.of(6)));
  }
  const outputs: { name: string; shape: Shape; padded: boolean }[] = [];
  const outputOf = (i: number) => outputs[i] ?? { name: 'x', shape: { height, width, channels }, padded: false };

  for (const [i, step] of steps.entries()) {
    const from = outputOf('from' in step && step.from !== undefined ? step.from : i - 1);
    const emit = (op_type: string, inputs: string[], attribute: object[] = [], suffix = ''): string => {
      const name = `${op_type}_${i}${suffix}`;
      graph.node.push({ name, op_type, input: inputs, output: [name], attribute });
      return name;
    };
    const activate = (name: string, activation: ConvStep['activation']): string => {
      if (activation === 'linear') return name;
      return activation === 'relu' ? emit('Relu', [name]) : emit('Clip', [name, 'zero', 'six']);
    };
    const weights = (name: string, dims: number[], data: Float32Array): string => {
      graph.initializer.push(floats(`${name}_${i}`, dims, data));
      return `${name}_${i}`;
    };
    let { name, shape } = from;
    switch (step.op) {
      case 'pad':
        break;
      case 'conv': {
        const { size, stride, groups, inChannels, outChannels, activation } = step;
        const rows = axis(from.shape.height, size, stride, from.padded);
        const columns = axis(from.shape.width, size, stride, from.padded);
        const filter = weights('filter', [outChannels, inChannels / groups, size, size], toOihw(step));
        name = emit(
          'Conv',
          [name, filter, weights('bias', [outChannels], step.bias)],
          [
            ints('kernel_shape', [size, size]),
            ints('strides', [stride, stride]),
            ints('pads', [rows.before, columns.before, rows.after, columns.after]),
            int('group', groups),
          ],
        );
        name = activate(name, activation);
        shape = { height: rows.size, width: columns.size, channels: outChannels };
        break;
      }
      case 'add':
        name = activate(emit('Add', [name, outputOf(step.other).name]), step.activation);
        break;
      case 'maxPool': {
        const rows = axis(shape.height, 3, 2, false);
        const columns = axis(shape.width, 3, 2, false);
        name = emit(
          'MaxPool',
          [name],
          [
            ints('kernel_shape', [3, 3]),
            ints('strides', [2, 2]),
            ints('pads', [rows.before, columns.before, rows.after, columns.after]),
          ],
        );
        shape = { ...shape, height: rows.size, width: columns.size };
        break;
      }
      case 'mean':
        name = emit('Flatten', [emit('GlobalAveragePool', [name])]);
        shape = { ...shape, height: 1, width: 1 };
        break;
      case 'dense':
        name = emit('Gemm', [
          name,
          weights('weights', [step.inputs, step.outputs], step.weights),
          weights('bias', [step.outputs], step.bias),
        ]);
        shape = { ...shape, channels: step.outputs };
        break;
      case 'softmax':
        name = emit('Softmax', [name]);
        break;
    }
    outputs.push({ name, shape, padded: step.op === 'pad' });
  }

  const last = outputs.at(-1)!;
  graph.node.push({ name: 'y', op_type: 'Identity', input: [last.name], output: ['y'] });
  return encodeModel({
    name: 'network',
    ...graph,
    input: [value('x', [1, channels, height, width])],
    output: [value('y', [1, last.shape.channels])],
  });
}

/** 'same' padding, or one row or column after where a step of its own has padded before. */
function axis(input: number, size: number, stride: number, padded: boolean) {
  if (padded) return { size: Math.floor((input + 1 - size) / stride) + 1, before: 0, after: 1 };
  const out = Math.ceil(input / stride);
  const total = Math.max(0, (out - 1) * stride + size - input);
  return { size: out, before: Math.floor(total / 2), after: Math.ceil(total / 2) };
}

function toOihw({ filter, size, inChannels, groups, outChannels }: ConvStep): Float32Array {
  const taps = size * size;
  const perGroup = inChannels / groups;
  const oihw = new Float32Array(filter.length);
  for (let t = 0; t < taps; t++) {
    for (let c = 0; c < perGroup; c++) {
      for (let o = 0; o < outChannels; o++) {
        oihw[(o * perGroup + c) * taps + t] = filter[(t * perGroup + c) * outChannels + o]!;
      }
    }
  }
  return oihw;
}
