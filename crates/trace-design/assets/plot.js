// The plot: axes, what will arrive, every model's curve, and what the mouse
// or the arrow keys are at.

import { Canvas } from "./canvas.js";
import { rateAt } from "./curve.js";
import { byId } from "./dom.js";
import { axes, bars, cross, curve, dots, inside, rug, staircase, themeOf } from "./layers.js";
import { countText, rateText, spokenTime } from "./number.js";
import { Frame } from "./scale.js";

const MARGIN = { left: 62, right: 14, top: 12, bottom: 44 };

/** The picture of the design, and where its pixels are in time and rate. */
export class Plot {
  /** `preview` and `underlay` say what else is to be shown. */
  constructor(store, preview, underlay) {
    Object.assign(this, { store, preview, underlay });
    this.hover = null;
    this.element = byId("plot");
    this.readout = byId("readout");
    this.canvas = new Canvas(this.element, (ctx) => this.paint(ctx));
    store.onView(() => this.draw());
    preview.onResult(() => this.draw());
    underlay.onChange(() => this.draw());
  }

  /** Where times and rates are now, also before the next painting. */
  get frame() {
    const { element, store } = this;
    return new Frame(element.clientWidth, element.clientHeight, store.span, store.design.max_rate, MARGIN);
  }

  draw() {
    this.canvas.draw();
  }

  /** The hand is at this point of the canvas, or with null gone. */
  point(place) {
    this.hover = place;
    this.draw();
  }

  /** Where on the canvas a pointer is. */
  place(event) {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  paint(ctx) {
    const { store, frame } = this;
    const { design, model } = store;
    const theme = themeOf(this.element);
    const points = store.draft ?? model.points;
    axes(ctx, frame, theme);
    inside(ctx, frame, () => {
      this.paintUnderlay(ctx, frame, theme);
      const found = this.preview.of(model.name);
      if (found && store.shown.counts && !store.draft) bars(ctx, frame, found.bins, { ...this.preview.bins, color: model.color });
      if (store.shown.others) {
        design.models.forEach((other, i) => {
          if (i === store.active) return;
          curve(ctx, frame, other.points, other.interpolation, { color: other.color, width: 1.75, alpha: 0.75 });
        });
      }
      if (found && store.shown.arrivals && !store.draft) rug(ctx, frame, found.arrivals, theme.text);
      curve(ctx, frame, points, model.interpolation, { color: model.color, width: 2.75 });
    });
    if (!store.draft) {
      const around = store.tool === "points";
      dots(ctx, frame, points, { color: model.color, selected: store.point, around }, theme);
    }
    if (this.hover) cross(ctx, frame, this.hover, theme);
    this.tell(frame, points);
  }

  paintUnderlay(ctx, frame, theme) {
    const { duration_ms } = this.store.design;
    const under = this.underlay.shownOn(duration_ms);
    if (!under) return;
    staircase(ctx, frame, under.rates, under.bin_ms, { end: duration_ms, color: theme.muted, fill: theme.muted, dash: [5, 3] });
  }

  /** What is at the cross, or else at the selected point, in words. */
  tell(frame, points) {
    const { store } = this;
    const parts = [];
    if (this.hover) {
      const t = frame.t(this.hover.x);
      parts.push(spokenTime(t));
      if (this.hover.y !== null) parts.push(`cursor ${rateText(frame.rate(this.hover.y))} req/s`);
      parts.push(`${store.model.name}: ${rateText(round(rateAt(points, store.model.interpolation, t)))} req/s`);
      const arrivals = this.preview.countAt(store.model.name, t);
      if (arrivals) parts.push(`${countText(arrivals.count)} arrivals in ${spokenTime(arrivals.width)}`);
    } else if (store.point) {
      parts.push(`point ${store.selected + 1} of ${points.length}`);
      parts.push(spokenTime(store.point.t_ms), `${rateText(store.point.rate)} req/s`);
    }
    this.readout.textContent = parts.join("  ·  ");
  }
}

function round(rate) {
  return Number(rate.toPrecision(4));
}
