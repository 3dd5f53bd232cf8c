import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { INPUT_EXTENSIONS } from './arrays.js';
import { UsageError } from './errors.js';

/** One file to read and where its result goes. */
export interface Job {
  input: string;
  output: string;
}

export interface Destinations {
  output?: string | undefined;
  outDir?: string | undefined;
  /** An extension for results, else that of the input. */
  format?: string | undefined;
}

// Between a result's name and its extension where it lies beside its input; a folder's own results are not inputs.
const MARK = '.conv';

/** Files, folders (their files, not their folders' files) and glob patterns, as files with where they came from. */
async function expand(patterns: readonly string[]): Promise<{ path: string; base: string }[]> {
  const found = new Map<string, { path: string; base: string }>();
  for (const pattern of patterns) {
    for (const file of await expandOne(pattern)) {
      if (!found.has(resolve(file.path))) found.set(resolve(file.path), file);
    }
  }
  return [...found.values()];
}

async function expandOne(pattern: string): Promise<{ path: string; base: string }[]> {
  if (pattern === '-') return [{ path: '-', base: '' }];
  if (existsSync(pattern)) {
    if (!statSync(pattern).isDirectory()) return [{ path: pattern, base: dirname(pattern) }];
    const files = await glob('*', { cwd: pattern, dot: false });
    return files
      .filter((file) => INPUT_EXTENSIONS.includes(extname(file).toLowerCase()) && !file.includes(`${MARK}.`))
      .sort()
      .map((file) => ({ path: join(pattern, file), base: pattern }));
  }
  if (!/[*?[\]{}!]/.test(pattern)) return [{ path: pattern, base: dirname(pattern) }];
  const files = (await glob(pattern, { dot: false })).sort();
  if (files.length === 0) throw new UsageError(`no file matches ${pattern}`);
  // The part of the pattern without wildcards is what results under --out-dir are relative to.
  const base = dirname(pattern.replace(/[*?[\]{}!].*$/, '_'));
  return files.map((path) => ({ path, base }));
}

/** What to read and where to write it, every clash found before the first file is read. */
export async function planJobs(inputs: readonly string[], to: Destinations): Promise<Job[]> {
  if (inputs.length === 0) throw new UsageError("no input: name files, folders or patterns, or '-' for stdin");
  const files = await expand(inputs);
  if (files.length === 0)
    throw new UsageError(`nothing to read in ${inputs.join(', ')}: no ${INPUT_EXTENSIONS.join(', ')}`);
  if (to.output !== undefined && files.length > 1) {
    throw new UsageError(`--output takes one result, there are ${files.length}: use --out-dir`);
  }
  const jobs = files.map(({ path, base }) => ({ input: path, output: destination(path, base, to) }));
  const taken = new Map<string, string>();
  const sources = new Set(jobs.map(({ input }) => resolve(input)));
  for (const { input, output } of jobs) {
    if (output === '-') continue;
    const rival = taken.get(resolve(output));
    if (rival !== undefined) throw new UsageError(`${rival} and ${input} would both be written to ${output}`);
    if (sources.has(resolve(output))) throw new UsageError(`${output} is an input: the result would overwrite it`);
    taken.set(resolve(output), input);
  }
  return jobs;
}

function destination(input: string, base: string, { output, outDir, format }: Destinations): string {
  if (output !== undefined) return output;
  if (input === '-') return '-';
  const ownExtension = extname(input);
  const extension = format === undefined ? ownExtension : `.${format}`;
  const name = basename(input, ownExtension);
  if (outDir === undefined) return join(dirname(input), `${name}${MARK}${extension}`);
  return join(outDir, relative(base, dirname(input)), `${name}${extension}`);
}
