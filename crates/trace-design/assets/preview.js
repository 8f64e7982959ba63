// What trace-synth would make of the design, asked for after every change.

import { call } from "./api.js";
import { area, peak } from "./curve.js";
import { unique } from "./dom.js";

/** Milliseconds of quiet before the server is asked. */
const QUIET_MS = 120;
/** What the server tells tabs apart by, to give up what a newer question replaces. */
const TAB = unique();
/** Arrivals that a bar should have on average, so that it tells a rate. */
const IN_A_BAR = 12;
const BAR_COUNTS = [300, 240, 200, 150, 120, 100, 60, 50, 40, 30, 24, 20, 12];

/** The newest answer, and whether it is of the design as it is. */
export class Preview extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.result = null;
    this.error = null;
    this.stale = true;
    this.under = null;
    store.onDesign(() => this.ask());
    store.onView(() => this.ask());
    this.ask();
  }

  /** Ask, if the design or the part of it that is shown is another one. */
  ask() {
    const { design, span } = this.store;
    const sameDesign = this.asked === design;
    if (sameDesign && this.from === span.from && this.to === span.to) return;
    Object.assign(this, { asked: design, from: span.from, to: span.to });
    // A closer look changes none of the numbers.
    this.stale ||= !sameDesign;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), QUIET_MS);
    this.told();
  }

  async fetch() {
    this.under?.abort();
    const under = (this.under = new AbortController());
    const { design, span } = this.store;
    const { from, to } = span;
    const bins = barsFor(design, this.store.active, span);
    try {
      const json = { design, bins, from_ms: from, to_ms: to };
      const result = await call("POST", `/api/preview?tab=${TAB}`, { json, signal: under.signal });
      Object.assign(this, { result, duration: design.duration_ms, seed: design.seed ?? 0, error: null, stale: false });
    } catch (error) {
      if (error.name === "AbortError" || error.body?.superseded) return;
      Object.assign(this, { error, stale: false });
      if (error.status === 0) this.retry();
    }
    this.told();
  }

  /** The server may come back. */
  retry() {
    this.timer = setTimeout(() => this.fetch(), 3000);
  }

  told() {
    this.dispatchEvent(new Event("result"));
  }

  onResult(listener) {
    this.addEventListener("result", listener);
  }

  /** What is known of the model `name`, if it is of this design's duration. */
  of(name) {
    if (!this.result || this.duration !== this.store.design.duration_ms) return null;
    return this.result.models.find((model) => model.name === name) ?? null;
  }

  /** Where the first bar begins and how wide each is, in milliseconds. */
  get bins() {
    return { from: this.result.from_ms, width: this.result.bin_ms };
  }

  /** Arrivals in the bar at `t`, and how many milliseconds wide it is. */
  countAt(name, t) {
    const counts = this.of(name)?.bins;
    if (!counts || !this.store.shown.counts) return null;
    const { from, width } = this.bins;
    const count = counts[Math.min(Math.floor((t - from) / width), counts.length - 1)];
    return count === undefined ? null : { count, width };
  }
}

/** As many bars of a part of the time as let each hold some arrivals of the model. */
function barsFor(design, active, { from, to }) {
  const model = design.models[active];
  const until = (t) => area(model.points, model.interpolation, t);
  const requests = until(to) - (from > 0 ? until(from) : 0);
  if (peak(model.points) === 0) return 100;
  return BAR_COUNTS.find((count) => requests / count >= IN_A_BAR) ?? 12;
}
