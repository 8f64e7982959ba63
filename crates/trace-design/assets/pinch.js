// Two fingers on the plot: nearer and farther, earlier and later.

/** Turns two touches into a span of time; one touch alone draws. */
export class Pinch {
  /** To be made before `pointer`, which hears of no finger that pinches. */
  constructor(store, plot) {
    Object.assign(this, { store, plot, fingers: new Map(), start: null, pointer: null });
    const canvas = plot.element;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
  }

  down(event) {
    if (event.pointerType !== "touch") return;
    if (this.fingers.size < 2) this.fingers.set(event.pointerId, this.plot.place(event));
    if (this.fingers.size < 2) return;
    event.stopImmediatePropagation();
    this.plot.element.setPointerCapture(event.pointerId);
    if (this.start) return;
    // What the first finger began to draw was no stroke.
    this.pointer.cancel();
    this.plot.point(null);
    const { frame } = this.plot;
    const { middle, apart } = this.pair();
    this.start = { apart, around: frame.t(middle), length: frame.span };
  }

  move(event) {
    if (!this.fingers.has(event.pointerId)) return;
    this.fingers.set(event.pointerId, this.plot.place(event));
    if (!this.start) return;
    event.stopImmediatePropagation();
    if (this.fingers.size < 2) return;
    const { frame } = this.plot;
    const { middle, apart } = this.pair();
    const { around, length } = this.start;
    const span = (length * this.start.apart) / apart;
    const from = around - ((middle - frame.left) / (frame.right - frame.left)) * span;
    this.store.zoomed("show", from, from + span);
  }

  up(event) {
    if (!this.fingers.delete(event.pointerId) || !this.start) return;
    event.stopImmediatePropagation();
    // The finger that is lifted last draws nothing on its way.
    if (this.fingers.size === 0) this.start = null;
  }

  /** The middle of both fingers, and how far apart they are, in pixels. */
  pair() {
    const [a, b] = [...this.fingers.values()];
    return { middle: (a.x + b.x) / 2, apart: Math.max(Math.hypot(a.x - b.x, a.y - b.y), 20) };
  }
}
