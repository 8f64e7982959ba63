// The part of the time that is shown: all of it, or a span to look at closely.

/** The shortest span, in milliseconds; a day is a hundred thousand of them. */
const SHORTEST_MS = 10;
/** How much nearer one step is. */
const STEP = 1.5;

/** What of a duration is shown. Whole again whenever the duration is another one. */
export class Zoom {
  constructor() {
    this.part = null;
  }

  /** {from, to} in milliseconds, of a design of this `duration`. */
  span(duration) {
    if (this.part?.duration === duration) return this.part;
    return { from: 0, to: duration };
  }

  /** Whether all of it is shown. */
  isWhole(duration) {
    const { from, to } = this.span(duration);
    return from === 0 && to === duration;
  }

  /** Show {from, to}, as much of it as there is. */
  show(from, to, duration) {
    const shortest = Math.min(SHORTEST_MS, duration);
    const length = Math.min(Math.max(to - from, shortest), duration);
    // A wish for less than the shortest keeps its middle.
    const start = Math.min(Math.max((from + to) / 2 - length / 2, 0), duration - length);
    this.part = length === duration ? null : { from: start, to: start + length, duration };
  }

  /** So many steps nearer, negative for farther; `around` keeps its place. */
  step(steps, around, duration) {
    this.by(STEP ** steps, around, duration);
  }

  /** `factor` times as near; `around` keeps its place. */
  by(factor, around, duration) {
    const { from, to } = this.span(duration);
    const shortest = Math.min(SHORTEST_MS, duration);
    const length = Math.min(Math.max((to - from) / factor, shortest), duration);
    const share = (around - from) / (to - from);
    this.show(around - share * length, around + (1 - share) * length, duration);
  }

  /** As near as it is, so many milliseconds later. */
  pan(ms, duration) {
    const { from, to } = this.span(duration);
    const by = Math.min(Math.max(ms, -from), duration - to);
    if (!this.isWhole(duration)) this.show(from + by, to + by, duration);
  }

  /** All of it. */
  whole() {
    this.part = null;
  }

  /** As near as it is, and `t` is in it, not at its very edge. */
  reveal(t, duration) {
    const { from, to } = this.span(duration);
    if (t >= from && t <= to) return;
    this.pan(t - (from + to) / 2, duration);
  }
}
