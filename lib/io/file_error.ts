/**
 * A file that isn't what its name says: truncated, malformed, or of a kind that isn't read here. Its `code` is
 * `ERR_FILE_FORMAT`.
 *
 * @example
 * import { decodeNpy, FileFormatError } from 'depthwise/io';
 * try {
 *   decodeNpy(new Uint8Array(3));
 * } catch (error) {
 *   console.log(error instanceof FileFormatError); // true
 * }
 */
export class FileFormatError extends Error {
  readonly code = 'ERR_FILE_FORMAT';

  constructor(message: string) {
    super(message);
    this.name = 'FileFormatError';
  }
}
