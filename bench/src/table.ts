import { bestPeer, geometricMean, isRight, type NativeRow, ours, type Row, type Timed } from './rows.js';

/** One line for each way of calling this library, with the best of the others beside it. */
export function formatTable(rows: readonly (Row | NativeRow)[]): string {
  const lines = rows.flatMap((row) => {
    const peer = bestPeer(row);
    return ours(row).map((own) => [
      row.layer,
      String(row.threads),
      variant(own),
      microseconds(own.us),
      `${((50 * (own.upperUs - own.lowerUs)) / own.us).toFixed(1)}%`,
      peer ? microseconds(peer.us) : '',
      peer ? (own.us / peer.us).toFixed(2) : '',
      'rooflineUs' in row ? `${((100 * row.rooflineUs) / own.us).toFixed(0)}%` : '',
      peer ? `${peer.library} ${peer.how ?? peer.layout}` : '',
    ]);
  });
  const head = ['layer', 'threads', 'ours', 'µs', '±', 'best µs', 'ratio', 'roofline', 'best of the others'];
  return align([head, ...lines], ['left', 'right', 'left', 'right', 'right', 'right', 'right', 'right', 'left']);
}

/** Geometric means of the time relative to the best of the others, by kind of layer. */
export function formatSummary(rows: readonly Row[]): string {
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    const peer = bestPeer(row);
    if (!peer) continue;
    for (const own of ours(row)) {
      const key = [row.kind, String(row.threads), variant(own)].join('\t');
      groups.set(key, [...(groups.get(key) ?? []), own.us / peer.us]);
    }
  }
  const lines = [...groups.entries()]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, ratios]) => [
      ...key.split('\t'),
      geometricMean(ratios).toFixed(3),
      Math.max(...ratios).toFixed(2),
      String(ratios.length),
      String(ratios.filter((ratio) => ratio > 1).length),
    ]);
  const head = ['kind', 'threads', 'ours', 'geometric mean', 'worst', 'layers', 'lost'];
  return align([head, ...lines], ['left', 'right', 'left', 'right', 'right', 'right', 'right']);
}

/** Everything that has no time or a wrong result, and why: rows are never dropped silently. */
export function formatRefused(rows: readonly Row[]): string {
  const layers = new Map<string, string[]>();
  for (const row of rows) {
    for (const result of row.results) {
      if (isRight(result)) continue;
      const reason =
        'refused' in result ? result.refused : `WRONG, off by ${result.error.toPrecision(3)} times the bound`;
      const key = `${result.library} ${result.how ?? result.layout}: ${reason}`;
      layers.set(key, [...(layers.get(key) ?? []), row.layer]);
    }
  }
  return [...layers].map(([key, list]) => `${key} (${[...new Set(list)].join(', ')})`).join('\n');
}

function variant({ isa, how, layout }: Timed): string {
  return [isa, how, layout].filter(Boolean).join(' ');
}

function microseconds(us: number): string {
  return us.toFixed(us < 100 ? 2 : 0);
}

export function align(lines: readonly string[][], sides: readonly ('left' | 'right')[]): string {
  const widths = sides.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const cell = (text: string, column: number) =>
    sides[column] === 'left' ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  return lines.map((line) => line.map(cell).join('  ').trimEnd()).join('\n');
}
