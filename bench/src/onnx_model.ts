import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { Tensors } from './tensors.js';
import type { Workload } from './workload.js';

const FLOAT = 1; // TensorProto.DataType.FLOAT
const IR_VERSION = 8;
const OPSET = 13;

const schema = protobuf.parse(readFileSync(new URL('onnx.proto', import.meta.url), 'utf8'), { keepCase: true });
const Model = schema.root.lookupType('onnx.ModelProto');

/** An ONNX model that is one Conv, from `x` to `y`, with its weights inside. */
export function convModel(workload: Workload, { filterOihw, bias }: Tensors): Uint8Array {
  const { batch, input, output, filter, strides, dilations, padding, groups } = workload;
  const [[top, bottom], [left, right]] = padding;
  return encodeModel({
    name: 'conv',
    node: [
      {
        name: 'conv',
        op_type: 'Conv',
        input: ['x', 'filter', 'bias'],
        output: ['y'],
        attribute: [
          ints('kernel_shape', filter),
          ints('strides', strides),
          ints('dilations', dilations),
          ints('pads', [top, left, bottom, right]),
          int('group', groups),
        ],
      },
    ],
    initializer: [
      floats('filter', [output[2], input[2] / groups, ...filter], filterOihw),
      floats('bias', [output[2]], bias),
    ],
    input: [value('x', [batch, input[2], input[0], input[1]])],
    output: [value('y', [batch, output[2], output[0], output[1]])],
  });
}

/** A graph in onnx.proto's terms as a model's bytes. */
export function encodeModel(graph: object): Uint8Array {
  const model = { ir_version: IR_VERSION, opset_import: [{ domain: '', version: OPSET }], graph };
  return Model.encode(Model.fromObject(model)).finish();
}

export function int(name: string, i: number) {
  return { name, type: 'INT', i };
}

export function ints(name: string, values: readonly number[]) {
  return { name, type: 'INTS', ints: values };
}

export function floats(name: string, dims: readonly number[], data: Float32Array) {
  return { name, dims, data_type: FLOAT, raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

export function value(name: string, dims: readonly number[]) {
  const shape = { dim: dims.map((dim_value) => ({ dim_value })) };
  return { name, type: { tensor_type: { elem_type: FLOAT, shape } } };
}
