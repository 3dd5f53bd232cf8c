import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { type DataId, DataStorage, type DataType, engine, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { ArrayPool } from './array_pool.js';
import type { ConvCall } from './kernels.js';
import { LayerCache } from './layer_cache.js';
import { type Padded, type Paddings, paddedShape, writePadded } from './padding.js';

type TensorData = ReturnType<MathBackendCPU['data']['get']>;

// More than what a MobileNet at 224x224 has alive at once.
const POOL_BYTES = 128 * 2 ** 20;

/** tfjs's CPU backend, with the packed weights of the filters that live in it. */
export class DepthwiseBackend extends MathBackendCPU {
  readonly layers = new LayerCache<ConvCall>();
  readonly #arrays = new SharedArrays(new ArrayPool(POOL_BYTES));
  readonly #storage: WatchedStorage;

  constructor() {
    super();
    this.#storage = new WatchedStorage(this, this.#arrays);
    this.data = this.#storage;
    // The CPU backend greets Node users with the advice to install tfjs-node when its first tensor is written.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  // tfjs counts references through `data.get`; here that says that somebody may keep the values.
  override refCount(dataId: DataId): number {
    return this.#storage.has(dataId) ? this.#storage.entry(dataId).refCount : 0;
  }

  override incRef(dataId: DataId): void {
    this.#storage.entry(dataId).refCount++;
  }

  override decRef(dataId: DataId): void {
    if (this.#storage.has(dataId)) this.#storage.entry(dataId).refCount--;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (this.#storage.isOurs(dataId)) {
      const data = this.#storage.entry(dataId);
      data.refCount--;
      if (!force && data.refCount > 0) return false;
      this.#storage.delete(dataId);
    } else if (!super.disposeData(dataId, force)) return false;
    this.layers.drop(dataId);
    return true;
  }

  override dispose(): void {
    this.#arrays.clear();
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
    return this.#arrays.take(length);
  }

  /** A tensor of values from `newArray`, to which the caller keeps no reference. */
  float32Tensor(shape: number[], values: Float32Array): TensorInfo {
    const info = this.makeTensorInfo(shape, 'float32' satisfies DataType, values);
    this.#storage.watch(info.dataId, values);
    return info;
  }

  /**
   * A tensor padded with zeros whose values are written when somebody asks for them: a convolution doesn't, it pads by
   * itself. Undefined where the tensor's own values may change, since others have seen them.
   */
  paddedLater(tensor: TensorInfo, paddings: Paddings): TensorInfo | undefined {
    const values = this.#storage.unseen(tensor.dataId);
    if (!values) return undefined;
    const shape = paddedShape(tensor.shape, paddings);
    const info = this.makeTensorInfo(shape, 'float32' satisfies DataType);
    this.#storage.writeLater(info.dataId, { values, shape: tensor.shape, paddings });
    return info;
  }

  /** What a tensor of `paddedLater` is made of, while its values aren't written; a view of another shape has none. */
  paddedFrom({ dataId, shape }: TensorInfo): Padded | undefined {
    const padded = this.#storage.pending(dataId);
    if (!padded) return undefined;
    return util.arraysEqual(paddedShape(padded.shape, padded.paddings), shape) ? padded : undefined;
  }
}

/** The pool, and who else reads an array whose tensor may go. */
class SharedArrays {
  readonly #readers = new Map<Float32Array, { count: number; isOrphan: boolean }>();

  constructor(private readonly pool: ArrayPool) {}

  take(length: number): Float32Array {
    return this.pool.take(length);
  }

  hold(array: Float32Array): void {
    const readers = this.#readers.get(array);
    if (readers) readers.count++;
    else this.#readers.set(array, { count: 1, isOrphan: false });
  }

  /** Ends a `hold`; the last one gives back an array whose tensor is gone. */
  release(array: Float32Array): void {
    const readers = this.#readers.get(array);
    if (!readers || --readers.count > 0) return;
    this.#readers.delete(array);
    if (readers.isOrphan) this.pool.give(array);
  }

  /** For the array of a tensor that is gone, which nobody but holders has. */
  give(array: Float32Array): void {
    const readers = this.#readers.get(array);
    if (readers) readers.isOrphan = true;
    else this.pool.give(array);
  }

  clear(): void {
    this.#readers.clear();
    this.pool.clear();
  }
}

/**
 * tfjs's storage, which knows the arrays of ours that nobody else has seen: tfjs's kernels and its users take a tensor's
 * array as it is, keep views of it and give them to other tensors. Such an array is left to the garbage collector.
 */
class WatchedStorage extends DataStorage<TensorData> {
  readonly #unseen = new WeakMap<DataId, Float32Array>();
  readonly #pending = new WeakMap<DataId, Padded>();

  constructor(
    backend: DepthwiseBackend,
    private readonly arrays: SharedArrays,
  ) {
    super(backend, engine());
  }

  override get(dataId: DataId): TensorData {
    const data = this.peek(dataId);
    this.#unseen.delete(dataId);
    return data;
  }

  override delete(dataId: DataId): boolean {
    const array = this.#unseen.get(dataId);
    if (array) {
      this.#unseen.delete(dataId);
      this.arrays.give(array);
    }
    const padded = this.#pending.get(dataId);
    if (padded) {
      this.#pending.delete(dataId);
      this.arrays.release(padded.values);
    }
    return super.delete(dataId);
  }

  /** `get` by somebody who keeps nothing. */
  peek(dataId: DataId): TensorData {
    const data = super.get(dataId);
    const padded = this.#pending.get(dataId);
    if (padded) {
      const array = this.arrays.take(util.sizeFromShape(paddedShape(padded.shape, padded.paddings)));
      writePadded(padded, 0, array);
      data.values = array;
      this.#pending.delete(dataId);
      this.arrays.release(padded.values);
      this.watch(dataId, array);
    }
    return data;
  }

  /** `get` by somebody who doesn't look at the values. */
  entry(dataId: DataId): TensorData {
    return super.get(dataId);
  }

  watch(dataId: DataId, values: Float32Array): void {
    this.#unseen.set(dataId, values);
  }

  unseen(dataId: DataId): Float32Array | undefined {
    return this.#unseen.get(dataId);
  }

  /** Puts off the values of an entry that has none. */
  writeLater(dataId: DataId, padded: Padded): void {
    this.arrays.hold(padded.values);
    this.#pending.set(dataId, padded);
  }

  pending(dataId: DataId): Padded | undefined {
    return this.#pending.get(dataId);
  }

  /** Whether nobody else has seen the values. */
  isOurs(dataId: DataId): boolean {
    return this.#unseen.has(dataId) || this.#pending.has(dataId);
  }
}
