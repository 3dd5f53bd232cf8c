import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { NativeRow } from './rows.js';

const program = fileURLToPath(new URL('../../build-bench/layer_bench', import.meta.url));

/** Rows of the C++ benchmark as it finishes them. */
export async function* nativeBench(options: {
  filter: string;
  isas: readonly string[];
  threadCounts: readonly number[];
  quick: boolean;
}): AsyncGenerator<NativeRow> {
  const args = ['--json', '-', '--filter', options.filter, '--isa', options.isas.join(',')];
  args.push('--threads', options.threadCounts.join(','), ...(options.quick ? ['--quick'] : []));
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  for await (const line of createInterface(child.stdout)) yield JSON.parse(line) as NativeRow;
  const [code] = await closed;
  // 1 says that a result was wrong, which its row says, too.
  if (code !== 0 && code !== 1) throw new Error(`${program} ended with ${code}`);
}
