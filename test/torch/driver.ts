// The other side of differential.py: reads calls from stdin, writes their results to stdout.
//
// A call is a line of JSON { operator, how, threads, options, tensors: { name: shape } } and then the tensors' float32
// numbers in that order; options that are tensors are named `$name`. An answer is a line of JSON { shape } and its
// numbers, or { error }.
import { type Conv2dOptions, setThreads, type Tensor } from '../../lib/index.js';
import { callAsync, callSync, guardedOut, layerOf } from '../call.js';
import type { Call } from '../cases.js';
import type { OperatorName } from '../reference.js';

interface Header {
  readonly operator: OperatorName;
  readonly how: 'sync' | 'async' | 'layer sync' | 'layer async' | 'sync out' | 'async out' | 'layer sync out';
  readonly threads: number;
  readonly options: Record<string, unknown>;
  readonly tensors: Record<string, number[]>;
}

const chunks = process.stdin.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
let unread: Buffer = Buffer.alloc(0);

for (let line = await readLine(); line !== ''; line = await readLine()) {
  const header = JSON.parse(line) as Header;
  const tensors: Record<string, Tensor> = {};
  for (const [name, shape] of Object.entries(header.tensors)) {
    const length = shape.reduce((product, size) => product * size, 1);
    const bytes = await read(4 * length);
    tensors[name] = { data: new Float32Array(bytes.buffer, bytes.byteOffset, length), shape };
  }
  try {
    const { data, shape } = await answer(header, tensors);
    await write(Buffer.from(`${JSON.stringify({ shape })}\n`));
    await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } catch (error) {
    await write(Buffer.from(`${JSON.stringify({ error: String((error as Error).stack) })}\n`));
  }
}

async function answer(
  { operator, how, threads, options, tensors: _, ...rest }: Header,
  tensors: Record<string, Tensor>,
) {
  if (Object.keys(rest).length > 0) throw new Error(`unknown fields ${Object.keys(rest)}`);
  const { input, filter } = tensors as { input: Tensor; filter: Tensor };
  const call: Call = { operator, input, filter, options: revive(options, tensors) as Conv2dOptions };
  setThreads(threads);
  switch (how) {
    case 'sync':
      return callSync(call);
    case 'async':
      return callAsync(call);
    case 'layer sync':
      return layerOf(call).runSync(input);
    case 'layer async':
      return layerOf(call).run(input);
  }
  const layer = layerOf(call);
  const { out, expectUntouchedAround } = guardedOut(layer.outputShape(input.shape), 65);
  if (how === 'sync out') callSync(call, { out });
  else if (how === 'async out') await callAsync(call, { out });
  else layer.runSync(input, { out });
  expectUntouchedAround();
  return out;
}

/** '$bias' is the tensor of that name, '$bias.data' its numbers; 'inf' and '-inf', which JSON lacks, are numbers. */
function revive(value: unknown, tensors: Record<string, Tensor>): unknown {
  if (value === 'inf') return Infinity;
  if (value === '-inf') return -Infinity;
  if (typeof value === 'string' && value.startsWith('$')) {
    const [name, field] = value.slice(1).split('.') as [string, string?];
    return field === 'data' ? tensors[name]!.data : tensors[name];
  }
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner, tensors)]));
}

/** The next line, or '' at the end. */
async function readLine(): Promise<string> {
  for (let end = unread.indexOf(10); ; end = unread.indexOf(10)) {
    if (end >= 0) {
      const line = unread.toString('utf8', 0, end);
      unread = unread.subarray(end + 1);
      return line;
    }
    if (!(await readMore())) return '';
  }
}

/** The next `length` bytes, at the start of a buffer of their own. */
async function read(length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    if (unread.length === 0 && !(await readMore())) throw new Error('the input ends within a tensor');
    const count = unread.copy(bytes, at);
    unread = unread.subarray(count);
    at += count;
  }
  return bytes;
}

async function readMore(): Promise<boolean> {
  const { value, done } = await chunks.next();
  if (done) return false;
  unread = Buffer.concat([unread, value]);
  return true;
}

function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}
