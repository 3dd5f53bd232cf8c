import {
  add,
  depthwiseConv2d,
  separableConv2d,
  serialization,
  type Tensor,
  type Tensor4D,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';

// Layers of Keras that tfjs loads and then computes wrongly, or not at all: a DepthwiseConv2D's dilation is ignored, and
// a SeparableConv2D with channels first adds its bias along the wrong axis, and is saved without its multiplier.

type Shape = (number | null)[];
type Layer = layers.layers.Layer;
type LayerClass = {
  new (args: object): Layer;
  fromConfig: serialization.FromConfigMethod<serialization.Serializable>;
};

/** What every convolution layer of tfjs keeps; its declarations don't say so. */
export interface ConvState {
  bias: layers.LayerVariable | null;
  kernelSize: number[];
  strides: [number, number];
  padding: 'same' | 'valid';
  dataFormat: 'channelsFirst' | 'channelsLast';
  dilationRate: [number, number];
  activation: { apply(x: Tensor): Tensor };
}

/** The class of a layer; tfjs exports none of these, but every layer leads to its own. */
export const classOf = (layer: Layer): LayerClass => layer.constructor as unknown as LayerClass;

const DepthwiseConv2D = classOf(layers.layers.depthwiseConv2d({ kernelSize: 1 }));
const SeparableConv2D = classOf(layers.layers.separableConv2d({ filters: 1, kernelSize: 1 }));

const only = (inputs: Tensor | Tensor[]): Tensor4D => (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;

// A convolution of NHWC in the layer's format, with its bias and activation.
function applied(layer: ConvState, inputs: Tensor | Tensor[], convolve: (x: Tensor4D) => Tensor4D): Tensor {
  return tidy(() => {
    const isFirst = layer.dataFormat === 'channelsFirst';
    let y: Tensor = convolve(isFirst ? transpose(only(inputs), [0, 2, 3, 1]) : only(inputs));
    if (layer.bias) y = add(y, layer.bias.read());
    return layer.activation.apply(isFirst ? transpose(y, [0, 3, 1, 2]) : y);
  });
}

class DilatedDepthwiseConv2D extends DepthwiseConv2D {
  static readonly className = 'DepthwiseConv2D';

  get #state(): ConvState & { depthwiseKernel: layers.LayerVariable; depthMultiplier: number } {
    return this as never;
  }

  get #isDilated(): boolean {
    return this.#state.dilationRate.some((rate) => rate !== 1);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<Layer['call']>[1]): Tensor | Tensor[] {
    if (!this.#isDilated) return super.call(inputs, kwargs);
    const { depthwiseKernel, strides, padding, dilationRate } = this.#state;
    const filter = depthwiseKernel.read() as Tensor4D;
    return applied(this.#state, inputs, (x) => depthwiseConv2d(x, filter, strides, padding, 'NHWC', dilationRate));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    if (!this.#isDilated) return super.computeOutputShape(inputShape);
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as Shape;
    const { kernelSize, strides, padding, dataFormat, dilationRate, depthMultiplier } = this.#state;
    const isFirst = dataFormat === 'channelsFirst';
    const [, a, b, c] = shape as [number | null, number | null, number | null, number | null];
    const [height, width, channels] = isFirst ? [b, c, a] : [a, b, c];
    const [outHeight, outWidth] = [height, width].map((size, i) => {
      const extent = padding === 'same' ? 1 : (kernelSize[i]! - 1) * dilationRate[i]! + 1;
      return size === null ? null : Math.ceil((size - extent + 1) / strides[i]!);
    }) as [number | null, number | null];
    const outChannels = channels! * depthMultiplier;
    return isFirst ? [shape[0]!, outChannels, outHeight, outWidth] : [shape[0]!, outHeight, outWidth, outChannels];
  }
}

interface SeparableState {
  depthwiseKernel: layers.LayerVariable;
  pointwiseKernel: layers.LayerVariable;
  depthMultiplier: number;
}

class RepairedSeparableConv2D extends SeparableConv2D {
  static readonly className = 'SeparableConv2D';

  get #state(): ConvState & SeparableState {
    return this as never;
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<Layer['call']>[1]): Tensor | Tensor[] {
    const { dataFormat, depthwiseKernel, pointwiseKernel, strides, padding, dilationRate } = this.#state;
    if (dataFormat !== 'channelsFirst') return super.call(inputs, kwargs);
    const filters = [depthwiseKernel.read(), pointwiseKernel.read()] as [Tensor4D, Tensor4D];
    return applied(this.#state, inputs, (x) => separableConv2d(x, ...filters, strides, padding, dilationRate));
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), depthMultiplier: this.#state.depthMultiplier };
  }
}

/** Makes tfjs build these in place of its own when it loads a model. */
export function registerRepairedLayers(): void {
  serialization.registerClass(DilatedDepthwiseConv2D);
  serialization.registerClass(RepairedSeparableConv2D);
}
