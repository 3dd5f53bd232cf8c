/**
 * Files: .npy, .npz and safetensors; and what the package's root has too, pixels, nested arrays and scijs ndarrays.
 *
 * @module depthwise/io
 */
export {
  type Float32Tensor,
  fromImage,
  fromNdarray,
  type NdarrayLike,
  type NestedArray,
  type RawImage,
  tensor,
  toImage,
  toTensor,
} from './convert.js';
export type { NumericArray, NumericData } from './element_types.js';
export { FileFormatError } from './file_error.js';
export { readNpy, readNpz, readSafetensors, writeNpy, writeNpz } from './files.js';
export { decodeNpy, encodeNpy } from './npy.js';
export { decodeNpz, encodeNpz } from './npz.js';
export { decodeSafetensors } from './safetensors.js';
