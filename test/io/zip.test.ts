import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeNpz, encodeNpy, encodeNpz, FileFormatError } from '../../lib/io/index.js';
import { readZip, writeZip } from '../../lib/io/zip.js';

const contents = new Map([
  ['a.txt', Buffer.from('some text')],
  ['empty', new Uint8Array(0)],
  ['ü/b', Uint8Array.from({ length: 1000 }, (_, i) => i * i)],
]);

/** `from` becomes `to` wherever it stands, both little-endian numbers of 32 bits. */
function replaced(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 4 <= copy.length; at++) if (view.getUint32(at, true) === from) view.setUint32(at, to, true);
  return copy;
}

/** A stored member becomes a deflated one that claims to be `size` bytes. */
function deflated(content: Uint8Array, size: number): Uint8Array {
  const packed = deflateRawSync(content);
  const zip = writeZip(new Map([['x.npy', packed]]));
  const view = new DataView(zip.buffer, zip.byteOffset);
  const central = 30 + 5 + packed.length;
  view.setUint16(central + 10, 8, true);
  view.setUint32(central + 24, size, true);
  return zip;
}

test.each([
  ['with 32-bit fields', undefined],
  ['with 64-bit fields', 0],
  ['with both', 100],
])('what is written is read, %s', (_, limit) => {
  const members = readZip(writeZip(contents, limit));
  expect(members.map(({ name }) => name)).toEqual([...contents.keys()]);
  for (const { name, read } of members) expect(Buffer.from(read()).equals(contents.get(name)!), name).toBe(true);
});

test('a changed byte, a cut, an encrypted member and an unknown method are found', () => {
  const npz = encodeNpz(new Map([['x', { data: Float32Array.of(1, 2, 3), shape: [3] }]]));
  const flipped = npz.slice();
  flipped[30 + 5 + 130]! ^= 1;
  expect(() => decodeNpz(flipped)).toThrow('x.npy is damaged: its size or checksum');
  expect(() => decodeNpz(npz.slice(0, -1))).toThrow('not a readable .npz file: it does not end as a zip archive');
  for (const [at, value, message] of [
    [8, 1, 'x.npy is encrypted'],
    [10, 12, 'compressed by method 12'],
  ] as const) {
    const changed = npz.slice();
    const start = Buffer.from(changed).indexOf(Buffer.of(0x50, 0x4b, 1, 2));
    changed[start + at] = value;
    expect(() => decodeNpz(changed)).toThrow(message);
  }
});

test('members that share bytes, or that unpack to more than they say, are refused', () => {
  const zip = writeZip(contents);
  const size = contents.get('ü/b')!.length;
  expect(() => readZip(replaced(zip, size, 2 * zip.length))).toThrow(FileFormatError);
  expect(() => decodeNpz(deflated(new Uint8Array(1e8), 1000))).toThrow('x.npy is damaged');
  // It says 4 GB; nothing is reserved for them before they are there.
  expect(() => decodeNpz(deflated(encodeNpy({ data: new Float32Array(4), shape: [4] }), 0xfffffffe))).toThrow(
    'x.npy is damaged: its size or checksum',
  );
});
