import { readdirSync, readFileSync } from 'node:fs';
import { isPromise } from 'node:util/types';

/** Microseconds a call: the median and the quartiles around it. */
export interface Timing {
  us: number;
  lowerUs: number;
  upperUs: number;
}

export interface Effort {
  rounds: number;
  /** How long one competitor runs in one round, at least one call. */
  roundUs: number;
  /** A slow competitor's rounds are cut to this in all, but not below `fewestRounds`. */
  budgetUs: number;
}

export const thorough: Effort = { rounds: 21, roundUs: 6_000, budgetUs: 600_000 };
export const quick: Effort = { rounds: 9, roundUs: 3_000, budgetUs: 150_000 };
const fewestRounds = 5;

/**
 * Interleaved timing: what disturbs the machine disturbs all alike. Each round runs every call in turn, first a few
 * times unmeasured, so that its own data is in the caches and its threads are awake, then a number of times.
 */
export async function measure(calls: readonly (() => unknown)[], effort: Effort): Promise<Timing[]> {
  const counts: number[] = [];
  let slowest = 0;
  for (const call of calls) {
    waitForIdleThreads();
    await timeCalls(call, 2); // the first calls compile
    // A round's worth of calls: outputs take fresh pages until the first ones are collected.
    const first = await timeCalls(call, 1);
    const estimate = await timeCalls(call, Math.max(1, Math.round(effort.roundUs / first)));
    counts.push(Math.max(1, Math.round(effort.roundUs / estimate)));
    slowest = Math.max(slowest, estimate);
  }
  const affordable = Math.floor(effort.budgetUs / (2 * slowest)); // twice: each round warms up first
  const rounds = Math.min(effort.rounds, Math.max(fewestRounds, affordable));

  const times = calls.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, call] of calls.entries()) {
      waitForIdleThreads();
      await timeCalls(call, warmUps(counts[i]!));
      times[i]!.push(await timeCalls(call, counts[i]!));
    }
  }
  return times.map(summary);
}

function warmUps(count: number): number {
  return count > 1 ? 3 : 1;
}

async function timeCalls(call: () => unknown, count: number): Promise<number> {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    const result = call();
    if (isPromise(result)) await result;
  }
  return Number(process.hrtime.bigint() - start) / 1000 / count;
}

function summary(times: number[]): Timing {
  times.sort((a, b) => a - b);
  const at = (quantile: number) => {
    const position = quantile * (times.length - 1);
    const below = Math.floor(position);
    const above = Math.min(below + 1, times.length - 1);
    return times[below]! + (position - below) * (times[above]! - times[below]!);
  };
  return { us: at(0.5), lowerUs: at(0.25), upperUs: at(0.75) };
}

/**
 * Pools spin for milliseconds after their last call, on the cores that the next competitor needs. Returns once all
 * threads but this one sleep (where the system can tell), or after a tenth of a second.
 */
function waitForIdleThreads(): void {
  if (process.platform !== 'linux') return;
  const deadline = performance.now() + 100;
  while (performance.now() < deadline) {
    const running = readdirSync('/proc/self/task').filter((thread) => thread !== String(process.pid) && runs(thread));
    if (running.length === 0) return;
  }
}

function runs(thread: string): boolean {
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('R');
  } catch {
    return false; // it has ended
  }
}
