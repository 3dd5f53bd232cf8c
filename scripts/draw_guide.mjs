// Draws the guide's pictures, docs/images/*.svg: run after a change here, commit what comes out.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COLOURS = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377'];
const INK = '#333333';

const text = (x, y, content, { size = 13, anchor = 'start', weight = 'normal', fill = INK } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}" font-weight="${weight}" fill="${fill}">${content}</text>`;
const cell = (x, y, fill, label, size = 26) =>
  `<rect x="${x}" y="${y}" width="${size}" height="${size}" fill="${fill}" stroke="#ffffff" stroke-width="1.5"/>` +
  (label === undefined
    ? ''
    : text(x + size / 2, y + size / 2 + 4, label, { size: 11, anchor: 'middle', fill: '#ffffff' }));
const line = (x1, y1, x2, y2, stroke, width = 1.5) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" stroke-width="${width}"/>`;

function save(name, width, height, parts) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Helvetica, Arial, sans-serif">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${parts.flat(3).join('\n')}
</svg>
`;
  writeFileSync(fileURLToPath(new URL(`../docs/images/${name}.svg`, import.meta.url)), svg);
}

// Two pixels by two, three channels: where each number lies.
const pixels = ['a', 'b', 'c', 'd'];
save('layouts', 640, 210, [
  text(20, 28, 'a 2 x 2 picture with 3 channels', { weight: 'bold' }),
  [0, 1, 2].map((c) =>
    pixels.map((p, i) => cell(20 + c * 16 + (i % 2) * 26, 50 + c * 14 + Math.floor(i / 2) * 26, COLOURS[c], p)),
  ),
  text(200, 60, 'NHWC', { weight: 'bold' }),
  pixels.map((p, i) => [0, 1, 2].map((c) => cell(260 + (i * 3 + c) * 28, 42, COLOURS[c], p))),
  text(260, 92, 'the channels of a pixel lie together', { size: 12 }),
  text(200, 140, 'NCHW', { weight: 'bold' }),
  [0, 1, 2].map((c) => pixels.map((p, i) => cell(260 + (c * 4 + i) * 28, 122, COLOURS[c], p))),
  text(260, 172, 'the pixels of a channel lie together', { size: 12 }),
]);

// Which input channels an output channel reads.
function wiring(x, title, subtitle, inputs, outputs, groups) {
  const inX = (i) => x + 90 + (i - (inputs - 1) / 2) * 30;
  const outX = (o) => x + 90 + (o - (outputs - 1) / 2) * 30;
  const groupOfOutput = (o) => Math.floor(o / (outputs / groups));
  const groupOfInput = (i) => Math.floor(i / (inputs / groups));
  const wires = [];
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      if (groupOfInput(i) === groupOfOutput(o)) wires.push(line(inX(i), 96, outX(o), 160, COLOURS[groupOfOutput(o)]));
    }
  }
  return [
    text(x + 90, 28, title, { weight: 'bold', anchor: 'middle' }),
    text(x + 90, 48, subtitle, { size: 12, anchor: 'middle' }),
    wires,
    Array.from({ length: inputs }, (_, i) => cell(inX(i) - 13, 70, COLOURS[groupOfInput(i)], i)),
    Array.from({ length: outputs }, (_, o) => cell(outX(o) - 13, 160, COLOURS[groupOfOutput(o)], o)),
  ];
}
save('groups', 880, 215, [
  text(20, 88, 'in', { size: 12 }),
  text(20, 178, 'out', { size: 12 }),
  wiring(40, 'depthwise', 'multiplier 1', 4, 4, 4),
  wiring(250, 'depthwise', 'multiplier 2', 3, 6, 3),
  wiring(460, 'groups = 2', '4 channels become 2', 4, 2, 2),
  wiring(660, 'groups = 1', 'the ordinary one', 4, 3, 1),
]);

// Five pixels, a filter of two at stride 2: where the odd padding pixel goes.
function strip(y, name, before, after, outputs) {
  const start = 190 - before * 28;
  const cells = [...Array(before).fill('#cccccc'), ...Array(5).fill(COLOURS[0]), ...Array(after).fill('#cccccc')];
  return [
    text(20, y + 18, name, { weight: 'bold' }),
    cells.map((fill, i) => cell(start + i * 28, y, fill, i >= before && i < before + 5 ? i - before : 0)),
    Array.from({ length: outputs }, (_, o) =>
      [line(start + o * 56 + 3, y + 34, start + o * 56 + 51, y + 34, COLOURS[1], 3)].concat(
        text(start + o * 56 + 27, y + 49, `out ${o}`, { size: 11, anchor: 'middle' }),
      ),
    ),
  ];
}
save('padding', 480, 230, [
  text(20, 24, 'five pixels, a filter of two, stride 2', { size: 12 }),
  strip(40, "'valid'", 0, 0, 2),
  strip(105, "'same'", 0, 1, 3),
  strip(170, "'same-lower'", 1, 0, 3),
]);
