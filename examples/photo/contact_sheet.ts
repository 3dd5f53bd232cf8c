// The contact sheet: four pictures in a row, and below them how three channels become six and three again.
import type { Tensor } from 'depthwise';
import sharp, { type OverlayOptions } from 'sharp';
import { type Rgb, thumbnail } from './picture.js';

export interface Panel {
  readonly picture: Tensor;
  readonly title: string;
  readonly lines: readonly string[];
  /** What of a pixel is shown. Default its three channels. */
  readonly show?: (pixel: Float32Array) => Rgb;
}

export interface Sheet {
  readonly title: string;
  readonly subtitle: string;
  /** Four. */
  readonly panels: readonly Panel[];
  /** The photograph, its six slopes (across and down of each colour) and the three that become of them. */
  readonly photo: Tensor;
  readonly slopes: Tensor;
  readonly relief: Tensor;
}

const WIDTH = 1280;
const MARGIN = 40;
const GAP = 24;
const PANEL = (WIDTH - 2 * MARGIN - 3 * GAP) / 4;
const PANELS_TOP = 128;
const FLOW_TOP = PANELS_TOP + PANEL + 132;
const TILE = (WIDTH - 2 * MARGIN - 5 * GAP) / 6;
const FAN = 64;
const LABEL = 26;
const SIX_TOP = FLOW_TOP + 64 + TILE + FAN;
const THREE_TOP = SIX_TOP + TILE + LABEL + FAN;
const HEIGHT = THREE_TOP + TILE + LABEL + 40 + MARGIN;

const INK = '#eceae6';
const FAINT = '#9aa1ab';
const COLOURS = [
  { name: 'red', symbol: 'R', css: '#ff7668', tint: [1, 0.46, 0.41] },
  { name: 'green', symbol: 'G', css: '#68d391', tint: [0.41, 0.83, 0.57] },
  { name: 'blue', symbol: 'B', css: '#6cb2ff', tint: [0.42, 0.7, 1] },
] as const;

export async function contactSheet(sheet: Sheet): Promise<Buffer> {
  const text = new Drawing();
  const pictures: Promise<OverlayOptions>[] = [];
  const place = async (left: number, top: number, png: Promise<Buffer>) => {
    return { input: await png, left: Math.round(left), top: Math.round(top) };
  };

  text.write(MARGIN, 66, sheet.title, { size: 34, weight: 600 });
  text.write(MARGIN, 98, sheet.subtitle, { size: 17, fill: FAINT });

  for (const [i, { picture, title, lines, show = firstThree }] of sheet.panels.entries()) {
    const left = MARGIN + i * (PANEL + GAP);
    pictures.push(place(left, PANELS_TOP, thumbnail(picture, PANEL, show)));
    text.write(left, PANELS_TOP + PANEL + 30, title, { size: 19, weight: 600 });
    for (const [row, line] of lines.entries()) {
      text.write(left, PANELS_TOP + PANEL + 54 + 21 * row, line, { size: 14, fill: FAINT });
    }
  }

  text.write(MARGIN, FLOW_TOP + 4, 'What a channel multiplier and groups do', { size: 19, weight: 600 });
  text.write(
    MARGIN,
    FLOW_TOP + 29,
    'Depthwise with multiplier 2 filters each channel twice: output c · 2 + m is channel c through filter m. Three channels become six.',
    { size: 14, fill: FAINT },
  );
  for (const [c, { name, symbol, css, tint }] of COLOURS.entries()) {
    const first = MARGIN + 2 * c * (TILE + GAP);
    const second = first + TILE + GAP;
    const middle = first + (TILE + GAP) / 2;
    const tinted = (value: number): Rgb => [tint[0] * value, tint[1] * value, tint[2] * value];
    const sloped = (value: number) => tinted(0.5 + 0.6 * value);

    pictures.push(
      place(
        middle,
        FLOW_TOP + 64,
        thumbnail(sheet.photo, TILE, (pixel) => tinted(pixel[c]!)),
      ),
    );
    text.write(middle - 12, FLOW_TOP + 64 + TILE / 2, `channel ${c}`, { size: 14, anchor: 'end', fill: css });
    text.write(middle - 12, FLOW_TOP + 64 + TILE / 2 + 20, name, { size: 14, anchor: 'end', fill: FAINT });
    for (const [m, left] of [first, second].entries()) {
      const output = 2 * c + m;
      const centre = left + TILE / 2;
      text.curve(middle + TILE / 2, FLOW_TOP + 64 + TILE + 8, centre, SIX_TOP - 8, css);
      pictures.push(
        place(
          left,
          SIX_TOP,
          thumbnail(sheet.slopes, TILE, (pixel) => sloped(pixel[output]!)),
        ),
      );
      text.write(centre, SIX_TOP + TILE + 20, `${output}: ${symbol} ${m === 0 ? 'across' : 'down'}`, {
        size: 14,
        anchor: 'middle',
        fill: css,
      });
      text.curve(centre, SIX_TOP + TILE + LABEL + 6, middle + TILE / 2, THREE_TOP - 8, css);
    }
    pictures.push(
      place(
        middle,
        THREE_TOP,
        thumbnail(sheet.relief, TILE, (pixel) => tinted(pixel[c]!)),
      ),
    );
    text.write(middle + TILE / 2, THREE_TOP + TILE + 20, `${c}: ${symbol} in the light`, {
      size: 14,
      anchor: 'middle',
      fill: css,
    });
  }
  text.write(
    MARGIN,
    THREE_TOP + TILE + LABEL + 40,
    'Grouped with groups 3: each pair of channels becomes one, as if a light shone on the slopes from above left. Six channels become three.',
    { size: 14, fill: FAINT },
  );

  return sharp(text.svg())
    .composite(await Promise.all(pictures))
    .png({ palette: true, quality: 90, effort: 4 })
    .toBuffer();
}

/** Whether different letters look different: a system without fonts draws the same box for each, or nothing. */
export async function hasFonts(): Promise<boolean> {
  const [i, w] = await Promise.all(
    ['i', 'w'].map((letter) => {
      const drawing = new Drawing();
      drawing.write(40, 40, letter, { size: 20 });
      return sharp(drawing.svg()).raw().toBuffer();
    }),
  );
  return !i!.equals(w!);
}

function firstThree([red = 0, green = 0, blue = 0]: Float32Array): Rgb {
  return [red, green, blue];
}

interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly fill?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

class Drawing {
  readonly #elements: string[] = [];

  write(x: number, y: number, text: string, { size, weight = 400, fill = INK, anchor = 'start' }: TextStyle): void {
    const escaped = text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    this.#elements.push(
      `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${escaped}</text>`,
    );
  }

  /** From above to below, leaving and arriving upright. */
  curve(x1: number, y1: number, x2: number, y2: number, stroke: string): void {
    const half = (y1 + y2) / 2;
    this.#elements.push(
      `<path d="M${x1} ${y1}C${x1} ${half} ${x2} ${half} ${x2} ${y2}" fill="none" stroke="${stroke}" stroke-width="2" stroke-opacity=".7"/>`,
    );
  }

  svg(): Buffer {
    return Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="Inter, Helvetica Neue, Helvetica, Arial, DejaVu Sans, sans-serif">
<rect width="100%" height="100%" fill="#12151a"/>${this.#elements.join('')}</svg>`,
    );
  }
}
