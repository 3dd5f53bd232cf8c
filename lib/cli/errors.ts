/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

/** A file or what is in it is wrong: exit code 1. The message names the file. */
export class DataError extends Error {}

const FS_REASONS: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'is a directory',
  EEXIST: 'is there already, and no directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open: lower --jobs',
  ENAMETOOLONG: 'the name is too long',
};

/** One line that says what is wrong, naming the file: the one the error knows, else `path`. */
export function inOneLine(error: unknown, path?: string): string {
  const { code = '', message = String(error), path: ownPath, dest } = (error ?? {}) as Partial<FileError>;
  const text = (FS_REASONS[code] ?? message).replace(/\s*\n\s*/g, ' ').trim();
  const named = dest ?? ownPath ?? path;
  return printable(
    named === undefined || error instanceof DataError || text.includes(named) ? text : `${named}: ${text}`,
  );
}

// What files say of themselves, and are called, may hold what a terminal obeys.
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);

interface FileError extends NodeJS.ErrnoException {
  /** Where a rename went. */
  dest?: string;
}

/** What the convolution functions refuse in an option's value, as an error of the command line. */
export function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
