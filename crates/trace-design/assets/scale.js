// From milliseconds and requests per second to pixels and back, and where the
// ticks of the axes are.

import { short, trimmed } from "./number.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Where a span of time and a highest rate lie in a picture of so many pixels. */
export class Frame {
  /** `span` is {from, to} in milliseconds: all of the time, or a part. */
  constructor(width, height, { from, to }, maxRate, margin) {
    Object.assign(this, { width, height, from, to, maxRate });
    this.left = margin.left;
    this.top = margin.top;
    this.right = Math.max(width - margin.right, margin.left + 1);
    this.bottom = Math.max(height - margin.bottom, margin.top + 1);
  }

  /** Milliseconds from the left to the right. */
  get span() {
    return this.to - this.from;
  }

  /** Whether the time `t` is within it. */
  shows(t) {
    return t >= this.from && t <= this.to;
  }

  x(t) {
    return this.left + ((t - this.from) / this.span) * (this.right - this.left);
  }

  y(rate) {
    return this.bottom - (rate / this.maxRate) * (this.bottom - this.top);
  }

  /** The time at x, within the span, rounded to what a pixel tells. */
  t(x) {
    const share = (x - this.left) / (this.right - this.left);
    const exact = this.from + Math.min(Math.max(share, 0), 1) * this.span;
    return Math.min(Math.max(tidy(exact, this.span / (this.right - this.left)), this.from), this.to);
  }

  /** The rate at y, within 0 and the highest, rounded to what a pixel tells. */
  rate(y) {
    const share = (this.bottom - y) / (this.bottom - this.top);
    const exact = Math.min(Math.max(share, 0), 1) * this.maxRate;
    return Math.min(tidy(exact, this.maxRate / (this.bottom - this.top)), this.maxRate);
  }
}

/** `number` without the digits that are less than a tenth of a `pixel`. */
function tidy(number, pixel) {
  const decimals = Math.min(Math.max(Math.ceil(-Math.log10(pixel)) + 1, 0), 9);
  const power = 10 ** decimals;
  return Math.round(number * power) / power;
}

/** About `wanted` round rates from 0 to `most`. */
export function rateTicks(most, wanted) {
  const rough = most / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((nice) => nice * power >= rough * (1 - 1e-9)) * power;
  const count = Math.floor(most / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

const TIME_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
];

/** About `wanted` round times within `from` and `to`, in milliseconds. */
export function timeTicks({ from, to }, wanted) {
  const rough = (to - from) / Math.max(wanted, 1);
  let step = TIME_STEPS.find((nice) => nice >= rough);
  if (!step && rough <= 5 * DAY) step = [1, 2, 5].map((n) => n * DAY).find((nice) => nice >= rough);
  if (!step) step = DAY * 10 ** Math.ceil(Math.log10(rough / DAY));
  if (rough < 1) step = 10 ** Math.ceil(Math.log10(rough));
  const [first, last] = [Math.ceil(from / step - 1e-9), Math.floor(to / step + 1e-9)];
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => (first + i) * step);
}

/**
 * What times up to `to` are called that are `step` apart, and the unit beside
 * the axis: as large a unit as the time wants, with as much behind it as the
 * step does.
 */
export function timeNames(to, step) {
  const two = (number) => String(number).padStart(2, "0");
  const decimals = Math.min(Math.max(-Math.floor(Math.log10(step / SECOND) + 1e-9), 0), 6);
  // To the last decimal at once: 59.9996 s are no 60 s of the minute before.
  const parts = (t) => {
    const whole = Number((t / SECOND).toFixed(decimals));
    const [d, h, m] = [DAY, HOUR, MINUTE].map((unit) => Math.floor(whole / (unit / SECOND)));
    return { d, h, m, s: (whole - m * 60).toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, "0") };
  };
  if (to < 2 * SECOND) return { unit: "ms", name: (t) => trimmed(t, 6) };
  if (to <= 2 * MINUTE) return { unit: "seconds", name: (t) => trimmed(t / SECOND, 6) };
  if (to <= 2 * HOUR) {
    const name = (t) => (({ m, s }) => `${m}:${s}`)(parts(t));
    return { unit: "min:s", name };
  }
  if (to <= 3 * DAY && step >= MINUTE) {
    const name = (t) => (({ h, m }) => `${h}:${two(m % 60)}`)(parts(t));
    return { unit: "h:min", name };
  }
  if (to <= 3 * DAY) {
    const name = (t) => (({ h, m, s }) => `${h}:${two(m % 60)}:${s}`)(parts(t));
    return { unit: "h:min:s", name };
  }
  if (step >= 6 * HOUR) return { unit: "days", name: (t) => trimmed(t / DAY, 2) };
  const seconds = step < MINUTE;
  const name = (t) => (({ d, h, m, s }) => `${d} d ${h % 24}:${two(m % 60)}${seconds ? `:${s}` : ""}`)(parts(t));
  return { unit: seconds ? "days h:min:s" : "days h:min", name };
}

/** What a rate is called at a tick. */
export function rateName(rate) {
  return rate >= 1e4 ? short(rate) : trimmed(rate, rate < 1 ? 6 : 3);
}
