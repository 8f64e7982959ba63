// What is painted on the plot, one layer a function. Colours come from the
// style sheet, so that light and dark are told in one place.

import { rateAt } from "./curve.js";
import { rateName, rateTicks, timeNames, timeTicks } from "./scale.js";

/** Points of a curve that are shown as dots; more would be a smear. */
const MOST_DOTS = 400;

/** The colours and fonts of the page as it looks now. */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: color("text"),
    muted: color("muted"),
    grid: color("grid"),
    plot: color("plot"),
    accent: color("accent"),
    font: `12px ${style.fontFamily}`,
    small: `11px ${style.fontFamily}`,
  };
}

/** Grid, ticks and what the axes are. */
export function axes(ctx, frame, theme, { rate = "requests / s", time = "time" } = {}) {
  ctx.fillStyle = theme.plot;
  ctx.fillRect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
  ctx.strokeStyle = theme.grid;
  ctx.fillStyle = theme.muted;
  ctx.lineWidth = 1;
  ctx.font = theme.small;
  const { times, unit, name } = ticks(ctx, frame);
  ctx.textBaseline = "top";
  times.forEach((t) => {
    const x = Math.round(frame.x(t)) + 0.5;
    segment(ctx, x, frame.top, x, frame.bottom + 5);
    const label = name(t);
    const half = ctx.measureText(label).width / 2;
    ctx.textAlign = x + half > frame.width ? "right" : "center";
    ctx.fillText(label, Math.min(x, frame.width - 1), frame.bottom + 8);
  });
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  rateTicks(frame.maxRate, Math.max(2, (frame.bottom - frame.top) / 48)).forEach((value) => {
    const y = Math.round(frame.y(value)) + 0.5;
    segment(ctx, frame.left - 5, y, frame.right, y);
    ctx.fillText(rateName(value), frame.left - 8, y);
  });
  ctx.fillStyle = theme.text;
  ctx.font = theme.font;
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  ctx.fillText(`${time} (${unit})`, (frame.left + frame.right) / 2, frame.height - 2);
  ctx.save();
  ctx.translate(13, (frame.top + frame.bottom) / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.textBaseline = "middle";
  ctx.fillText(rate, 0, 0);
  ctx.restore();
}

/** Round times as close as their names let them stand. */
function ticks(ctx, frame) {
  const wide = frame.right - frame.left;
  let [times, names] = [[], null];
  for (const apart of [85, 130, 200]) {
    times = timeTicks(frame, Math.max(2, wide / apart));
    const step = times.length > 1 ? times[1] - times[0] : frame.span;
    names = timeNames(frame.to, step);
    const room = (step / frame.span) * wide;
    if (times.every((t) => ctx.measureText(names.name(t)).width + 12 < room)) break;
  }
  return { times, ...names };
}

function segment(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** Paint only within the axes. */
export function inside(ctx, frame, paint) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left, frame.top - 1, frame.right - frame.left, frame.bottom - frame.top + 2);
  ctx.clip();
  paint();
  ctx.restore();
}

/**
 * Where `t` is, or a little beside the plot: a canvas counts in numbers that
 * know no pixels where a day is a thousand screens wide.
 */
function near(frame, t) {
  return Math.min(Math.max(frame.x(t), frame.left - 9), frame.right + 9);
}

/** Counts of parts of `width` milliseconds each, from `from` on, as bars as high as their rate. */
export function bars(ctx, frame, counts, { from, width, color }) {
  ctx.fillStyle = color;
  ctx.globalAlpha = 0.28;
  counts.forEach((count, i) => {
    if (count === 0) return;
    const [x0, x1] = [near(frame, from + i * width), near(frame, from + (i + 1) * width)];
    if (x0 === x1) return;
    const y = frame.y((count * 1000) / width);
    const gap = x1 - x0 > 4 ? 1 : 0;
    ctx.fillRect(x0, y, x1 - x0 - gap, frame.bottom - y);
  });
  ctx.globalAlpha = 1;
}

/** Rates of parts of `bin` milliseconds each as a line of steps, up to `end`. */
export function staircase(ctx, frame, rates, bin, { end, color, fill = null, dash = [], width = 1.5 }) {
  if (rates.length === 0) return;
  ctx.beginPath();
  rates.forEach((rate, i) => {
    const y = frame.y(rate);
    if (i === 0) ctx.moveTo(near(frame, 0), y);
    else ctx.lineTo(near(frame, i * bin), y);
    ctx.lineTo(near(frame, Math.min((i + 1) * bin, end)), y);
  });
  stroke(ctx, { color, width, dash });
  if (!fill) return;
  ctx.lineTo(near(frame, Math.min(rates.length * bin, end)), frame.bottom);
  ctx.lineTo(near(frame, 0), frame.bottom);
  ctx.fillStyle = fill;
  ctx.globalAlpha = 0.16;
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** A curve through its points, level before the first and after the last. */
export function curve(ctx, frame, points, interpolation, { color, width, alpha = 1, dash = [] }) {
  if (points.length === 0) return;
  ctx.beginPath();
  let level = frame.y(rateAt(points, interpolation, frame.from));
  ctx.moveTo(frame.left, level);
  for (const point of points.filter(({ t_ms }) => frame.shows(t_ms))) {
    const [x, y] = [frame.x(point.t_ms), frame.y(point.rate)];
    if (interpolation === "step") ctx.lineTo(x, level);
    ctx.lineTo(x, y);
    level = y;
  }
  const last = frame.y(rateAt(points, interpolation, frame.to));
  if (interpolation === "step") ctx.lineTo(frame.right, level);
  ctx.lineTo(frame.right, last);
  ctx.globalAlpha = alpha;
  stroke(ctx, { color, width, dash });
  ctx.globalAlpha = 1;
}

function stroke(ctx, { color, width, dash = [] }) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  ctx.setLineDash(dash);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** The points of a curve as dots, the selected one with a ring. */
export function dots(ctx, frame, points, { color, selected, around }, theme) {
  const seen = points.filter((point) => frame.shows(point.t_ms));
  if (seen.length <= MOST_DOTS) {
    ctx.fillStyle = theme.plot;
    for (const point of seen) {
      ctx.beginPath();
      ctx.arc(frame.x(point.t_ms), frame.y(point.rate), around ? 4 : 3, 0, 2 * Math.PI);
      ctx.fill();
      stroke(ctx, { color, width: 1.75 });
    }
  }
  if (!selected || !frame.shows(selected.t_ms)) return;
  const [x, y] = [frame.x(selected.t_ms), frame.y(selected.rate)];
  ctx.beginPath();
  ctx.arc(x, y, 5, 0, 2 * Math.PI);
  ctx.fillStyle = color;
  ctx.fill();
  ctx.beginPath();
  ctx.arc(x, y, 9, 0, 2 * Math.PI);
  stroke(ctx, { color: theme.text, width: 2 });
}

/** Single arrivals as ticks on the floor of the plot. */
export function rug(ctx, frame, arrivals, color) {
  ctx.strokeStyle = color;
  ctx.globalAlpha = arrivals.length > 600 ? 0.35 : 0.7;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const t of arrivals.filter((t) => frame.shows(t))) {
    const x = Math.round(frame.x(t)) + 0.5;
    ctx.moveTo(x, frame.bottom - 9);
    ctx.lineTo(x, frame.bottom - 1);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** Where the hand is: a thin cross. */
export function cross(ctx, frame, { x, y }, theme) {
  ctx.strokeStyle = theme.muted;
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 3]);
  segment(ctx, Math.round(x) + 0.5, frame.top, Math.round(x) + 0.5, frame.bottom);
  if (y !== null) segment(ctx, frame.left, Math.round(y) + 0.5, frame.right, Math.round(y) + 0.5);
  ctx.setLineDash([]);
}
