import { outOfRange, wrongValue } from './errors.js';
import { type Isa, native } from './native.js';
import { list, readChoice, readInteger } from './validate.js';

const ISAS: readonly Isa[] = ['avx512', 'avx2', 'neon', 'portable'];
const MAX_THREADS = 1024;

native.configure(isaFromEnvironment(), threadsFromEnvironment());

/** The version of the package and its addon. */
export const version: string = native.version;

/** The instruction sets that this CPU and operating system can run, best first. */
export const availableIsas: readonly Isa[] = Object.freeze([...native.availableIsas]);

/** The instruction set in use: the best available, or what the environment variable DEPTHWISE_ISA says. */
export const isa: Isa = native.isa();

/**
 * Sets how many threads compute, in the whole process and for all its workers. Results don't depend on it, and it may
 * be changed while work runs. The default is the number of CPUs this process may use (affinity, cgroup quota), or what
 * the environment variable DEPTHWISE_THREADS says.
 *
 * @param threads 1 to 1024, the calling thread among them.
 * @throws TypeError ERR_INVALID_ARG_TYPE or RangeError ERR_OUT_OF_RANGE
 *
 * @example
 * import { getThreads, setThreads } from 'depthwise';
 *
 * setThreads(2);
 * console.log(getThreads()); // 2
 */
export function setThreads(threads: number): void {
  const expected = `be an integer from 1 to ${MAX_THREADS}`;
  const n = readInteger('threads', threads, 1, expected);
  if (n > MAX_THREADS) throw outOfRange('threads', expected, n);
  native.setThreads(n);
}

/**
 * How many threads compute, in the whole process; see {@link setThreads}.
 *
 * @example
 * import { getThreads } from 'depthwise';
 *
 * console.log(getThreads() >= 1); // true
 */
export function getThreads(): number {
  return native.getThreads();
}

/** '' where the variable isn't set. */
function isaFromEnvironment(): Isa | '' {
  const value = process.env.DEPTHWISE_ISA;
  if (value === undefined) return '';
  const name = 'the environment variable DEPTHWISE_ISA';
  const chosen = readChoice(name, value, ISAS);
  if (native.availableIsas.includes(chosen)) return chosen;
  throw wrongValue(name, `be available on this machine (${list(native.availableIsas)})`, value);
}

/** 0 where the variable isn't set. */
function threadsFromEnvironment(): number {
  const value = process.env.DEPTHWISE_THREADS;
  if (value === undefined) return 0;
  const threads = /^[0-9]+$/.test(value) ? Number(value) : 0;
  if (threads >= 1 && threads <= MAX_THREADS) return threads;
  throw wrongValue('the environment variable DEPTHWISE_THREADS', `be an integer from 1 to ${MAX_THREADS}`, value);
}
