// The geometry of one model's curve: points {t_ms, rate} in order of time.
//
// Between points the rate is a straight line ("linear") or stays as the
// earlier one says ("step"); before the first and after the last it stays.
// Two points at one time are a jump. Nothing here changes its arguments.

/** How many of `points` lie at or before `t`. */
function passed(points, t) {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].t_ms <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Requests per second at `t`; at a jump, after it. */
export function rateAt(points, interpolation, t) {
  if (points.length === 0) return 0;
  const after = passed(points, t);
  if (after === 0) return points[0].rate;
  const from = points[after - 1];
  if (after === points.length || interpolation === "step") return from.rate;
  return between(from, points[after], t);
}

/** Requests per second just before `t`. */
function rateBefore(points, interpolation, t) {
  if (points.length === 0) return 0;
  let after = passed(points, t);
  while (after > 0 && points[after - 1].t_ms === t) after -= 1;
  if (after === 0) return points[0].rate;
  const from = points[after - 1];
  if (after === points.length || interpolation === "step") return from.rate;
  return between(from, points[after], t);
}

function between(from, to, t) {
  return from.rate + ((to.rate - from.rate) * (t - from.t_ms)) / (to.t_ms - from.t_ms);
}

/** The points in order of time; those of one time stay as they were. */
export function sorted(points) {
  return points.every((point, i) => i === 0 || points[i - 1].t_ms <= point.t_ms)
    ? points
    : [...points].sort((a, b) => a.t_ms - b.t_ms);
}

/** The highest rate; 0 without points. */
export function peak(points) {
  return points.reduce((most, point) => Math.max(most, point.rate), 0);
}

/** Requests expected from 0 to `duration`: the area below the curve. */
export function area(points, interpolation, duration) {
  const times = [0, ...points.map((point) => point.t_ms).filter((t) => t > 0 && t < duration), duration];
  let sum = 0;
  for (let i = 1; i < times.length; i += 1) {
    const [from, to] = [times[i - 1], times[i]];
    const start = rateAt(points, interpolation, from);
    const end = interpolation === "step" ? start : rateBefore(points, interpolation, to);
    sum += ((start + end) / 2) * (to - from);
  }
  return sum / 1000;
}

/**
 * The curve with `stroke` in place of what it covers.
 *
 * What was drawn before and after stays exactly as it was, with a jump where
 * the stroke does not meet it. Where nothing was drawn on a side, the rate
 * there was only implied, and the stroke's end implies it now.
 */
export function replaceSpan(points, interpolation, stroke) {
  if (stroke.length === 0) return points;
  const from = stroke[0].t_ms;
  const to = stroke.at(-1).t_ms;
  const before = points.filter((point) => point.t_ms < from);
  const after = points.filter((point) => point.t_ms > to);
  const inside = [...stroke];
  const drawnAtStart = before.length > 0 && before.length < points.length;
  if (interpolation === "linear" && drawnAtStart) {
    const rate = rateBefore(points, interpolation, from);
    if (apart(rate, stroke[0].rate)) inside.unshift({ t_ms: from, rate });
  }
  const drawnAtEnd = after.length > 0 && after.length < points.length;
  if (drawnAtEnd) {
    const rate = rateAt(points, interpolation, to);
    if (interpolation === "step") inside.pop();
    if (inside.length === 0 || apart(rate, inside.at(-1).rate)) inside.push({ t_ms: to, rate });
  }
  return [...before, ...inside, ...after];
}

/** Whether two rates are not the same but for rounding. */
function apart(a, b) {
  return Math.abs(a - b) > 1e-9 * Math.max(1, a, b);
}

/** The curve with one more point, and its place. */
export function insertPoint(points, point) {
  const index = passed(points, point.t_ms);
  return { points: [...points.slice(0, index), point, ...points.slice(index)], index };
}

/** The curve without the point at `index`. */
export function deletePoint(points, index) {
  return points.filter((_, i) => i !== index);
}

/**
 * The curve with the point at `index` elsewhere: between its neighbours in
 * time, within 0 and `duration`, at a rate of 0 to `maxRate`.
 */
export function movePoint(points, index, { t_ms, rate }, duration, maxRate) {
  const earliest = points[index - 1]?.t_ms ?? 0;
  const latest = points[index + 1]?.t_ms ?? duration;
  const moved = {
    ...points[index],
    t_ms: Math.min(Math.max(t_ms, earliest), latest),
    rate: Math.min(Math.max(rate, 0), maxRate),
  };
  return points.map((point, i) => (i === index ? moved : point));
}

/** The curve up to `duration`, ending at the rate it has just before it. */
export function cutAt(points, interpolation, duration) {
  const kept = points.filter((point) => point.t_ms <= duration);
  if (kept.length === points.length) return points;
  if (interpolation === "step") return kept.length > 0 ? kept : [{ t_ms: 0, rate: points[0].rate }];
  const rate = rateBefore(points, interpolation, duration);
  const last = kept.at(-1);
  return last && last.t_ms === duration ? kept : [...kept, { t_ms: duration, rate }];
}

/** The same rates as `points` of steps, told by straight lines and jumps. */
export function asLines(points) {
  return points.flatMap((point, i) => (i === 0 ? [point] : [{ ...points[i - 1], t_ms: point.t_ms }, point]));
}

/** About the rates of `points` of straight lines, told by so many equal steps. */
export function asSteps(points, count) {
  const [from, to] = [points[0].t_ms, points.at(-1).t_ms];
  const edge = (i) => from + ((to - from) * i) / count;
  const middle = (i) => rateAt(points, "linear", (edge(i) + edge(i + 1)) / 2);
  const steps = Array.from({ length: count }, (_, i) => ({ t_ms: round(edge(i), 3), rate: round(middle(i), 6) }));
  const end = { t_ms: to, rate: steps.at(-1).rate };
  return [...steps.filter((step, i) => i === 0 || step.rate !== steps[i - 1].rate), end];
}

/** All times × `factor`. */
export function stretched(points, factor) {
  return points.map((point) => ({ ...point, t_ms: round(point.t_ms * factor, 3) }));
}

/** All rates × `factor`. */
export function louder(points, factor) {
  return points.map((point) => ({ ...point, rate: round(point.rate * factor, 6) }));
}

/** No rate above `most`. */
export function lowered(points, most) {
  return points.map((point) => (point.rate > most ? { ...point, rate: most } : point));
}

/** `number` to so many decimals. */
export function round(number, decimals) {
  return Number(number.toFixed(decimals));
}
