// What a hand draws: a rate for every column of pixels it passed, made into
// few points when the hand is lifted.

/** A stroke under way; x and y in pixels, y downwards. */
export class Stroke {
  constructor() {
    this.columns = new Map();
    this.last = null;
  }

  /** The hand went on to (x, y). Going back over a column draws it anew. */
  add(x, y) {
    const column = Math.round(x);
    const last = this.last ?? { x: column, y };
    const step = column >= last.x ? 1 : -1;
    for (let at = last.x; at !== column; at += step) {
      const share = (at - last.x) / (column - last.x);
      if (at !== last.x) this.columns.set(at, last.y + (y - last.y) * share);
    }
    this.columns.set(column, y);
    this.last = { x: column, y };
  }

  /** Whether it is a mere click. */
  get isClick() {
    return this.columns.size < 3;
  }

  /** Every column from left to right, {x, y}. */
  line() {
    return [...this.columns].map(([x, y]) => ({ x, y })).sort((a, b) => a.x - b.x);
  }
}

/**
 * The fewest of the points of `line` whose straight lines stay within
 * `tolerance` of it (Ramer, Douglas and Peucker, measured along y, since a
 * curve is a function of time).
 */
export function simplified(line, tolerance) {
  if (line.length < 3) return line;
  const keep = new Uint8Array(line.length);
  keep[0] = keep[line.length - 1] = 1;
  const spans = [[0, line.length - 1]];
  while (spans.length > 0) {
    const [first, last] = spans.pop();
    const [a, b] = [line[first], line[last]];
    let [worst, furthest] = [tolerance, -1];
    for (let i = first + 1; i < last; i += 1) {
      const straight = a.y + ((b.y - a.y) * (line[i].x - a.x)) / (b.x - a.x);
      const off = Math.abs(line[i].y - straight);
      if (off > worst) [worst, furthest] = [off, i];
    }
    if (furthest < 0) continue;
    keep[furthest] = 1;
    spans.push([first, furthest], [furthest, last]);
  }
  return line.filter((_, i) => keep[i]);
}

/**
 * `line` as few level steps that stay within `tolerance` of it: the start of
 * each, {x, y}, and the end of the last.
 */
export function stepped(line, tolerance) {
  const steps = [];
  let start = 0;
  let [low, high] = [Infinity, -Infinity];
  const level = () => (low + high) / 2;
  line.forEach(({ y }, i) => {
    const [lower, higher] = [Math.min(low, y), Math.max(high, y)];
    if (higher - lower > 2 * tolerance) {
      steps.push({ x: line[start].x, y: level() });
      [start, low, high] = [i, y, y];
    } else [low, high] = [lower, higher];
  });
  if (line.length > 0) {
    steps.push({ x: line[start].x, y: level() });
    const end = line.at(-1);
    if (end.x > line[start].x) steps.push({ x: end.x, y: level() });
  }
  return steps;
}
