import { unreadable, wrongType } from './errors.js';
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
    let job: JobHandle | undefined;
    let isAborted = false;
    const abort = () => {
      isAborted = true;
      reject(reasonOf(signal)); // before the job's own error
      if (job !== undefined) native.abort(job);
    };
    // A signal may be any object. Its code runs before the job starts, or can't stop what its callback does.
    try {
      if (signal.aborted) return abort();
      onAbort(signal, abort);
    } catch (error) {
      throw unreadable('signal', error);
    }
    if (isAborted) return;
    try {
      job = start((error, output) => {
        forgetAbort(signal, abort);
        if (error) reject(error);
        else resolve(output);
      });
    } catch (error) {
      forgetAbort(signal, abort);
      throw error;
    }
  });
}

/** An implementation without reasons gets the one that AbortController has by default. */
function reasonOf(signal: AbortSignal): unknown {
  try {
    const { reason } = signal;
    return reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
  } catch (error) {
    return error;
  }
}

/** The calls that each signal was given to. One listener serves them all: from the eleventh on, Node warns of a leak. */
const listeners = new WeakMap<AbortSignal, { readonly aborts: Set<() => void>; readonly listener: () => void }>();

/** Calls `abort` when the signal aborts, until {@link forgetAbort}. */
function onAbort(signal: AbortSignal, abort: () => void): void {
  const known = listeners.get(signal);
  if (known !== undefined) {
    known.aborts.add(abort);
    return;
  }
  const aborts = new Set([abort]);
  const listener = () => {
    for (const each of aborts) each();
  };
  listeners.set(signal, { aborts, listener });
  try {
    signal.addEventListener('abort', listener, { once: true });
  } catch (error) {
    listeners.delete(signal);
    throw error;
  }
}

function forgetAbort(signal: AbortSignal, abort: () => void): void {
  const entry = listeners.get(signal);
  if (!entry?.aborts.delete(abort) || entry.aborts.size > 0) return;
  listeners.delete(signal);
  try {
    signal.removeEventListener('abort', entry.listener);
  } catch {
    // A listener that stays finds nothing to abort.
  }
}
