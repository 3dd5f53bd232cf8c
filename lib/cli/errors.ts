/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

/** A file or what is in it is wrong: exit code 1. */
export class DataError extends Error {}

const FS_REASONS: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space left on the device',
};

/** One line that says what is wrong, naming the file: the one the error knows, else `path`. */
export function inOneLine(error: unknown, path?: string): string {
  const { code = '', message = String(error), path: ownPath } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const text = (FS_REASONS[code] ?? message).replace(/\s*\n\s*/g, ' ').trim();
  const named = ownPath ?? path;
  return named === undefined || text.includes(named) ? text : `${named}: ${text}`;
}

// What an option's value can be wrong in without any input at hand; shapes that don't fit are the data's fault.
const USAGE_CODES = new Set([
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_OUT_OF_RANGE',
  'ERR_UNKNOWN_OPTION',
]);

/** Whether an error of the convolution functions is about how they were called rather than about the data. */
export function isUsage(error: unknown): boolean {
  return error instanceof UsageError || USAGE_CODES.has((error as { code?: string }).code ?? '');
}
