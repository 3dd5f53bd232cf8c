import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import { EXTENSIONS } from './arrays.js';
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

/** A file to read, and the folder that its argument named it in. */
interface Source {
  path: string;
  base: string;
}

// Between a result's name and its extension where it lies beside its input. Results of an earlier run are no inputs of the
// next, whether they lie beside their inputs or in an --out-dir within what a pattern covers.
const MARK = '.conv';

const isRead = (path: string): boolean => EXTENSIONS.includes(extname(path).toLowerCase());
const isMarked = (path: string): boolean => basename(path).includes(`${MARK}.`);
const isInside = (path: string, folder: string): boolean => {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

/** What to read and where to write it, every clash found before the first file is read. */
export async function planJobs(inputs: readonly string[], to: Destinations): Promise<Job[]> {
  if (inputs.length === 0) throw new UsageError("no input: name files, folders or patterns, or '-' for stdin");
  checkDestinations(to);
  const sources = await expand(inputs, to.outDir);
  if (sources.length === 0)
    throw new UsageError(`nothing to read in ${inputs.join(', ')}: no ${EXTENSIONS.join(', ')}`);
  if (to.output !== undefined && sources.length > 1) {
    throw new UsageError(`--output takes one result, there are ${sources.length}: use --out-dir`);
  }
  const jobs = assignOutputs(sources, to);
  const read = new Set(jobs.map(({ input }) => resolve(input)));
  const overwritten = jobs.find(({ output }) => output !== '-' && read.has(resolve(output)));
  if (overwritten) throw new UsageError(`${overwritten.output} is an input: the result would overwrite it`);
  return jobs;
}

function checkDestinations({ output, outDir, format }: Destinations): void {
  if (output === undefined) return;
  if (outDir !== undefined) throw new UsageError('--output and --out-dir exclude each other');
  if (format !== undefined) throw new UsageError("--format goes with --out-dir: --output's name says the format");
  if (output !== '-' && !isRead(output)) {
    throw new UsageError(
      `--output ${output}: not a kind of file that is written; ${EXTENSIONS.join(', ')} are, - is stdout`,
    );
  }
}

/** Files, folders (their files, not their folders' files) and patterns as files, each once. */
async function expand(patterns: readonly string[], outDir: string | undefined): Promise<Source[]> {
  const found = new Map<string, Source>();
  for (const pattern of patterns) {
    for (const source of await expandOne(pattern, outDir)) {
      const key = source.path === '-' ? '-' : resolve(source.path);
      if (!found.has(key)) found.set(key, source);
    }
  }
  return [...found.values()];
}

async function expandOne(pattern: string, outDir: string | undefined): Promise<Source[]> {
  if (pattern === '-') return [{ path: '-', base: '' }];
  if (existsSync(pattern)) {
    if (!statSync(pattern).isDirectory()) return [{ path: pattern, base: dirname(pattern) }];
    const files = await glob('*', { cwd: pattern, dot: false });
    return files
      .filter((file) => isRead(file) && !isMarked(file))
      .sort()
      .map((file) => ({ path: join(pattern, file), base: pattern }));
  }
  if (!/[*?[\]{}!]/.test(pattern)) return [{ path: pattern, base: dirname(pattern) }];
  // The part of the pattern without wildcards is what results under --out-dir are relative to.
  const base = dirname(pattern.replace(/[*?[\]{}!].*$/, '_'));
  const results = outDir !== undefined && isInside(resolve(outDir), resolve(base)) ? resolve(outDir) : undefined;
  const isResult = (path: string): boolean =>
    outDir === undefined ? isMarked(path) : results !== undefined && isInside(resolve(path), results);
  const files = (await glob(pattern, { dot: false })).filter((path) => !isResult(path)).sort();
  if (files.length === 0) throw new UsageError(`no file matches ${pattern}`);
  return files.map((path) => ({ path, base }));
}

/**
 * The first of three ways to name results under which no two have the same: each under its own name, below its argument;
 * below the folder that all inputs have in common; and with the input's extension in the name.
 */
function assignOutputs(sources: readonly Source[], to: Destinations): Job[] {
  const folders = sources.filter(({ path }) => path !== '-').map(({ base }) => resolve(base));
  const common = folders.reduce(commonFolder, folders[0] ?? '');
  const moved = sources.map(({ path }) => ({ path, base: common }));
  const ways = [
    () => sources.map((source) => destination(source, to, false)),
    () => moved.map((source) => destination(source, to, false)),
    () => moved.map((source) => destination(source, to, true)),
  ];
  for (const way of ways) {
    const outputs = way();
    if (new Set(outputs.map((output) => resolve(output))).size === outputs.length) {
      return outputs.map((output, i) => ({ input: sources[i]!.path, output }));
    }
  }
  throw new UsageError('two results would have the same name: name them by --output, one at a time');
}

function commonFolder(a: string, b: string): string {
  let folder = a;
  while (folder !== b && !isInside(b, folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function destination({ path, base }: Source, { output, outDir, format }: Destinations, keepExtension: boolean): string {
  if (output !== undefined) return output;
  if (path === '-') return '-';
  const ownExtension = extname(path);
  const extension = format === undefined ? ownExtension : `.${format}`;
  const name = keepExtension && extension !== ownExtension ? basename(path) : basename(path, ownExtension);
  if (outDir === undefined) return join(dirname(path), `${name}${MARK}${extension}`);
  return join(outDir, relative(resolve(base), resolve(dirname(path))), `${name}${extension}`);
}
