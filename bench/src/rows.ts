import type { Timing } from './measure.js';
import type { Kind } from './workload.js';

/** What one library took for one layer, or why it has no time. */
export type Result = {
  library: string;
  layout: 'nhwc' | 'nchw' | 'best';
  isa?: string;
  how?: string;
  kernel?: string;
} & Outcome;

/**
 * error is in units of the bound that reference.ts gives: above 1 the result is wrong. shared: a neighbour had a part of
 * the core (C++ only).
 */
type Outcome = { refused: string } | (Timing & { error: number; shared?: boolean });

/** One layer at one number of threads. */
export interface Row {
  layer: string;
  kind: Kind;
  usedBy: string;
  threads: number;
  results: Result[];
}

/** A row of the C++ benchmark. */
export interface NativeRow extends Row {
  flops: number;
  bytes: number;
  rooflineUs: number;
  fmaGflops: number;
  l3Gbs: number;
  newerOnednn: number | null;
}

export type Timed = Result & Timing & { error: number };

/** Whether there is a time and it counts: the result was right. */
export function isRight(result: Result): boolean {
  return 'us' in result && result.error <= 1;
}

/** The times of a row that count. */
export function timed(row: Row): Timed[] {
  return row.results.filter((result): result is Timed => isRight(result));
}

export function ours(row: Row): Timed[] {
  return timed(row).filter(({ library }) => library === 'ours');
}

/** The fastest other library on arrays that are plain nhwc or nchw. */
export function bestPeer(row: Row): Timed | undefined {
  const peers = timed(row).filter(({ library, layout }) => library !== 'ours' && layout !== 'best');
  return peers.sort((a, b) => a.us - b.us)[0];
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
