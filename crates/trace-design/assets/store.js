// What the page shows: the design with its history, and what is looked at.

import { peak } from "./curve.js";
import { changed, complete, MOST_RATE } from "./design.js";
import { History } from "./history.js";
import { niceAbove } from "./number.js";
import { Zoom } from "./zoom.js";

/**
 * The one place where the design changes. What is looked at (`active` model,
 * `selected` point, `tool`, `shown` layers, `zoom`) is not part of the history,
 * save that going back shows the model that was shown.
 */
export class Store extends EventTarget {
  constructor(design) {
    super();
    this.history = new History({ design: complete(design), active: 0 });
    this.selected = null;
    this.tool = "draw";
    this.shown = { arrivals: true, counts: true, others: true };
    this.draft = null;
    this.scheduled = false;
    this.zoom = new Zoom();
  }

  get design() {
    return this.history.state.design;
  }

  get active() {
    return this.history.state.active;
  }

  get model() {
    return this.design.models[this.active];
  }

  /** The part of the time that is shown, {from, to} in milliseconds. */
  get span() {
    return this.zoom.span(this.design.duration_ms);
  }

  /** The selected point, or null. */
  get point() {
    return this.selected === null ? null : (this.model.points[this.selected] ?? null);
  }

  /** `design` is what is drawn now, after a step called `label`. */
  commit(design, label, { kind = null, active = this.active, selected = null } = {}) {
    this.history.push({ design, active: Math.min(active, design.models.length - 1) }, label, kind);
    this.selected = selected;
    this.draft = null;
    if (this.point) this.zoom.reveal(this.point.t_ms, this.design.duration_ms);
    this.changed(true);
  }

  /** Show another part of the time: `change` of the {@link Zoom}, by its arguments. */
  zoomed(change, ...args) {
    this.zoom[change](...args, this.design.duration_ms);
    this.changed(false);
  }

  /**
   * `points` are those of the shown model now. The axis grows for a rate that
   * is above it; no rate changes by that.
   */
  draw(points, label, more) {
    const design = changed(this.design, this.active, { points });
    const highest = peak(points);
    if (highest > design.max_rate) design.max_rate = Math.min(niceAbove(highest), MOST_RATE);
    this.commit(design, `${label} of ${this.model.name}`, more);
  }

  /** A design from a file, the server or another tab. */
  load(design, label) {
    this.commit(complete(design), label, { active: Math.min(this.active, design.models.length - 1) });
  }

  undo() {
    return this.went(this.history.undo());
  }

  redo() {
    return this.went(this.history.redo());
  }

  went(label) {
    if (label === null) return null;
    this.selected = null;
    this.draft = null;
    this.changed(true);
    return label;
  }

  /** Look at another model, point, tool or layers. */
  look({ active, ...rest }) {
    const { selected } = this;
    if (active !== undefined && active !== this.active) {
      this.history.state = { ...this.history.state, active };
      this.selected = null;
      this.draft = null;
    }
    Object.assign(this, rest);
    if (this.point && this.selected !== selected) this.zoom.reveal(this.point.t_ms, this.design.duration_ms);
    this.changed(false);
  }

  /** Tell listeners: "design" at once if it changed, "view" before the next frame. */
  changed(design) {
    if (design) this.dispatchEvent(new Event("design"));
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.dispatchEvent(new Event("view"));
    });
  }

  onDesign(listener) {
    this.addEventListener("design", listener);
  }

  onView(listener) {
    this.addEventListener("view", listener);
  }
}
