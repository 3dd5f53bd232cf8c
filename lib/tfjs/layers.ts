/**
 * Grouped convolution for TensorFlow.js' Layers API. Importing this module makes `tf.loadLayersModel` load and run Keras
 * models whose Conv2D layers have `groups`. Needs `@tensorflow/tfjs-layers` beside what `depthwise/tfjs` needs.
 *
 * @module depthwise/tfjs-layers
 * @example
 * import * as tf from '@tensorflow/tfjs-core';
 * import { sequential } from '@tensorflow/tfjs-layers';
 * import { conv2d } from 'depthwise/tfjs-layers';
 * await tf.setBackend('depthwise');
 * const model = sequential({ layers: [conv2d({ filters: 6, kernelSize: 3, groups: 2, inputShape: [8, 8, 4] })] });
 * console.log(model.outputs[0].shape); // [ null, 6, 6, 6 ]
 */
import { add, reshape, serialization, type Tensor, type Tensor4D, tidy } from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { groupedConv2d } from './grouped_conv2d.js';
import './index.js';
import { type ConvState, classOf, registerRepairedLayers } from './repaired_layers.js';

/** The arguments of tfjs's `layers.conv2d`, and `groups`. */
export type GroupedConv2DArgs = Parameters<typeof layers.layers.conv2d>[0] & {
  /** Divides the input's channels and `filters`. Default 1. */
  groups?: number;
};

type Shape = (number | null)[];

interface Conv2DState extends ConvState {
  kernel: layers.LayerVariable;
  filters: number;
}

const Conv2D = classOf(layers.layers.conv2d({ filters: 1, kernelSize: 1 }));

/** tfjs's Conv2D layer with groups; with one group it is that layer in everything. */
class GroupedConv2D extends Conv2D {
  static readonly className = 'Conv2D';
  readonly groups: number;

  constructor(args: GroupedConv2DArgs) {
    super(args);
    this.groups = args.groups ?? 1;
    const { filters } = this.#state;
    if (!Number.isInteger(this.groups) || this.groups < 1 || filters % this.groups !== 0) {
      throw new RangeError(
        `Conv2D layer: groups (${this.groups}) must be a positive integer that divides filters (${filters})`,
      );
    }
  }

  get #state(): Conv2DState {
    return this as unknown as Conv2DState;
  }

  // The kernel that the parent class makes has a group's input channels: it is built as for an input of that size, and
  // then told the input's true one.
  override build(inputShape: Shape | Shape[]): void {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as Shape;
    const axis = this.#state.dataFormat === 'channelsFirst' ? 1 : shape.length - 1;
    const channels = shape[axis];
    if (this.groups === 1 || channels == null) {
      super.build(inputShape);
      return;
    }
    if (channels % this.groups !== 0) {
      throw new RangeError(`Conv2D layer: groups (${this.groups}) must divide the input's channels (${channels})`);
    }
    super.build(shape.map((size, i) => (i === axis ? channels / this.groups : size)));
    this.inputSpec = [{ ndim: 4, axes: { [axis]: channels } }] as unknown as layers.InputSpec[];
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.layers.Layer['call']>[1]): Tensor | Tensor[] {
    if (this.groups === 1) return super.call(inputs, kwargs);
    return tidy(() => {
      const { kernel, bias, strides, padding, dataFormat, dilationRate, activation } = this.#state;
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
      const nchw = dataFormat === 'channelsFirst';
      const filter = kernel.read() as Tensor4D;
      const format = nchw ? 'NCHW' : 'NHWC';
      let y: Tensor = groupedConv2d(x, filter, strides, padding, this.groups, format, dilationRate);
      if (bias) y = add(y, nchw ? reshape(bias.read(), [-1, 1, 1]) : bias.read());
      return activation.apply(y);
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.groups };
  }
}

serialization.registerClass(GroupedConv2D);
registerRepairedLayers();

/**
 * tfjs's `layers.conv2d` with `groups`: a layer that saves and loads as Keras' Conv2D does.
 *
 * @param args those of tfjs's layer, and `groups`, default 1, which divides `filters` and the input's channels.
 * @throws RangeError where it doesn't.
 * @example
 * import { conv2d } from 'depthwise/tfjs-layers';
 * const layer = conv2d({ filters: 6, kernelSize: 3, groups: 2 });
 * console.log(layer.getConfig().groups); // 2
 */
export function conv2d(args: GroupedConv2DArgs): layers.layers.Layer {
  return new GroupedConv2D(args);
}
