// What trace-synth would make of the design, asked for after every change.

import { call } from "./api.js";
import { area, peak } from "./curve.js";
import { unique } from "./dom.js";

/** Milliseconds of quiet before the server is asked. */
const QUIET_MS = 120;
/** What the server tells tabs apart by, to give up what a newer question replaces. */
const TAB = unique();
/** Arrivals of a model that are shown. */
const ARRIVALS = 2000;
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
    this.ask();
  }

  ask() {
    if (this.asked === this.store.design) return;
    this.asked = this.store.design;
    this.stale = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), QUIET_MS);
    this.told();
  }

  async fetch() {
    this.under?.abort();
    const under = (this.under = new AbortController());
    const { design } = this.store;
    const bins = barsFor(design, this.store.active);
    try {
      const json = { design, bins, arrivals: ARRIVALS };
      const result = await call("POST", `/api/preview?tab=${TAB}`, { json, signal: under.signal });
      Object.assign(this, { result, duration: design.duration_ms, error: null, stale: false });
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

  /** Arrivals in the bar at `t`, and how many milliseconds wide it is. */
  countAt(name, t) {
    const bins = this.of(name)?.bins;
    if (!bins || bins.length === 0 || !this.store.shown.counts) return null;
    const width = this.duration / bins.length;
    return { count: bins[Math.min(Math.floor(t / width), bins.length - 1)], width };
  }
}

/** As many bars as let each hold some arrivals of the model. */
function barsFor(design, active) {
  const model = design.models[active];
  const requests = area(model.points, model.interpolation, design.duration_ms);
  if (peak(model.points) === 0) return 100;
  return BAR_COUNTS.find((count) => requests / count >= IN_A_BAR) ?? 12;
}
