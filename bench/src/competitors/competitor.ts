import type { Tensors } from '../tensors.js';
import type { Workload } from '../workload.js';

/** One way for a Node program to compute one layer: model loaded, weights prepared. */
export interface Competitor {
  /** The measured call; a promise is awaited within the measured time. */
  call(): unknown;
  /** What the call computes, as NHWC. */
  output(): Promise<Float32Array>;
  dispose?(): void;
}

export interface Contender {
  library: 'ours' | 'onnxruntime-node' | 'tfjs-backend-wasm';
  /** What is called, as a user would write it. */
  how: string;
  layout: 'nhwc' | 'nchw';
  /** Competitors alive at the same time must have the same number of threads. Rejects where the library refuses the layer. */
  make(workload: Workload, tensors: Tensors, threads: number): Promise<Competitor>;
}
