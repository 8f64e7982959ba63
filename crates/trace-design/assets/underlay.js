// The rate of a real trace below the curves, to trace over.

import { call, run } from "./api.js";
import { tell, tellError } from "./ask.js";
import { byId, complain, make, onTyped } from "./dom.js";
import { withDuration } from "./design.js";
import { countText, rateText, spokenTime } from "./number.js";
import { simplified, stepped } from "./stroke.js";

const BINS = 400;
const KEY = `trace-design.underlay.${run}`;
/** Share of the highest rate that a traced line may be off. */
const TOLERANCE = 0.03;

/** What lies below the curves, and the dialog about it. */
export class Underlay extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.trace = null;
    this.which = "all";
    this.factor = 1;
    this.stretch = false;
    this.dialog = byId("underlay");
    byId("open-underlay").addEventListener("click", () => this.dialog.showModal());
    byId("underlay-file").addEventListener("change", (event) => this.read(event.target));
    byId("underlay-model").addEventListener("change", (event) => this.set({ which: event.target.value }));
    byId("underlay-stretch").addEventListener("change", (event) => this.set({ stretch: event.target.checked }));
    onTyped(byId("underlay-factor"), (text) => this.setFactor(text));
    byId("underlay-duration").addEventListener("click", () => this.takeDuration());
    byId("underlay-trace").addEventListener("click", () => this.traceOver());
    byId("underlay-remove").addEventListener("click", () => this.set({ trace: null }));
    this.restore();
    this.show();
  }

  async read(input) {
    const [file] = input.files;
    if (!file) return;
    const about = byId("underlay-about");
    about.textContent = `reading ${file.name}…`;
    try {
      const path = `/api/underlay?bins=${BINS}&name=${encodeURIComponent(file.name)}`;
      const trace = await call("POST", path, { body: file });
      this.set({ trace: { ...trace, file: file.name }, which: "all" });
    } catch (error) {
      this.show();
      complain(input, error.message);
      return;
    } finally {
      input.value = "";
    }
    complain(input, null);
    tell(`${file.name} lies below the curves`);
  }

  set(change) {
    Object.assign(this, change);
    this.keep();
    this.show();
    this.dispatchEvent(new Event("change"));
  }

  onChange(listener) {
    this.addEventListener("change", listener);
  }

  setFactor(text) {
    const field = byId("underlay-factor");
    const factor = Number(text.trim() || NaN);
    const possible = Number.isFinite(factor) && factor > 0 && factor <= 1e6;
    complain(field, possible ? null : "a factor is a number above 0");
    if (!possible) return;
    field.defaultValue = field.value;
    this.set({ factor });
  }

  /** Rates by part of the trace: of one of its models, or of all together. */
  rates() {
    const { models } = this.trace;
    const chosen = this.which === "all" ? models : models.filter((_, i) => String(i) === this.which);
    const parts = Math.max(...chosen.map((model) => model.rates.length), 0);
    const sum = (i) => chosen.reduce((total, model) => total + (model.rates[i] ?? 0), 0);
    return Array.from({ length: parts }, (_, i) => sum(i) * this.factor);
  }

  /** What to paint on a plot of so many milliseconds; null for nothing. */
  shownOn(duration) {
    if (!this.trace) return null;
    const squeeze = this.stretch && this.trace.duration_ms > 0 ? duration / this.trace.duration_ms : 1;
    return { rates: this.rates(), bin_ms: this.trace.bin_ms * squeeze };
  }

  show() {
    const { trace } = this;
    byId("underlay-settings").hidden = !trace;
    byId("open-underlay").classList.toggle("on", Boolean(trace));
    if (!trace) {
      byId("underlay-about").textContent = "none yet";
      return;
    }
    const highest = Math.max(0, ...this.rates());
    const counted = typeof trace.requests === "number" ? `${countText(trace.requests)} requests, ` : "";
    byId("underlay-about").textContent =
      `${trace.file}: ${counted}${spokenTime(trace.duration_ms)}, at most ${rateText(Number(highest.toPrecision(3)))} req/s`;
    const select = byId("underlay-model");
    const options = trace.models.map((model, i) => make("option", { value: String(i), text: model.name ?? "without a model" }));
    select.replaceChildren(make("option", { value: "all", text: "all together" }), ...options);
    select.value = this.which;
    byId("underlay-stretch").checked = this.stretch;
    const field = byId("underlay-factor");
    if (field !== document.activeElement) field.value = field.defaultValue = String(this.factor);
  }

  /** The design gets the trace's duration; what is drawn keeps its times. */
  takeDuration() {
    const ms = Math.max(1, Math.ceil(this.trace.duration_ms));
    this.store.commit(withDuration(this.store.design, ms, "keep"), `duration of ${this.trace.file}`);
  }

  /** Make the shown model's curve of it, in few points. */
  traceOver() {
    const { store } = this;
    const { duration_ms } = store.design;
    const { rates, bin_ms } = this.shownOn(duration_ms);
    const highest = Math.max(0, ...rates);
    if (highest === 0) {
      tellError(new Error("the trace has no requests to trace over"));
      return;
    }
    const middle = store.model.interpolation === "step" ? 0 : bin_ms / 2;
    const line = rates.map((rate, i) => ({ x: i * bin_ms + middle, y: rate })).filter(({ x }) => x <= duration_ms);
    if (middle === 0) line.push({ x: Math.min(rates.length * bin_ms, duration_ms), y: line.at(-1).y });
    const tolerance = highest * TOLERANCE;
    const few = middle === 0 ? stepped(line, tolerance) : simplified(line, tolerance);
    const points = few.map(({ x, y }) => ({ t_ms: Number(x.toFixed(3)), rate: Number(y.toPrecision(6)) }));
    store.draw(points, `trace of ${this.trace.file} as curve`);
    this.dialog.close();
  }

  /** A reload finds it again. */
  keep() {
    const { trace, which, factor, stretch } = this;
    try {
      if (trace) sessionStorage.setItem(KEY, JSON.stringify({ trace, which, factor, stretch }));
      else sessionStorage.removeItem(KEY);
    } catch {
      // Too large or forbidden: it can be read from its file again.
    }
  }

  restore() {
    try {
      Object.assign(this, JSON.parse(sessionStorage.getItem(KEY) ?? "{}"));
    } catch {
      this.trace = null;
    }
  }
}
