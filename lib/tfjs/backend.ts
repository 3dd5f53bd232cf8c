import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { type DataId, DataStorage, type DataType, engine, type TensorInfo } from '@tensorflow/tfjs-core';
import { ArrayPool } from './array_pool.js';
import { LayerCache } from './layer_cache.js';

type TensorData = ReturnType<MathBackendCPU['data']['get']>;

// More than what a MobileNet at 224x224 has alive at once.
const POOL_BYTES = 128 * 2 ** 20;

/** tfjs's CPU backend, with the packed weights of the filters that live in it. */
export class DepthwiseBackend extends MathBackendCPU {
  readonly layers = new LayerCache();
  readonly #pool = new ArrayPool(POOL_BYTES);
  readonly #storage: WatchedStorage;

  constructor() {
    super();
    this.#storage = new WatchedStorage(this, engine());
    this.data = this.#storage;
    // The CPU backend greets Node users with the advice to install tfjs-node when its first tensor is written.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  // tfjs counts references through `data.get`; here that says that somebody may keep the values.
  override refCount(dataId: DataId): number {
    return this.#storage.has(dataId) ? this.#storage.peek(dataId).refCount : 0;
  }

  override incRef(dataId: DataId): void {
    this.#storage.peek(dataId).refCount++;
  }

  override decRef(dataId: DataId): void {
    if (this.#storage.has(dataId)) this.#storage.peek(dataId).refCount--;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const array = this.#storage.unseen(dataId);
    if (array) {
      const data = this.#storage.peek(dataId);
      data.refCount--;
      if (!force && data.refCount > 0) return false;
      this.#storage.delete(dataId);
      this.#pool.give(array);
      this.layers.drop(dataId);
      return true;
    }
    const gone = super.disposeData(dataId, force);
    if (gone) this.layers.drop(dataId);
    return gone;
  }

  override dispose(): void {
    this.#pool.clear();
    this.layers.clear();
  }

  /**
   * A tensor's values as Float32Array, for reading and not for keeping; where tfjs has cast a tensor to float32, it may
   * still hold another array.
   */
  float32(tensor: TensorInfo): Float32Array {
    const { values } = this.#storage.peek(tensor.dataId);
    if (values instanceof Float32Array) return values;
    const read = this.readSync(tensor.dataId);
    return read instanceof Float32Array ? read : Float32Array.from(read as Int32Array);
  }

  /** An array for the values of a tensor to be made by `float32Tensor`; its contents are arbitrary. */
  newArray(length: number): Float32Array {
    return this.#pool.take(length);
  }

  /** A tensor of values from `newArray`, to which the caller keeps no reference. */
  float32Tensor(shape: number[], values: Float32Array): TensorInfo {
    const info = this.makeTensorInfo(shape, 'float32' satisfies DataType, values);
    this.#storage.watch(info.dataId, values);
    return info;
  }
}

/**
 * tfjs's storage, which knows the arrays of ours that nobody else has seen: tfjs's kernels and its users take a tensor's
 * array as it is, keep views of it and give them to other tensors. Such an array is left to the garbage collector.
 */
class WatchedStorage extends DataStorage<TensorData> {
  readonly #unseen = new WeakMap<DataId, Float32Array>();

  override get(dataId: DataId): TensorData {
    this.#unseen.delete(dataId);
    return super.get(dataId);
  }

  override delete(dataId: DataId): boolean {
    this.#unseen.delete(dataId);
    return super.delete(dataId);
  }

  /** `get` by somebody who keeps nothing. */
  peek(dataId: DataId): TensorData {
    return super.get(dataId);
  }

  watch(dataId: DataId, values: Float32Array): void {
    this.#unseen.set(dataId, values);
  }

  unseen(dataId: DataId): Float32Array | undefined {
    return this.#unseen.get(dataId);
  }
}
