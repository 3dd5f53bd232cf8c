import type { Competitor, Contender } from './competitors/competitor.js';
import { onnxruntime } from './competitors/onnxruntime.js';
import { ours } from './competitors/ours.js';
import { tfjsWasm } from './competitors/tfjs_wasm.js';
import { type Effort, measure } from './measure.js';
import { computeReference, type Reference, worstError } from './reference.js';
import type { Result, Row } from './rows.js';
import { makeTensors, type Tensors } from './tensors.js';
import type { Workload } from './workload.js';

const contenders: Contender[] = [...ours, ...onnxruntime, tfjsWasm];

/** What a Node program can call, layer by layer and round by round in this process. */
export async function* nodeBench(
  workloads: readonly Workload[],
  threadCounts: readonly number[],
  effort: Effort,
): AsyncGenerator<Row> {
  for (const workload of workloads) {
    const tensors = makeTensors(workload);
    const reference = computeReference(workload, tensors);
    for (const threads of threadCounts) yield await measureRow(workload, tensors, reference, threads, effort);
  }
}

async function measureRow(
  workload: Workload,
  tensors: Tensors,
  reference: Reference,
  threads: number,
  effort: Effort,
): Promise<Row> {
  const ready: { contender: Contender; competitor: Competitor; error: number }[] = [];
  const refused: Result[] = [];
  for (const contender of contenders) {
    const { library, how, layout } = contender;
    try {
      const competitor = await contender.make(workload, tensors, threads);
      ready.push({ contender, competitor, error: worstError(await competitor.output(), reference) });
    } catch (error) {
      refused.push({ library, how, layout, refused: String((error as Error).message) });
    }
  }
  const timings = await measure(
    ready.map(({ competitor }) => competitor.call),
    effort,
  );
  for (const { competitor } of ready) competitor.dispose?.();
  const timed = ready.map(({ contender: { library, how, layout }, error }, i): Result => {
    return { library, how, layout, ...timings[i]!, error };
  });
  const { layer, kind, usedBy } = workload;
  return { layer, kind, usedBy, threads, results: [...timed, ...refused] };
}
