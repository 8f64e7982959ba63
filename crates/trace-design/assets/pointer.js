// Mouse, pen and finger on the plot: drawing, straight lines, and moving
// single points.

import { deletePoint, insertPoint, movePoint, peak, rateAt, replaceSpan } from "./curve.js";
import { simplified, Stroke, stepped } from "./stroke.js";

/** Pixels that a drawn line may be off what the hand did. */
const TOLERANCE = 1.75;
/** The same for level steps. */
const STEP_TOLERANCE = 6;
/** A stroke that begins or ends this near to the curve meets it. */
const MEETS = 6;
/** How near a press must be to a point, by what presses. */
const REACH = { mouse: 9, pen: 12, touch: 22 };

/** Listens to the plot and changes the store. */
export class Pointer {
  constructor(store, plot) {
    Object.assign(this, { store, plot, stroke: null, held: null, pointer: null });
    const canvas = plot.element;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("pointerleave", () => this.pointer ?? plot.point(null));
    canvas.addEventListener("contextmenu", (event) => this.remove(event));
    canvas.addEventListener("dblclick", (event) => this.remove(event));
  }

  get busy() {
    return this.pointer !== null;
  }

  down(event) {
    if (event.button !== 0 || this.busy) return;
    this.pointer = event.pointerId;
    this.plot.element.setPointerCapture(event.pointerId);
    const place = this.plot.place(event);
    if (this.store.tool === "points") this.grab(place, REACH[event.pointerType] ?? REACH.mouse);
    else {
      this.stroke = { hand: new Stroke(), from: this.within(place), to: this.within(place) };
      this.stroke.hand.add(this.stroke.from.x, this.stroke.from.y);
    }
    this.plot.point(place);
  }

  move(event) {
    const place = this.plot.place(event);
    this.plot.point(place);
    if (event.pointerId !== this.pointer) {
      this.hint(place);
      return;
    }
    if (this.held) this.drag(place);
    if (!this.stroke) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const one of passed.length > 0 ? passed : [event]) this.extend(this.plot.place(one));
    this.store.draft = this.drawn() ?? this.store.model.points;
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    if (this.stroke) {
      this.extend(this.plot.place(event));
      this.finish();
    }
    if (event.pointerType === "touch") this.plot.point(null);
    this.release();
  }

  /** Forget what is under way. */
  cancel() {
    if (this.held?.before) {
      this.store.history.undo();
      this.store.history.future.pop();
      this.store.changed(true);
    }
    this.store.draft = null;
    this.release();
    this.plot.draw();
  }

  release() {
    Object.assign(this, { stroke: null, held: null, pointer: null });
  }

  /** The nearest place within the axes. */
  within({ x, y }) {
    const { frame } = this.plot;
    const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
    return { x: clamp(x, frame.left, frame.right), y: clamp(y, frame.top, frame.bottom) };
  }

  extend(place) {
    const to = this.within(place);
    this.stroke.hand.add(to.x, to.y);
    this.stroke.to = to;
  }

  /** The curve with the stroke in it; null while it is a mere click. */
  drawn() {
    const { hand, from, to } = this.stroke;
    const { model, tool } = this.store;
    const straight = [from, to].sort((a, b) => a.x - b.x);
    if (tool === "line" ? straight[1].x - straight[0].x < 2 : hand.isClick) return null;
    const line = tool === "line" ? straight : hand.line();
    const few =
      model.interpolation === "step" ? stepped(line, tool === "line" ? 1 : STEP_TOLERANCE) : simplified(line, TOLERANCE);
    const { frame } = this.plot;
    const points = few.map(({ x, y }) => ({ t_ms: frame.t(x), rate: frame.rate(y) }));
    if (model.interpolation === "linear") this.meet(points);
    return replaceSpan(model.points, model.interpolation, points);
  }

  /** Let the ends of a stroke meet the curve where they are near it. */
  meet(points) {
    const { model } = this.store;
    if (model.points.length === 0) return;
    const { frame } = this.plot;
    for (const end of [points[0], points.at(-1)]) {
      const rate = rateAt(model.points, model.interpolation, end.t_ms);
      if (Math.abs(frame.y(rate) - frame.y(end.rate)) <= MEETS) end.rate = rate;
    }
  }

  finish() {
    const points = this.drawn();
    if (points) this.store.draw(points, "draw");
    else this.add(this.stroke.to);
  }

  add(place) {
    const { store } = this;
    const { frame } = this.plot;
    const point = { t_ms: frame.t(place.x), rate: frame.rate(place.y) };
    const { points, index } = insertPoint(store.model.points, point);
    this.store.draw(points, "add point", { selected: index });
    return index;
  }

  /** The place of the point of the curve that is nearest, within `reach` pixels. */
  near(place, reach) {
    const { frame } = this.plot;
    let [best, nearest] = [null, reach * reach];
    this.store.model.points.forEach((point, index) => {
      const far = (frame.x(point.t_ms) - place.x) ** 2 + (frame.y(point.rate) - place.y) ** 2;
      if (far <= nearest) [best, nearest] = [index, far];
    });
    return best;
  }

  grab(place, reach) {
    const found = this.near(place, reach);
    if (found === null) {
      this.held = { index: this.add(this.within(place)), kind: `drag ${performance.now()}`, before: true };
      this.store.history.kind = this.held.kind;
    } else {
      this.held = { index: found, kind: `drag ${performance.now()}`, before: false };
      this.store.look({ selected: found });
    }
  }

  drag(place) {
    const { store } = this;
    const { frame } = this.plot;
    const { x, y } = this.within(place);
    const to = { t_ms: frame.t(x), rate: frame.rate(y) };
    const most = Math.max(store.design.max_rate, peak(store.model.points));
    const points = movePoint(store.model.points, this.held.index, to, store.design.duration_ms, most);
    const { history } = store;
    if (this.held.before) history.at = performance.now();
    this.held.before = true;
    this.store.draw(points, "move point", { kind: this.held.kind, selected: this.held.index });
  }

  /** A second click or the other button takes a point away. */
  remove(event) {
    event.preventDefault();
    if (this.store.tool !== "points" && event.type === "dblclick") return;
    const found = this.near(this.plot.place(event), REACH.mouse);
    if (found === null) return;
    this.store.draw(deletePoint(this.store.model.points, found), "delete point");
  }

  /** Show by the cursor what a press would do. */
  hint(place) {
    const grabs = this.store.tool === "points" && this.near(place, REACH.mouse) !== null;
    this.plot.element.classList.toggle("grabs", grabs);
  }
}
