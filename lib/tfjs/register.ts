import '@tensorflow/tfjs-backend-cpu';
import { findBackendFactory, getKernelsForBackend, registerBackend, registerKernel } from '@tensorflow/tfjs-core';
import { DepthwiseBackend } from './backend.js';
import { registerGroupedGradient } from './grouped_conv2d.js';
import { BACKEND_NAME, ourKernels } from './kernels.js';

// Below every backend of tfjs: a program gets ours by asking for it, not by importing it.
const PRIORITY = 0;

/** Makes the backend known to tfjs: its CPU backend's kernels, with ours in place of some. Once per engine. */
export function registerDepthwiseBackend(): void {
  if (findBackendFactory(BACKEND_NAME)) return;
  const ours = ourKernels();
  const names = new Set(ours.map(({ kernelName }) => kernelName));
  for (const kernel of getKernelsForBackend('cpu')) {
    if (!names.has(kernel.kernelName)) registerKernel({ ...kernel, backendName: BACKEND_NAME });
  }
  for (const kernel of ours) registerKernel(kernel);
  registerGroupedGradient();
  registerBackend(BACKEND_NAME, () => new DepthwiseBackend(), PRIORITY);
}
