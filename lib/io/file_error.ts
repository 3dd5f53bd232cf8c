/** A file that isn't what its name says: truncated, malformed, or of a kind that isn't read here. */
export class FileFormatError extends Error {
  readonly code = 'ERR_FILE_FORMAT';

  constructor(message: string) {
    super(message);
    this.name = 'FileFormatError';
  }
}
