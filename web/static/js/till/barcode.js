// Reads EAN-13 from the camera's picture where the browser has no reader of its own: along rows of pixels, as a scanner's beam does.

const WIDEST = 1280;
const ROWS = 24;
// A code of an article and of an in-house card: guard, six digits, middle, six digits, guard.
const RUNS = 3 + 24 + 5 + 24 + 3;
const MODULES = 95;
// Widths of the four bars and spaces of each digit in the right half; mirrored they are those of even parity in the left half.
const RIGHT = ["3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112"].map((digits) => [...digits].map(Number));
const EVEN = RIGHT.map((widths) => [...widths].reverse());
// The first digit stands in no bars: it is told by which digits of the left half have even parity.
const FIRST = ["000000", "001011", "001101", "001110", "010011", "011001", "011100", "010101", "010110", "011010"];
// How far, in modules, one bar may be off, and all four of a digit together.
const OFF = 0.7;
const ALL_OFF = 1.6;

export class Reader {
  #canvas = document.createElement("canvas");

  // As BarcodeDetector has it: what the picture shows now, one code or none.
  async detect(video) {
    const scale = Math.min(1, WIDEST / video.videoWidth);
    const [width, height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    if (!width || !height) return [];
    Object.assign(this.#canvas, { width, height });
    const drawing = this.#canvas.getContext("2d", { willReadFrequently: true });
    drawing.drawImage(video, 0, 0, width, height);
    const seen = new Map();
    for (let row = 1; row <= ROWS; row += 1) {
      const code = readRow(brightness(drawing.getImageData(0, Math.floor((height * row) / (ROWS + 1)), width, 1).data));
      if (!code) continue;
      // By chance one row may look like a code; two that say the same do not.
      if (seen.has(code)) return [{ rawValue: code, format: "ean_13" }];
      seen.set(code, true);
    }
    return [];
  }
}

function brightness(pixels) {
  const row = new Float32Array(pixels.length / 4);
  for (let at = 0; at < row.length; at += 1) row[at] = 0.299 * pixels[at * 4] + 0.587 * pixels[at * 4 + 1] + 0.114 * pixels[at * 4 + 2];
  return row;
}

// The code that a row of brightnesses runs through, in either direction; nothing where there is none.
export function readRow(row) {
  const [runs, startsDark] = runsOf(row);
  return within(runs, startsDark) ?? within([...runs].reverse(), startsDark === (runs.length % 2 === 1));
}

// Lengths of what is dark and light in turns. Dark is what is darker than its neighbourhood: light falls unevenly on a card.
function runsOf(row) {
  const reach = Math.max(8, Math.round(row.length / 16));
  const sums = new Float64Array(row.length + 1);
  row.forEach((value, at) => { sums[at + 1] = sums[at] + value; });
  const runs = [];
  let dark;
  let startsDark = false;
  for (let at = 0; at < row.length; at += 1) {
    const [from, to] = [Math.max(0, at - reach), Math.min(row.length, at + reach + 1)];
    const mean = (sums[to] - sums[from]) / (to - from);
    const now = row[at] < mean - 6;
    if (now === dark) runs[runs.length - 1] += 1;
    else runs.push(1);
    if (dark === undefined) startsDark = now;
    dark = now;
  }
  return [runs, startsDark];
}

function within(runs, startsDark) {
  for (let at = startsDark ? 0 : 1; at + RUNS <= runs.length; at += 2) {
    const code = decoded(runs.slice(at, at + RUNS), runs[at - 1] ?? Infinity);
    if (code) return code;
  }
  return undefined;
}

function decoded(runs, quiet) {
  const module = runs.reduce((sum, run) => sum + run, 0) / MODULES;
  const guards = [...runs.slice(0, 3), ...runs.slice(27, 32), ...runs.slice(56)];
  if (quiet < 4 * module || guards.some((run) => Math.abs(run / module - 1) > OFF)) return undefined;
  let digits = "";
  let parities = "";
  for (let place = 0; place < 12; place += 1) {
    const left = place < 6;
    const start = left ? 3 + place * 4 : 32 + (place - 6) * 4;
    const widths = runs.slice(start, start + 4);
    const whole = widths.reduce((sum, run) => sum + run, 0) / 7;
    const best = closest(widths.map((run) => run / whole), left);
    if (!best) return undefined;
    digits += best.digit;
    if (left) parities += best.even ? "1" : "0";
  }
  const first = FIRST.indexOf(parities);
  return first >= 0 && checks(`${first}${digits}`) ? `${first}${digits}` : undefined;
}

function closest(widths, left) {
  let best;
  for (const [even, patterns] of left ? [[false, RIGHT], [true, EVEN]] : [[false, RIGHT]]) {
    patterns.forEach((pattern, digit) => {
      const away = pattern.map((width, at) => Math.abs(widths[at] - width));
      const off = away.reduce((sum, one) => sum + one, 0);
      if (Math.max(...away) <= OFF && off <= (best?.off ?? ALL_OFF)) best = { digit, even, off };
    });
  }
  return best;
}

function checks(code) {
  const sum = [...code].reduce((total, digit, at) => total + Number(digit) * (at % 2 ? 3 : 1), 0);
  return sum % 10 === 0;
}
