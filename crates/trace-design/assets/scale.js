// From milliseconds and requests per second to pixels and back, and where the
// ticks of the axes are.

import { short, trimmed } from "./number.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Where a duration and a highest rate lie in a picture of so many pixels. */
export class Frame {
  constructor(width, height, duration, maxRate, margin) {
    Object.assign(this, { width, height, duration, maxRate });
    this.left = margin.left;
    this.top = margin.top;
    this.right = Math.max(width - margin.right, margin.left + 1);
    this.bottom = Math.max(height - margin.bottom, margin.top + 1);
  }

  x(t) {
    return this.left + (t / this.duration) * (this.right - this.left);
  }

  y(rate) {
    return this.bottom - (rate / this.maxRate) * (this.bottom - this.top);
  }

  /** The time at x, within the duration, rounded to what a pixel tells. */
  t(x) {
    const share = (x - this.left) / (this.right - this.left);
    const exact = Math.min(Math.max(share, 0), 1) * this.duration;
    return Math.min(tidy(exact, this.duration / (this.right - this.left)), this.duration);
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

/** About `wanted` round times from 0 to `duration`, in milliseconds. */
export function timeTicks(duration, wanted) {
  const rough = duration / Math.max(wanted, 1);
  let step = TIME_STEPS.find((nice) => nice >= rough);
  if (!step && rough <= 5 * DAY) step = [1, 2, 5].map((n) => n * DAY).find((nice) => nice >= rough);
  if (!step) step = DAY * 10 ** Math.ceil(Math.log10(rough / DAY));
  if (rough < 1) step = 10 ** Math.ceil(Math.log10(rough));
  const count = Math.floor(duration / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** What the ticks of a duration are called, and the unit beside the axis. */
export function timeNames(duration) {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  if (duration < 2 * SECOND) return { unit: "ms", name: (t) => trimmed(t, 3) };
  if (duration <= 2 * MINUTE) return { unit: "seconds", name: (t) => trimmed(t / SECOND, 3) };
  if (duration <= 2 * HOUR) {
    return { unit: "min:s", name: (t) => `${Math.floor(t / MINUTE)}:${two((t % MINUTE) / SECOND)}` };
  }
  if (duration <= 3 * DAY) {
    return { unit: "h:min", name: (t) => `${Math.floor(t / HOUR)}:${two((t % HOUR) / MINUTE)}` };
  }
  return { unit: "days", name: (t) => trimmed(t / DAY, 2) };
}

/** What a rate is called at a tick. */
export function rateName(rate) {
  return rate >= 1e4 ? short(rate) : trimmed(rate, rate < 1 ? 6 : 3);
}
