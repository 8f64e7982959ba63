// The keyboard: undo everywhere, points and tools while the plot has the focus.

import { deletePoint, insertPoint, movePoint, rateAt } from "./curve.js";
import { byId } from "./dom.js";
import { niceAbove, rateText, spokenTime } from "./number.js";

const TOOLS = { d: "draw", l: "line", p: "points" };

/** Keys of the plot and of the page. */
export class Keys {
  /** `actions` has undo, redo and save, and the scope of what is shown. */
  constructor(store, plot, pointer, actions) {
    Object.assign(this, { store, plot, pointer, actions });
    this.spoken = byId("spoken");
    plot.element.addEventListener("keydown", (event) => this.onPlot(event));
    document.addEventListener("keydown", (event) => this.onPage(event));
  }

  onPage(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const { target } = event;
    const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    const typing = isField && target.value !== target.defaultValue && !["checkbox", "radio"].includes(target.type);
    if (document.querySelector("dialog[open]")) return;
    if (key === "s") this.take(event, this.actions.save);
    else if (typing) return;
    else if (key === "z" && event.shiftKey) this.take(event, this.actions.redo);
    else if (key === "z") this.take(event, this.actions.undo);
    else if (key === "y") this.take(event, this.actions.redo);
  }

  take(event, action) {
    event.preventDefault();
    action();
  }

  onPlot(event) {
    if (event.ctrlKey || event.metaKey) return;
    const { key } = event;
    const act = {
      ArrowLeft: () => this.move(-1, 0, event),
      ArrowRight: () => this.move(1, 0, event),
      ArrowUp: () => this.move(0, 1, event),
      ArrowDown: () => this.move(0, -1, event),
      PageDown: () => (event.shiftKey ? this.pan(0.5) : this.go(1)),
      PageUp: () => (event.shiftKey ? this.pan(-0.5) : this.go(-1)),
      "+": () => this.zoom(1),
      "=": () => this.zoom(1),
      "-": () => this.zoom(-1),
      0: () => this.whole(),
      ".": () => this.go(1),
      ",": () => this.go(-1),
      Home: () => this.select(0),
      End: () => this.select(this.store.model.points.length - 1),
      Delete: () => this.remove(),
      Backspace: () => this.remove(),
      Enter: () => this.add(),
      Insert: () => this.add(),
      Escape: () => (this.pointer.busy ? this.pointer.cancel() : this.store.look({ selected: null })),
    }[key];
    const tool = TOOLS[key.toLowerCase()];
    if (act) this.take(event, act);
    else if (tool && !event.altKey) this.take(event, () => this.store.look({ tool }));
  }

  select(index) {
    const { points } = this.store.model;
    if (points.length === 0) {
      this.say("no points yet; Enter adds one");
      return;
    }
    this.store.look({ selected: Math.min(Math.max(index, 0), points.length - 1) });
    this.sayPoint();
  }

  go(by) {
    const { selected, model } = this.store;
    if (selected === null) this.select(by > 0 ? 0 : model.points.length - 1);
    else this.select(selected + by);
  }

  zoom(direction) {
    this.actions.scope.step(direction);
    this.sayShown();
  }

  pan(share) {
    this.actions.scope.pan(share);
    this.sayShown();
  }

  whole() {
    this.actions.scope.whole();
    this.sayShown();
  }

  /** One step is about a hundredth of an axis, as it is shown; with Shift ten, with Alt a tenth. */
  move(right, up, event) {
    const { store } = this;
    if (!store.point) {
      this.select(0);
      return;
    }
    const times = event.shiftKey ? 10 : event.altKey ? 0.1 : 1;
    const { duration_ms, max_rate } = store.design;
    const { from: first, to: last } = store.span;
    const to = {
      t_ms: tidy(store.point.t_ms + right * times * niceAbove((last - first) / 120)),
      rate: tidy(store.point.rate + up * times * niceAbove(max_rate / 120)),
    };
    const points = movePoint(store.model.points, store.selected, to, duration_ms, max_rate);
    const { selected } = store;
    store.draw(points, "move point", { kind: `key ${store.active} ${selected}`, selected });
    this.sayPoint();
  }

  add() {
    const { store } = this;
    const { t_ms, rate } = this.next();
    const added = insertPoint(store.model.points, { t_ms: tidy(t_ms), rate: tidy(rate) });
    store.draw(added.points, "add point", { selected: added.index });
    this.sayPoint();
  }

  /**
   * Where a new point goes: halfway from the selected or else the last one to
   * the next one or the end. Where a part is looked at closely and no point is
   * selected, into its middle.
   */
  next() {
    const { store } = this;
    const { points, interpolation } = store.model;
    const { duration_ms, max_rate } = store.design;
    if (!store.point && !store.zoom.isWhole(duration_ms)) {
      const t_ms = (store.span.from + store.span.to) / 2;
      return { t_ms, rate: points.length > 0 ? rateAt(points, interpolation, t_ms) : max_rate / 2 };
    }
    const from = store.point ?? points.at(-1);
    if (!from) return { t_ms: duration_ms / 2, rate: max_rate / 2 };
    const next = store.point ? points[store.selected + 1] : undefined;
    return { t_ms: (from.t_ms + (next?.t_ms ?? duration_ms)) / 2, rate: (from.rate + (next?.rate ?? from.rate)) / 2 };
  }

  remove() {
    const { store } = this;
    if (!store.point) return;
    const { selected } = store;
    const points = deletePoint(store.model.points, selected);
    store.draw(points, "delete point", { selected: points.length > 0 ? Math.min(selected, points.length - 1) : null });
    this.say(`point deleted, ${points.length} left`);
  }

  sayPoint() {
    const { store } = this;
    const { point, selected, model } = store;
    if (point) {
      const place = `point ${selected + 1} of ${model.points.length}`;
      this.say(`${place}: ${spokenTime(point.t_ms)}, ${rateText(point.rate)} requests per second`);
    }
  }

  sayShown() {
    this.say(`shown: ${this.actions.scope.words()}`);
  }

  say(text) {
    this.spoken.textContent = text;
  }
}

function tidy(number) {
  return Number(number.toPrecision(9));
}
