// Values that no program should pass, and some do.
import { Buffer } from 'node:buffer';
import vm from 'node:vm';

const foreign = vm.createContext();
const boom = () => {
  throw new Error('thrown by a value');
};

// No number from 10 to 2^34: as padding it would ask for gigabytes that this machine may have.
const numbers = [0, 1, 2, 3, 4, 7, -0, -1, 0.5, 1.0000000001, Number.NaN, Infinity, -Infinity, 2 ** 34, 2 ** 53, 1e308];
const strings = [
  '',
  'same',
  'SAME',
  'valid',
  'NHWC',
  'NCHW',
  'OIHW',
  'relu',
  'prelu',
  'clip',
  '1',
  '\0',
  'x'.repeat(1e5),
];

const makers = [
  (random) => random.pick(numbers),
  (random) => random.pick(numbers),
  (random) => random.pick(strings),
  () => undefined,
  () => null,
  (random) => random.chance(0.5),
  () => Symbol('symbol'),
  () => 4n,
  () => () => 4,
  () => class {},
  () => async () => {},
  () => ({}),
  () => Object.create(null),
  () => Object.freeze({ padding: 'same' }),
  () => new Map([['data', 1]]),
  () => new Set([1]),
  () => new Date(0),
  () => /x/,
  () => Promise.resolve(4),
  () => new Error('not thrown'),
  () => Object(4),
  () => Object('same'),
  () => ({ [Symbol.toPrimitive]: () => 4 }),
  () => ({ valueOf: () => 4, toString: boom }),
  // biome-ignore lint/suspicious/noThenProperty: on purpose
  () => ({ then: (resolve) => resolve(4) }),
  () => globalThis,
  () => process,
  () => new Proxy({}, {}),
  () => new Proxy([1, 4, 4, 2], {}),
  () => new Proxy({}, { get: boom }),
  () => new Proxy([], { get: (_, key) => (key === 'length' ? 4 : 2) }),
  () => new Proxy({}, { ownKeys: boom, getPrototypeOf: boom, has: boom }),
  () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  },
  (random) => Array.from({ length: random.below(6) }, () => value(random)),
  (random) => Array.from({ length: random.below(5) }, () => random.pick(numbers)),
  () => new Array(4),
  () => Object.assign([1, 2], { length: 4 }),
  () => new Array(2 ** 32 - 1),
  (random) => vm.runInContext('[1, 4, 4, 2]', foreign).slice(random.below(2)),
  () => vm.runInContext('({ data: new Float32Array(32), shape: [1, 4, 4, 2] })', foreign),
  (random) => typed(random),
  (random) => typed(random),
  (random) => ({ data: typed(random), shape: value(random) }),
  (random) => ({ data: value(random), dims: [1, 4, 4, 2] }),
  () => new ArrayBuffer(64),
  () => new SharedArrayBuffer(64),
  () => new DataView(new ArrayBuffer(64)),
  () => AbortSignal.abort(),
  () => AbortSignal.timeout(1),
  () => new AbortController(),
  () => ({ aborted: false, addEventListener: boom, removeEventListener: boom }),
  () => ({ aborted: false, addEventListener: (_, listener) => listener(), removeEventListener: boom }),
  (random) => ({ type: random.pick(strings), alpha: value(random), min: value(random), max: value(random) }),
  (random) => ({ [random.pick(['data', 'shape', 'type', 'out', 'strides', 'x'])]: value(random) }),
  () => ({
    get data() {
      return boom();
    },
  }),
];

/** Any of them. */
export function value(random) {
  return random.pick(makers)(random);
}

const arrays = [
  (n) => new Float32Array(n),
  (n) => new Float32Array(new SharedArrayBuffer(4 * n)),
  (n) => new Float32Array(new ArrayBuffer(4 * n + 4), 4, n),
  (n) => new Float32Array(new ArrayBuffer(4 * n, { maxByteLength: 8 * n + 8 })),
  (n) => new Float32Array(new ArrayBuffer(4 * n, { maxByteLength: 8 * n + 8 }), 0, n),
  (n) => new Float32Array(new SharedArrayBuffer(4 * n, { maxByteLength: 8 * n + 8 })),
  (n) => new Float32Array(new WebAssembly.Memory({ initial: 1, maximum: 64 }).buffer, 64, Math.min(n, 16000)),
  (n) => new Float32Array(Buffer.alloc(4 * n).buffer, 0, n),
  (n) => vm.runInContext(`new Float32Array(${n})`, foreign),
  (n) => new (class extends Float32Array {})(n),
];

/** A Float32Array of so many elements, in any kind of memory. */
export function floats(random, length) {
  const array = random.pick(arrays)(length);
  for (let i = 0; i < array.length; i++) array[i] = random.next() * 2 - 1;
  return array;
}

/** A typed array of any kind, perhaps detached or out of bounds. */
function typed(random) {
  const n = random.pick([0, 1, 2, 32, 100]);
  const Kind = random.pick([Float64Array, Uint8Array, Int32Array, BigInt64Array, Uint8ClampedArray]);
  if (random.chance(0.4)) return new Kind(n);
  const array = floats(random, n);
  if (random.chance(0.3)) takeAway(random, array);
  return array;
}

/** Detaches, shrinks or grows the array's memory, where that can be done. */
export function takeAway(random, array) {
  const { buffer } = array;
  try {
    if (buffer.growable) buffer.grow(buffer.maxByteLength);
    else if (buffer.resizable && random.chance(0.7)) buffer.resize(random.pick([0, 4, buffer.maxByteLength]));
    else if (!(buffer instanceof SharedArrayBuffer)) structuredClone(buffer, { transfer: [buffer] });
  } catch {
    // WebAssembly's can't be transferred.
  }
}
