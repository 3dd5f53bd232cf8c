import { writeFileSync } from 'node:fs';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { bestPeer, type NativeRow, ours, type Row, type Timed, timed } from './rows.js';

/** One mark of a plot. */
interface Point {
  layer: string;
  panel: string;
  series: string;
  value: number;
}

interface Plot {
  title: string;
  subtitle: string[];
  axis: string;
  scale: 'linear' | 'log';
  /** Where the line is drawn that a reader compares with. */
  reference: number;
  /** Series in the order of the legend. The first are ours, in colour; others are grey. */
  ours: string[];
  peers: string[];
  points: Point[];
}

const colours = ['#0072b2', '#d55e00', '#56b4e9', '#e69f00'];
const greys = ['#888888', '#aaaaaa', '#666666', '#bbbbbb'];
const shapes = ['circle', 'circle', 'diamond', 'diamond', 'triangle-up', 'square', 'cross'];

/** Writes every plot that the rows have data for and returns their paths. */
export async function writePlots(
  native: readonly NativeRow[],
  node: readonly Row[],
  directory: URL,
): Promise<string[]> {
  const table = native.filter((row) => row.usedBy.split(' ').includes('table'));
  const plots: Record<string, Plot> = {
    table: relative(table, 'The published table: time relative to the fastest other library'),
    relative: relative(native, 'Every layer: time relative to the fastest other library'),
    roofline: roofline(native),
    threads: scaling(native),
    node: inNode(node),
  };
  const paths: string[] = [];
  for (const [name, plot] of Object.entries(plots)) {
    if (plot.points.length === 0) continue;
    const { pathname } = new URL(`${name}.svg`, directory);
    writeFileSync(pathname, await render(plot));
    paths.push(pathname);
  }
  return paths;
}

function relative(rows: readonly NativeRow[], title: string): Plot {
  const points = rows
    .filter((row) => row.threads === 1)
    .flatMap((row) => {
      const best = bestPeer(row)?.us;
      if (best === undefined) return [];
      const peers = timed(row).filter(({ library }) => library !== 'ours');
      return ours(row).flatMap(({ isa = '', layout, us }) => [
        point(row, isa, `depthwise ${layout}`, us / best),
        ...peers.map((peer) => point(row, isa, peerName(peer), peer.us / best)),
      ]);
    });
  return {
    title,
    subtitle: ['One thread. Left of the line is faster than the best of oneDNN (nhwc, nchw) and XNNPACK (nhwc).'],
    axis: 'time / best of the others on plain arrays',
    scale: 'log',
    reference: 1,
    ours: ['depthwise nhwc', 'depthwise nchw'],
    peers: ['oneDNN nhwc', 'oneDNN nchw', 'oneDNN own layout', 'XNNPACK nhwc'],
    points,
  };
}

function peerName({ library, layout }: Timed): string {
  const name = library === 'onednn' ? 'oneDNN' : 'XNNPACK';
  return `${name} ${layout === 'best' ? 'own layout' : layout}`;
}

function roofline(rows: readonly NativeRow[]): Plot {
  const points = rows
    .filter((row) => row.threads === 1)
    .flatMap((row) => {
      const own = ours(row);
      const best = bestPeer(row);
      const peer = best ? own.map(({ isa = '' }) => point(row, isa, 'best other', row.rooflineUs / best.us)) : [];
      return [
        ...own.map(({ isa = '', layout, us }) => point(row, isa, `depthwise ${layout}`, row.rooflineUs / us)),
        ...peer,
      ];
    });
  return {
    title: 'Share of the roofline',
    subtitle: ['One thread. 1 is the time the multiplications alone would take, or the memory traffic if longer.'],
    axis: 'roofline time / time',
    scale: 'linear',
    reference: 1,
    ours: ['depthwise nhwc', 'depthwise nchw'],
    peers: ['best other'],
    points,
  };
}

function scaling(rows: readonly NativeRow[]): Plot {
  const alone = new Map(rows.filter((row) => row.threads === 1).map((row) => [row.layer, row]));
  const points = rows
    .filter((row) => row.threads > 1)
    .flatMap((row) => {
      const before = alone.get(row.layer);
      return timed(row).flatMap((result) => {
        const twin = (before ? timed(before) : []).find(
          ({ library, layout, isa }) => library === result.library && layout === result.layout && isa === result.isa,
        );
        const [isa] = ours(row).map((own) => own.isa);
        if (!twin || (result.isa ?? isa) !== isa) return [];
        const series = result.library === 'ours' ? `depthwise ${result.layout}` : peerName(result);
        return [point(row, `${row.threads} threads`, series, twin.us / result.us)];
      });
    });
  return {
    title: 'Scaling over threads',
    subtitle: ['Time on one thread over time on several.'],
    axis: 'speed-up',
    scale: 'linear',
    reference: 1,
    ours: ['depthwise nhwc', 'depthwise nchw'],
    peers: ['oneDNN nhwc', 'oneDNN nchw', 'oneDNN own layout', 'XNNPACK nhwc'],
    points,
  };
}

function inNode(rows: readonly Row[]): Plot {
  const points = rows.flatMap((row) => {
    const best = bestPeer(row);
    if (!best) return [];
    const panel = row.threads === 1 ? '1 thread' : `${row.threads} threads`;
    return ours(row).map(({ how, layout, us }) => point(row, panel, `${how} ${layout}`, best.us / us));
  });
  return {
    title: 'In Node.js: how many times faster than the better of onnxruntime-node and tfjs-backend-wasm',
    subtitle: ['Right of the line is faster. Both as their users call them.'],
    axis: 'times as fast',
    scale: 'log',
    reference: 1,
    ours: ['runSync, out given nhwc', 'runSync, out given nchw', 'await run nhwc', 'await run nchw'],
    peers: [],
    points,
  };
}

function point({ layer }: Row, panel: string, series: string, value: number): Point {
  return { layer, panel, series, value: Number(value.toPrecision(4)) };
}

async function render(plot: Plot): Promise<string> {
  const layers = [...new Set(plot.points.map(({ layer }) => layer))];
  const panels = [...new Set(plot.points.map(({ panel }) => panel))];
  const series = [...plot.ours, ...plot.peers];
  const colour = [...colours.slice(0, plot.ours.length), ...greys.slice(0, plot.peers.length)];
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    config: { aria: false },
    title: { text: plot.title, subtitle: plot.subtitle, anchor: 'start', offset: 12 },
    data: { values: plot.points },
    facet: {
      column: { field: 'panel', type: 'nominal', sort: panels, title: null, header: { labelFontWeight: 'bold' } },
    },
    spec: {
      width: 380,
      height: { step: 15 },
      layer: [
        {
          mark: { type: 'point', filled: true, size: 45, opacity: 0.85 },
          encoding: {
            y: { field: 'layer', type: 'nominal', sort: layers, title: null, axis: { labelLimit: 240, grid: true } },
            x: { field: 'value', type: 'quantitative', title: plot.axis, scale: { type: plot.scale, nice: true } },
            color: {
              field: 'series',
              type: 'nominal',
              title: null,
              scale: { domain: series, range: colour },
              legend: { orient: 'top', columns: 6, labelLimit: 240 },
            },
            shape: { field: 'series', type: 'nominal', title: null, scale: { domain: series, range: shapes } },
          },
        },
        { mark: { type: 'rule', color: 'black' }, encoding: { x: { datum: plot.reference } } },
      ],
    },
  };
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  return view.toSVG();
}
