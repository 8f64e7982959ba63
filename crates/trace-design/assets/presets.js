// The dialog that puts a ready shape into the curve.

import { call } from "./api.js";
import { tellError } from "./ask.js";
import { Canvas } from "./canvas.js";
import { asLines, asSteps, peak, replaceSpan, round } from "./curve.js";
import { byId, complain, make } from "./dom.js";
import { changed } from "./design.js";
import { axes, curve, inside, themeOf } from "./layers.js";
import { durationText, niceAbove, parseRate, parseTime, rateText, spokenTime } from "./number.js";
import { Frame } from "./scale.js";
import { simplified } from "./stroke.js";
import { SHAPES } from "./shapes.js";

/** Share of the highest rate that a pattern of few points may be off. */
const TOLERANCE = 0.005;
const MARGIN = { left: 58, right: 12, top: 8, bottom: 40 };

/** Chooses a shape, shows it, and draws it into the shown model's curve. */
export class Presets {
  constructor(store) {
    this.store = store;
    this.dialog = byId("presets");
    this.kind = byId("preset-kind");
    this.fields = {};
    for (const name of ["low", "high", "cycles", "from", "to"]) {
      this.fields[name] = byId(`preset-${name}`);
      this.fields[name].addEventListener("input", () => this.refresh());
    }
    for (const [value, { name }] of Object.entries(SHAPES)) this.kind.append(make("option", { value, text: name }));
    this.kind.addEventListener("change", () => this.refresh());
    this.canvas = new Canvas(byId("preset-plot"), (ctx, width, height) => this.paint(ctx, width, height));
    byId("open-presets").addEventListener("click", () => this.open());
    byId("preset-form").addEventListener("submit", (event) => this.apply(event));
  }

  open() {
    const { design, model } = this.store;
    byId("preset-of").textContent = model.name;
    const { low, high, from, to } = this.fields;
    const top = design.max_rate * 0.8;
    if (high.value === "" || parseRate(high.value) > design.max_rate) high.value = rateText(top);
    if (low.value === "" || parseRate(low.value) > design.max_rate) low.value = rateText(top / 4);
    from.value = "0s";
    to.value = durationText(design.duration_ms);
    this.dialog.showModal();
    this.refresh();
  }

  /** What is typed, or null after saying what is wrong. */
  typed() {
    const { fields } = SHAPES[this.kind.value];
    const values = {};
    for (const [name, field] of Object.entries(this.fields)) {
      const used = name === "from" || name === "to" || fields.includes(name);
      field.closest("label").hidden = !used;
      if (!used) {
        complain(field, null);
        continue;
      }
      values[name] = name === "from" || name === "to" ? parseTime(field.value) : parseRate(field.value);
    }
    const reasons = {
      from: values.from === null || values.from >= this.store.design.duration_ms ? "a time before the end" : null,
      to: values.to === null || values.to <= values.from ? "a time after the beginning of the shape" : null,
      cycles: values.cycles === null || values.cycles > 500 || values.cycles === 0 ? "a number up to 500" : null,
    };
    if (values.to > this.store.design.duration_ms) {
      reasons.to = `the traffic ends at ${spokenTime(this.store.design.duration_ms)}`;
    }
    for (const name of ["low", "high"]) {
      if (values[name] === null) reasons[name] = "requests per second";
    }
    for (const [name, field] of Object.entries(this.fields)) complain(field, name in values ? (reasons[name] ?? null) : null);
    return Object.keys(values).some((name) => reasons[name]) ? null : values;
  }

  async refresh() {
    const values = this.typed();
    byId("preset-apply").disabled = true;
    this.made = null;
    const asked = (this.asked = Symbol("newest"));
    if (!values) return this.canvas.draw();
    try {
      const made = await this.make(values);
      if (asked !== this.asked) return;
      this.made = made;
      byId("preset-apply").disabled = false;
    } catch (error) {
      if (asked === this.asked) tellError(error);
    }
    this.canvas.draw();
  }

  /** {points, interpolation} of the shape. */
  async make(values) {
    const kind = this.kind.value;
    const shape = SHAPES[kind];
    const { interpolation, points: drawn } = this.store.model;
    if (!shape.pattern) {
      const points = shape.points(values);
      const steps = Math.min(shape.steps?.(values) ?? 24, 2000);
      return { points: interpolation === "step" ? asSteps(points, steps) : points, interpolation };
    }
    const { from, to, high } = values;
    const json = { kind, duration_ms: to - from, max_rate: high };
    const answer = await call("POST", "/api/preset", { json });
    const line = answer.points.map(({ t_ms, rate }) => ({ x: Math.min(t_ms + from, to), y: rate }));
    const few = answer.interpolation === "linear" ? simplified(line, high * TOLERANCE) : line;
    const points = few.map(({ x, y }) => ({ t_ms: round(x, 3), rate: round(y, 6) }));
    const rest = drawn.some((point) => point.t_ms < from || point.t_ms > to);
    if (!rest || interpolation === answer.interpolation) return { points, interpolation: answer.interpolation };
    return { points: interpolation === "linear" ? asLines(points) : asSteps(points, 240), interpolation };
  }

  paint(ctx, width, height) {
    if (!this.made) return;
    const { design, model } = this.store;
    const { points, interpolation } = this.made;
    const most = Math.max(design.max_rate, peak(points));
    const frame = new Frame(width, height, { from: 0, to: design.duration_ms }, most, MARGIN);
    axes(ctx, frame, themeOf(this.dialog));
    inside(ctx, frame, () => {
      curve(ctx, frame, model.points, model.interpolation, { color: model.color, width: 1.5, alpha: 0.4, dash: [4, 3] });
      ctx.save();
      ctx.beginPath();
      ctx.rect(frame.x(points[0].t_ms), 0, frame.x(points.at(-1).t_ms) - frame.x(points[0].t_ms), height);
      ctx.clip();
      curve(ctx, frame, points, interpolation, { color: model.color, width: 2.5 });
      ctx.restore();
    });
  }

  apply(event) {
    event.preventDefault();
    if (!this.made) return;
    const { store } = this;
    const { points: shape, interpolation } = this.made;
    const points = replaceSpan(store.model.points, interpolation, shape);
    const design = changed(store.design, store.active, { points, interpolation });
    if (peak(points) > design.max_rate) design.max_rate = niceAbove(peak(points));
    const { name } = SHAPES[this.kind.value];
    store.commit(design, `preset ${name.toLowerCase()} of ${store.model.name}`);
    this.dialog.close();
  }
}
