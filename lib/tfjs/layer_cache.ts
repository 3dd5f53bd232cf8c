import type { Conv2d } from '../index.js';

/** A number or word for everything that a layer is made of beside its tensors. */
export type LayerKey = readonly (number | string)[];

/** All that a kernel was given and that decides what it does: numbers, words, data ids, and arrays of them. */
export type Given = readonly unknown[];

interface Entry<Call> {
  key: LayerKey;
  /** The tensors packed into the layer beside the filter, by their data ids. */
  others: readonly (object | undefined)[];
  layer: Conv2d;
  /** The last call that the layer was looked up for. */
  last?: { given: Given; call: Call };
}

// A filter is used with one bias and one geometry in nearly every model; a frozen filter under a bias that is being
// trained would otherwise collect a layer per step.
const MAX_PER_FILTER = 4;

/**
 * Packed weights by the data id of the filter they were packed from. A data id names values that don't change: tfjs
 * gives new values, an assigned variable's too, a new id. Ids are objects and an entry holds on to those of its other
 * tensors, so that none is given out again.
 */
export class LayerCache<Call extends { layer: Conv2d }> {
  #entries = new WeakMap<object, Entry<Call>[]>();

  /**
   * What `remember` was told of a call that was given the same: a model's calls come again with every prediction, and
   * what follows from their arguments costs as much as a small convolution.
   */
  recall(filter: object, given: Given): Call | undefined {
    const entries = this.#entries.get(filter);
    if (entries === undefined) return undefined;
    for (const { last } of entries) {
      if (last !== undefined && same(last.given, given)) return last.call;
    }
    return undefined;
  }

  /** Keeps what follows from `given` with the layer that it leads to. Takes over `call`, and copies `given`. */
  remember(filter: object, given: Given, call: Call): void {
    const entry = this.#entries.get(filter)?.find(({ layer }) => layer === call.layer);
    if (entry) entry.last = { given: copied(given), call };
  }

  /** The layer made of a filter and the other tensors for one set of options, made by `make` at first use. */
  get(filter: object, others: readonly (object | undefined)[], key: LayerKey, make: () => Conv2d): Conv2d {
    let entries = this.#entries.get(filter);
    if (!entries) {
      entries = [];
      this.#entries.set(filter, entries);
    }
    for (const entry of entries) {
      if (same(entry.key, key) && same(entry.others, others)) return entry.layer;
    }
    const layer = make();
    if (entries.length === MAX_PER_FILTER) entries.shift()?.layer[Symbol.dispose]();
    entries.push({ key, others, layer });
    return layer;
  }

  /** Whether anything packed from a filter is kept. */
  has(filter: object): boolean {
    return this.#entries.has(filter);
  }

  /** Frees what was packed from a filter whose values are gone. */
  drop(filter: object): void {
    const entries = this.#entries.get(filter);
    if (!entries) return;
    for (const { layer } of entries) layer[Symbol.dispose]();
    this.#entries.delete(filter);
  }

  /** Forgets all; the memory goes with the layers, when they are collected. */
  clear(): void {
    this.#entries = new WeakMap();
  }
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

/** With its arrays, which their owner may change. */
function copied(given: Given): Given {
  return given.map((value) => (Array.isArray(value) ? copied(value) : value));
}
