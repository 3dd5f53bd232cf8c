/**
 * The candidate that the caller most likely meant by `name`: an alias known from another library, the same name in
 * another case or with other separators, or one at most two typing errors away. Undefined where none is near.
 */
export function suggest(
  name: string,
  candidates: Iterable<string>,
  aliases: Readonly<Record<string, string>> = {},
): string | undefined {
  const plain = simplify(name);
  const alias = Object.hasOwn(aliases, plain) ? aliases[plain] : undefined;
  let best: string | undefined;
  let distance = Math.min(3, Math.ceil(plain.length / 2));
  for (const candidate of candidates) {
    if (candidate === alias) return candidate;
    const d = editDistance(plain, simplify(candidate));
    if (d < distance) [best, distance] = [candidate, d];
  }
  return best;
}

function simplify(name: string): string {
  return name
    .slice(0, 64)
    .toLowerCase()
    .replace(/[-_\s.]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length]!;
}
