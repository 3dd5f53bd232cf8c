import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSafetensors, FileFormatError } from '../../lib/io/index.js';

function file(header: unknown, data = new Uint8Array(0)): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const floats = new Uint8Array(Float32Array.of(1, -2, 3.5, 0).buffer);

test('tensors by name, metadata left out', () => {
  const tensors = decodeSafetensors(
    file(
      {
        __metadata__: { format: 'pt' },
        second: { dtype: 'BF16', shape: [2], data_offsets: [12, 16] },
        first: { dtype: 'F32', shape: [3, 1], data_offsets: [0, 12] },
      },
      new Uint8Array([...floats.slice(0, 12), 0x80, 0x3f, 0x00, 0xc0]),
    ),
  );
  expect(tensors).toEqual(
    new Map([
      ['second', { data: Float32Array.of(1, -2), shape: [2] }],
      ['first', { data: Float32Array.of(1, -2, 3.5), shape: [3, 1] }],
    ]),
  );
});

test.each<[string, Uint8Array, RegExp]>([
  ['too short', new Uint8Array(7), /shorter than 8/],
  ['a header beyond the file', file('{}').map((byte, i) => (i === 0 ? 200 : byte)), /truncated/],
  ['no JSON', file('{"a":'), /not JSON/],
  ['a list', file([]), /not an object/],
  ['an unknown type', file({ a: { dtype: 'F8', shape: [1], data_offsets: [0, 1] } }, floats), /"F8"/],
  ['a fraction', file({ a: { dtype: 'F32', shape: [0.5], data_offsets: [0, 4] } }, floats), /shape \[0.5\]/],
  ['offsets backwards', file({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, floats), /data_offsets/],
  [
    'a tensor past the end',
    file({ a: { dtype: 'F32', shape: [5], data_offsets: [0, 20] } }, floats),
    /ends at byte 20/,
  ],
  [
    'too small for its shape',
    file({ a: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } }, floats),
    /takes 12 bytes/,
  ],
  [
    'too large for its shape',
    file({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 8] } }, floats),
    /its shape takes 4/,
  ],
  ['a huge shape', file({ a: { dtype: 'F32', shape: [2 ** 30, 2 ** 30], data_offsets: [0, 8] } }, floats), /takes/],
  [
    'tensors that overlap',
    file(
      {
        a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
        b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] },
      },
      floats,
    ),
    /overlaps/,
  ],
])('%s', (_, bytes, message) => {
  expect(() => decodeSafetensors(bytes)).toThrow(FileFormatError);
  expect(() => decodeSafetensors(bytes)).toThrow(message);
});

test('any JSON header and any damage: tensors or a FileFormatError, nothing else', () => {
  const good = file({ a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } }, floats);
  const damaged = fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 })
    .map((edits) => {
      const bytes = good.slice();
      for (const [at, byte] of edits) bytes[at] = byte;
      return bytes;
    });
  const invented = fc.json().map((json) => file(json, floats));
  fc.assert(
    fc.property(fc.oneof(damaged, invented), (bytes) => {
      try {
        decodeSafetensors(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FileFormatError);
      }
    }),
    { numRuns: 3000 },
  );
});
