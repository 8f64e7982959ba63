// Which part of the time is shown: buttons, a slider, the wheel.

import { byId } from "./dom.js";
import { spokenTime } from "./number.js";

/** Steps of the zoom that a button or a key makes. */
const STEPS = 2;
/** Pixels of the wheel that make one step. */
const STEP_PIXELS = 150;
/** Pixels of a line, for wheels that count lines. */
const LINE_PIXELS = 18;
/** Places of the slider. */
const PLACES = 1000;

/** What makes the plot show less of the time, or more, or another part. */
export class Scope {
  constructor(store, plot) {
    Object.assign(this, { store, plot });
    this.slider = byId("zoom-place");
    this.slider.max = String(PLACES);
    byId("zoom-in").addEventListener("click", () => this.step(1));
    byId("zoom-out").addEventListener("click", () => this.step(-1));
    byId("zoom-whole").addEventListener("click", () => this.whole());
    this.slider.addEventListener("input", () => this.slide());
    plot.element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    store.onView(() => this.show());
    this.show();
  }

  /** Nearer, or with -1 farther; the selected point or the middle stays. */
  step(direction) {
    const { store } = this;
    const { from, to } = store.span;
    const t = store.point?.t_ms;
    const around = t >= from && t <= to ? t : (from + to) / 2;
    store.zoomed("step", direction * STEPS, around);
  }

  whole() {
    this.store.zoomed("whole");
  }

  /** Later by a share of what is shown, or earlier. */
  pan(share) {
    const { from, to } = this.store.span;
    this.store.zoomed("pan", share * (to - from));
  }

  slide() {
    const { from, to } = this.store.span;
    const room = this.store.design.duration_ms - (to - from);
    this.store.zoomed("pan", (Number(this.slider.value) / PLACES) * room - from);
  }

  /** The wheel goes nearer at the cursor; sideways or with Shift it pans. */
  wheel(event) {
    const { store, plot } = this;
    const { frame } = plot;
    const pixels = (delta) => delta * [1, LINE_PIXELS, frame.right - frame.left][event.deltaMode];
    const [x, y] = [pixels(event.deltaX), pixels(event.deltaY)];
    const sideways = event.shiftKey || Math.abs(x) > Math.abs(y);
    const whole = store.zoom.isWhole(store.design.duration_ms);
    // Nothing to do here: the page may scroll.
    if (whole && (sideways || y > 0)) return;
    event.preventDefault();
    if (sideways) this.pan((x || y) / (frame.right - frame.left));
    else store.zoomed("step", -y / STEP_PIXELS, frame.t(plot.place(event).x));
  }

  /** What is shown, in words. */
  words() {
    const { from, to } = this.store.span;
    return `${spokenTime(from)} to ${spokenTime(to)}`;
  }

  show() {
    const { store, slider } = this;
    const { duration_ms } = store.design;
    const { from, to } = store.span;
    const whole = store.zoom.isWhole(duration_ms);
    byId("zoom-out").disabled = whole;
    byId("zoom-whole").disabled = whole;
    slider.disabled = whole;
    slider.value = String(whole ? 0 : Math.round((from / (duration_ms - (to - from))) * PLACES));
    slider.setAttribute("aria-valuetext", this.words());
    slider.dataset.span = `${from} ${to}`;
    slider.title = `Shown: ${this.words()}`;
  }
}
