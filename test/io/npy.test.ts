import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  FileFormatError,
  type NumericArray,
  readNpy,
  readNpz,
  writeNpy,
} from '../../lib/io/index.js';

const fixture = (name: string): Uint8Array => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

const count = [...Array(24).keys()];
const signed = count.map((i) => i * 3 - 20);
const unsigned = count.map((i) => i * 3);

describe('files that NumPy wrote', () => {
  test.each([
    ['f2', Float32Array],
    ['f4', Float32Array],
    ['f8', Float64Array],
    ['i1', Int8Array],
    ['u1', Uint8Array],
    ['i2', Int16Array],
    ['u2', Uint16Array],
    ['i4', Int32Array],
    ['u4', Uint32Array],
    ['i8', BigInt64Array],
    ['u8', BigUint64Array],
    ['be_f2', Float32Array],
    ['be_f4', Float32Array],
    ['be_f8', Float64Array],
    ['be_i2', Int16Array],
    ['be_u2', Uint16Array],
    ['be_i4', Int32Array],
    ['be_u4', Uint32Array],
    ['be_i8', BigInt64Array],
    ['be_u8', BigUint64Array],
  ])('%s', (name, type) => {
    const { data, shape } = decodeNpy(fixture(`${name}.npy`));
    expect(data).toBeInstanceOf(type);
    expect(shape).toEqual([2, 3, 4]);
    expect(Array.from(data as Float32Array, Number)).toEqual(/u\d/.test(name) ? unsigned : signed);
  });

  test.each(['fortran', 'v2', 'v3'])('%s', (name) => {
    expect(decodeNpy(fixture(`${name}.npy`))).toEqual({ data: Float32Array.from(count), shape: [2, 3, 4] });
  });

  test('bool, no dimension, one dimension, no elements', () => {
    expect(decodeNpy(fixture('bool.npy')).data).toEqual(Uint8Array.from(count, (i) => (i % 2 === 0 ? 1 : 0)));
    expect(decodeNpy(fixture('scalar.npy'))).toEqual({ data: Float32Array.of(3.5), shape: [] });
    expect(decodeNpy(fixture('one.npy'))).toEqual({ data: Float32Array.of(0, 1, 2, 3, 4), shape: [5] });
    expect(decodeNpy(fixture('empty.npy'))).toEqual({ data: new Float32Array(0), shape: [0, 3] });
  });

  test('float16: signs, denormals, the largest, infinities, NaN', () => {
    const { data } = decodeNpy(fixture('f2_special.npy'));
    const expected = [0, -0, 1, -2, 65504, 2 ** -24, 0.00006097555160522461, Infinity, -Infinity, NaN];
    expect(Array.from(data as Float32Array)).toEqual(expected);
  });

  test('.npz, plain and compressed', () => {
    const plain = decodeNpz(fixture('plain.npz'));
    expect([...plain.keys()]).toEqual(['a', 'b']);
    expect(plain.get('a')).toEqual({ data: Float32Array.from(count), shape: [2, 3, 4] });
    expect(decodeNpz(fixture('compressed.npz')).get('a')).toEqual({ data: new Float32Array(64), shape: [8, 8] });
  });

  test('what is written is what NumPy wrote, byte for byte', () => {
    for (const name of ['f4', 'f8', 'i1', 'u1', 'i2', 'u4', 'i8', 'u8', 'one', 'scalar', 'empty']) {
      const bytes = fixture(`${name}.npy`);
      expect(Buffer.from(encodeNpy(decodeNpy(bytes))).equals(bytes), name).toBe(true);
    }
  });
});

describe('what is not read', () => {
  const header = (text: string, body = 16): Uint8Array => {
    const bytes = new Uint8Array(10 + text.length + body);
    bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
    bytes.set(Buffer.from(text), 10);
    return bytes;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /does not begin/],
    ['a picture', Uint8Array.from({ length: 64 }, (_, i) => i), /does not begin/],
    ['another version', fixture('f4.npy').map((byte, i) => (i === 6 ? 4 : byte)), /version 4/],
    ['structured elements', fixture('structured.npy'), /structured/],
    ['complex numbers', fixture('complex.npy'), /'<c8' is not read/],
    ['a truncated header', fixture('f4.npy').slice(0, 60), /header of 118 bytes is truncated/],
    ['truncated data', fixture('f4.npy').slice(0, -1), /takes 96 bytes, but has 95/],
    ['a shape beyond memory', header("{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000000,), }"), /takes/],
    [
      'a shape beyond numbers',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
      /shape/,
    ],
    ['a negative shape', header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"), /not understood/],
    ['a header without a shape', header("{'descr': '<f4', 'fortran_order': False, }"), /not understood/],
    ['objects', header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), /'\|O' is not read/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeNpy(bytes)).toThrow(FileFormatError);
    expect(() => decodeNpy(bytes)).toThrow(message);
  });

  test('NaNs keep their bits, in Fortran order too', () => {
    const bits = Uint32Array.of(0x7f800001, 0x7fc00000, 0xff812345, 0x3f800000, 1, 0x80000000);
    const text = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n";
    const bytes = header(text, 24);
    bytes.set(new Uint8Array(bits.buffer), 10 + text.length);
    const { data } = decodeNpy(bytes);
    expect(new Uint32Array(data.buffer)).toEqual(Uint32Array.from([0, 2, 4, 1, 3, 5], (i) => bits[i]!));
  });

  test('thousands of damaged files: an array or a FileFormatError, nothing else', () => {
    const files = ['f4.npy', 'fortran.npy', 'v3.npy', 'be_i8.npy', 'plain.npz', 'compressed.npz'].map(fixture);
    fc.assert(
      fc.property(
        fc.nat(files.length - 1),
        fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { maxLength: 6 }),
        fc.nat(700),
        (which, edits, keep) => {
          const bytes = new Uint8Array(files[which]!.subarray(0, keep < 350 ? undefined : keep - 350));
          for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte;
          for (const decode of [decodeNpy, decodeNpz]) {
            try {
              decode(bytes);
            } catch (error) {
              expect(error).toBeInstanceOf(FileFormatError);
            }
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

describe('round trips', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'depthwise-io-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('any float32 array through .npy and .npz', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { maxLength: 5 }),
        fc.float32Array({ minLength: 1024, maxLength: 1024 }),
        (shape, values) => {
          const array: NumericArray = {
            data: values.slice(
              0,
              shape.reduce((a, b) => a * b, 1),
            ),
            shape,
          };
          expect(decodeNpy(encodeNpy(array))).toEqual(array);
          expect(decodeNpz(encodeNpz(new Map([['x', array]]))).get('x')).toEqual(array);
        },
      ),
    );
  });

  test('files: written whole, errors name the file', async () => {
    const path = join(folder, 'x.npy');
    await writeNpy(path, { data: Float32Array.of(1, 2), shape: [2] });
    expect((await readNpy(path)).data).toEqual(Float32Array.of(1, 2));
    expect(await readdir(folder)).toEqual(['x.npy']);
    await writeFile(path, 'no');
    await expect(readNpy(path)).rejects.toThrow(`${path}: not a .npy file`);
    await expect(readNpz(path)).rejects.toThrow(`${path}: not a readable .npz file`);
    await expect(writeNpy(join(folder, 'none', 'x.npy'), { data: Float32Array.of(1), shape: [1] })).rejects.toThrow(
      'ENOENT',
    );
  });

  test('a shape that data does not have is refused', () => {
    expect(() => encodeNpy({ data: new Float32Array(5), shape: [2, 3] })).toThrow(RangeError);
  });
});
