import { checkOut, outputData, readCall, result } from './call.js';
import { geometryFor, layerSpec, type Operator, readConvolution } from './convolution.js';
import { runJob } from './job.js';
import { encodeLayer, encodeProblem, native } from './native.js';
import type { Place } from './options.js';
import { checkAllocatable, type Tensor } from './tensor.js';

// One convolution with weights that no later call will use: no layer is made, and nothing is packed that need not be.

export function runOnceSync(
  operator: Operator,
  place: Place,
  input: unknown,
  filter: unknown,
  options: unknown,
): Tensor {
  const { call, geometry, spec, weights } = prepareOnce(operator, place, input, filter, options);
  const { bias, activation } = weights;
  const data = outputData(call, geometry);
  const problem = encodeProblem(geometry.problem);
  const isOwn = call.out === undefined;
  native.runOnce(encodeLayer(spec), problem, weights.filter, bias, activation.slopes, call.input, data, isOwn);
  return result(call, geometry, data);
}

export async function runOnce(
  operator: Operator,
  place: Place,
  input: unknown,
  filter: unknown,
  options: unknown,
): Promise<Tensor> {
  const { call, geometry, spec, weights } = prepareOnce(operator, place, input, filter, options);
  const { bias, activation } = weights;
  const data = await runJob(call.signal, (done) => {
    const problem = encodeProblem(geometry.problem);
    const output = outputData(call, geometry);
    const isOwn = call.out === undefined;
    const { slopes } = activation;
    return native.runOnceAsync(
      encodeLayer(spec),
      problem,
      weights.filter,
      bias,
      slopes,
      call.input,
      output,
      isOwn,
      done,
    );
  });
  return result(call, geometry, data);
}

function prepareOnce(operator: Operator, place: Place, input: unknown, filter: unknown, options: unknown) {
  const call = readCall(place, input, options);
  const { convolution, weights } = readConvolution(operator, place, filter, options);
  const geometry = geometryFor(convolution, call.inputShape);
  checkAllocatable(geometry);
  checkOut(call, geometry, weights);
  return { call, geometry, weights, spec: layerSpec(convolution, weights.activation) };
}
