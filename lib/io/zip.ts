import { crc32, inflateRawSync } from 'node:zlib';
import { FileFormatError } from './file_error.js';

// The structures of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: a local header before each member, and at the
// end a central directory of them all with its own end record. Numbers are little-endian. A field that is all ones has its
// true value in a 64-bit one elsewhere.
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const END = { signature: 0x06054b50, bytes: 22 };
const END64 = { signature: 0x06064b50, bytes: 56 };
const END64_LOCATOR = { signature: 0x07064b50, bytes: 20 };
const ZIP64_EXTRA = 1;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const UTF8 = 1 << 11;
const MAX_COMMENT = 0xffff;
const ALL_ONES_16 = 0xffff;
const ALL_ONES_32 = 0xffffffff;

/** A file in an archive. */
export interface Member {
  name: string;
  /** Its contents, unpacked and held against their checksum. @throws FileFormatError */
  read(): Uint8Array;
}

/**
 * The files in a zip archive, in its order. Nothing is unpacked before it is asked for, and then no more than the archive
 * says that there is.
 *
 * @throws FileFormatError where the archive is malformed, or members share bytes: a small file could fill any memory so.
 */
export function readZip(bytes: Uint8Array): Member[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, offset } = findDirectory(view);
  const members: Member[] = [];
  let at = offset;
  let packedBytes = 0;
  for (let i = 0; i < count; i++) {
    expectRecord(view, at, CENTRAL, 'its directory');
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + CENTRAL.bytes + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > bytes.length) throw new FileFormatError('its directory is truncated');
    const flags = view.getUint16(at + 8, true);
    const name = textOf(bytes.subarray(at + CENTRAL.bytes, at + CENTRAL.bytes + nameBytes), flags);
    const entry = {
      flags,
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      ...sizesOf(view, at, at + CENTRAL.bytes + nameBytes, extraBytes),
    };
    packedBytes += entry.packed;
    if (packedBytes > bytes.length)
      throw new FileFormatError(`its members overlap, or ${name} is larger than the file`);
    members.push({ name, read: () => unpack(bytes, view, name, entry) });
    at = next;
  }
  return members;
}

function findDirectory(view: DataView): { count: number; offset: number } {
  const last = view.byteLength - END.bytes;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
    if (view.getUint32(at, true) !== END.signature) continue;
    const count = view.getUint16(at + 10, true);
    const offset = view.getUint32(at + 16, true);
    if (count !== ALL_ONES_16 && offset !== ALL_ONES_32) return { count, offset };
    expectRecord(view, at - END64_LOCATOR.bytes, END64_LOCATOR, 'its end');
    const end = uint64(view, at - END64_LOCATOR.bytes + 8);
    expectRecord(view, end, END64, 'its end');
    return { count: uint64(view, end + 32), offset: uint64(view, end + 48) };
  }
  throw new FileFormatError('it does not end as a zip archive does; is it truncated?');
}

interface Sizes {
  packed: number;
  unpacked: number;
  /** Of the local header. */
  offset: number;
}

function sizesOf(view: DataView, at: number, extraAt: number, extraBytes: number): Sizes {
  const sizes = {
    unpacked: view.getUint32(at + 24, true),
    packed: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  };
  const end = extraAt + extraBytes;
  for (let field = extraAt; field + 4 <= end; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== ZIP64_EXTRA) continue;
    let value = field + 4;
    for (const key of ['unpacked', 'packed', 'offset'] as const) {
      if (sizes[key] !== ALL_ONES_32 || value + 8 > end) continue;
      sizes[key] = uint64(view, value);
      value += 8;
    }
    break;
  }
  return sizes;
}

function unpack(
  bytes: Uint8Array,
  view: DataView,
  name: string,
  { flags, method, checksum, packed, unpacked, offset }: Sizes & { flags: number; method: number; checksum: number },
): Uint8Array {
  if (flags & ENCRYPTED) throw new FileFormatError(`${name} is encrypted`);
  expectRecord(view, offset, LOCAL, name);
  const begin = offset + LOCAL.bytes + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (begin + packed > bytes.length) throw new FileFormatError(`${name} is truncated`);
  const content = decompress(bytes.subarray(begin, begin + packed), method, unpacked, name);
  if (content.length !== unpacked || checksumOf(content) !== checksum) {
    throw new FileFormatError(`${name} is damaged: its size or checksum is not what the archive says`);
  }
  return content;
}

function decompress(packed: Uint8Array, method: number, size: number, name: string): Uint8Array {
  if (method === STORED) return packed;
  if (method !== DEFLATED) throw new FileFormatError(`${name} is compressed by method ${method}; deflate is read`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    throw new FileFormatError(`${name} is damaged: ${(error as Error).message}`);
  }
}

// In pieces: zlib counts bytes with 32 bits.
function checksumOf(bytes: Uint8Array): number {
  const piece = 2 ** 30;
  let checksum = 0;
  for (let at = 0; at < bytes.length; at += piece) checksum = crc32(bytes.subarray(at, at + piece), checksum);
  return checksum;
}

function expectRecord(view: DataView, at: number, { signature, bytes }: typeof LOCAL, what: string): void {
  if (at < 0 || at + bytes > view.byteLength || view.getUint32(at, true) !== signature) {
    throw new FileFormatError(`${what} is damaged or truncated`);
  }
}

// What is larger than a number can hold is larger than any file, and refused where it is compared with the file's size.
const uint64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

const textOf = (bytes: Uint8Array, flags: number): string =>
  new TextDecoder(flags & UTF8 ? 'utf-8' : 'latin1').decode(bytes);

/**
 * A zip archive of files, uncompressed. `limit` is what 32 bits hold: members beyond it get 64-bit fields.
 */
export function writeZip(members: ReadonlyMap<string, Uint8Array>, limit = ALL_ONES_32): Uint8Array {
  const entries = [...members].map(([name, content]) => ({ name: new TextEncoder().encode(name), content }));
  const most = entries.reduce((sum, { name, content }) => sum + content.length + 2 * (name.length + 128), 0);
  const bytes = new Uint8Array(most + END64.bytes + END64_LOCATOR.bytes + END.bytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const put = (width: 2 | 4 | 8, value: number): void => {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  };
  const putBytes = (part: Uint8Array): void => {
    bytes.set(part, at);
    at += part.length;
  };
  // What local and central headers have in common, from the version that reads it to the length of the extra field.
  const putCommon = (
    name: Uint8Array,
    content: Uint8Array,
    checksum: number,
    isLarge: boolean,
    extra: number,
  ): void => {
    put(2, isLarge ? 45 : 20);
    put(2, UTF8);
    put(2, STORED);
    put(4, 0x00210000); // midnight, 1 January 1980: the same arrays make the same file
    put(4, checksum);
    put(4, isLarge ? ALL_ONES_32 : content.length);
    put(4, isLarge ? ALL_ONES_32 : content.length);
    put(2, name.length);
    put(2, extra);
  };

  const written = entries.map(({ name, content }) => {
    const offset = at;
    const isLarge = content.length >= limit || offset >= limit;
    const checksum = checksumOf(content);
    put(4, LOCAL.signature);
    putCommon(name, content, checksum, isLarge, isLarge ? 20 : 0);
    putBytes(name);
    if (isLarge) {
      put(2, ZIP64_EXTRA);
      put(2, 16);
      put(8, content.length);
      put(8, content.length);
    }
    putBytes(content);
    return { name, content, checksum, offset, isLarge };
  });
  const directory = at;
  for (const { name, content, checksum, offset, isLarge } of written) {
    put(4, CENTRAL.signature);
    put(2, isLarge ? 45 : 20);
    putCommon(name, content, checksum, isLarge, isLarge ? 28 : 0);
    put(2, 0); // comment
    put(2, 0); // disk
    put(2, 0); // internal attributes
    put(4, 0); // external attributes
    put(4, isLarge ? ALL_ONES_32 : offset);
    putBytes(name);
    if (isLarge) {
      put(2, ZIP64_EXTRA);
      put(2, 24);
      put(8, content.length);
      put(8, content.length);
      put(8, offset);
    }
  }
  const end = at;
  const isLarge = written.length >= ALL_ONES_16 || end >= limit;
  if (isLarge) {
    put(4, END64.signature);
    put(8, END64.bytes - 12);
    put(2, 45);
    put(2, 45);
    put(4, 0);
    put(4, 0);
    put(8, written.length);
    put(8, written.length);
    put(8, end - directory);
    put(8, directory);
    put(4, END64_LOCATOR.signature);
    put(4, 0);
    put(8, end);
    put(4, 1);
  }
  put(4, END.signature);
  put(2, 0);
  put(2, 0);
  put(2, isLarge ? ALL_ONES_16 : written.length);
  put(2, isLarge ? ALL_ONES_16 : written.length);
  put(4, isLarge ? ALL_ONES_32 : end - directory);
  put(4, isLarge ? ALL_ONES_32 : directory);
  put(2, 0); // comment
  return bytes.subarray(0, at);
}
