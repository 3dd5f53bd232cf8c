import { wrongType } from './errors.js';
import { type JobCallback, type JobHandle, native } from './native.js';

/** An AbortSignal of any realm or implementation, told by what it can do. */
export function readSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null) {
    const signal = value as Partial<AbortSignal>;
    if (typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function')
      return value as AbortSignal;
    if ('signal' in value) throw wrongType('signal', 'be an AbortSignal', value, "pass the controller's signal");
  }
  throw wrongType('signal', 'be an AbortSignal', value);
}

/**
 * The output of the job that `start` starts, or the rejection with the signal's reason: without starting it where the
 * signal is aborted already, else as soon as it is. No listener is left on the signal.
 */
export function runJob(
  signal: AbortSignal | undefined,
  start: (callback: JobCallback) => JobHandle,
): Promise<Float32Array> {
  return new Promise((resolve, reject) => {
    if (signal === undefined) {
      start((error, output) => (error ? reject(error) : resolve(output)));
      return;
    }
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const job = start((error, output) => {
      forget();
      if (error) reject(error);
      else resolve(output);
    });
    const forget = onAbort(signal, () => {
      reject(signal.reason); // before the job's own error
      native.abort(job);
    });
  });
}

/** The calls that each signal was given to. One listener serves them all: from the eleventh on, Node warns of a leak. */
const listeners = new WeakMap<AbortSignal, { readonly aborts: Set<() => void>; readonly listener: () => void }>();

/** Calls `abort` when the signal aborts, unless the returned function was called before. */
function onAbort(signal: AbortSignal, abort: () => void): () => void {
  let entry = listeners.get(signal);
  if (entry === undefined) {
    const aborts = new Set<() => void>();
    const listener = () => {
      for (const each of aborts) each();
    };
    entry = { aborts, listener };
    listeners.set(signal, entry);
    signal.addEventListener('abort', listener, { once: true });
  }
  const { aborts, listener } = entry;
  aborts.add(abort);
  return () => {
    if (aborts.delete(abort) && aborts.size === 0) {
      signal.removeEventListener('abort', listener);
      listeners.delete(signal);
    }
  };
}
