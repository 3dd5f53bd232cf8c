import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { DataId, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { LayerCache } from './layer_cache.js';

/** tfjs's CPU backend, with the packed weights of the filters that live in it. */
export class DepthwiseBackend extends MathBackendCPU {
  readonly layers = new LayerCache();

  constructor() {
    super();
    // The CPU backend greets Node users with the advice to install tfjs-node when its first tensor is written.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const gone = super.disposeData(dataId, force);
    if (gone) this.layers.drop(dataId);
    return gone;
  }

  /** A tensor's values as Float32Array; where tfjs has cast a tensor to float32, it may still hold another array. */
  float32(tensor: TensorInfo): Float32Array {
    const values = this.readSync(tensor.dataId);
    return values instanceof Float32Array ? values : Float32Array.from(values as Int32Array);
  }

  float32Tensor(shape: number[], values: Float32Array): TensorInfo {
    return this.makeTensorInfo(shape, 'float32' satisfies DataType, values);
  }
}
