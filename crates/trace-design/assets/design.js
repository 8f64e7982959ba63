// The design: a curve file with what the page adds to it (max_rate, seed, a
// colour for each model). Fields that are not ours stay as they are. Nothing
// here changes its arguments.

import { cutAt, louder, lowered, peak, sorted, stretched } from "./curve.js";
import { niceAbove } from "./number.js";

/** Colours of models, which stand out on white and on black. */
const PALETTE = [
  "#2f7de1", "#e2552d", "#12a08a", "#b03fc0", "#d99a00",
  "#7a5cd6", "#55a32a", "#d8457f", "#0aa2c9", "#99705c",
  "#8c8f1f", "#4458c9", "#c9742f", "#6b8593", "#2f9e5f", "#a8477a",
];

/** Requests per second at most. */
export const MOST_RATE = 1e9;
/** The longest traffic: a century, in milliseconds. */
export const MOST_MS = 3.2e12;

/** `design`, with whatever the page needs and it does not say. */
export function complete(design) {
  const models = design.models.map((model, i) => ({
    ...model,
    color: isColor(model.color) ? model.color : PALETTE[i % PALETTE.length],
    points: sorted(model.points),
  }));
  if (models.length === 0) models.push(newModel([]));
  const highest = Math.max(...models.map((model) => peak(model.points)));
  const said = Number(design.max_rate);
  const axis = Number.isFinite(said) && said > 0 && said <= MOST_RATE ? said : niceAbove(highest * 1.1 || 100);
  return { ...design, models, max_rate: Math.max(axis, highest) };
}

function isColor(text) {
  return typeof text === "string" && /^#[0-9a-f]{6}$/i.test(text);
}

function newModel(models) {
  const taken = new Set(models.map((model) => model.name));
  let number = models.length + 1;
  while (taken.has(`model-${number}`)) number += 1;
  const used = new Set(models.map((model) => model.color));
  const color = PALETTE.find((free) => !used.has(free)) ?? PALETTE[models.length % PALETTE.length];
  return { name: `model-${number}`, color, interpolation: "linear", points: [] };
}

/** The design with one more model, without a curve. */
export function withModel(design) {
  return { ...design, models: [...design.models, newModel(design.models)] };
}

/** The design with a copy of the model at `index` behind it. */
export function withCopy(design, index) {
  const made = newModel(design.models);
  let name = `${design.models[index].name} copy`;
  for (let n = 2; design.models.some((model) => model.name === name); n += 1) {
    name = `${design.models[index].name} copy ${n}`;
  }
  const copy = { ...design.models[index], name, color: made.color };
  const models = [...design.models];
  models.splice(index + 1, 0, copy);
  return { ...design, models };
}

/** The design without the model at `index`; the last one stays. */
export function withoutModel(design, index) {
  if (design.models.length === 1) return design;
  return { ...design, models: design.models.filter((_, i) => i !== index) };
}

/** The design with `change` in the model at `index`; undefined takes a field away. */
export function changed(design, index, change) {
  const models = design.models.map((model, i) => {
    if (i !== index) return model;
    const next = { ...model, ...change };
    for (const [field, value] of Object.entries(change)) {
      if (value === undefined) delete next[field];
    }
    return next;
  });
  return { ...design, models };
}

/** Why the model at `index` cannot be called `name`; null if it can. */
export function nameProblem(design, index, name) {
  if (name.trim() === "") return "a model needs a name";
  const same = design.models.some((model, i) => i !== index && model.name === name);
  return same ? "another model has this name" : null;
}

/** The highest rate of all models. */
export function highest(design) {
  return Math.max(...design.models.map((model) => peak(model.points)));
}

/** Whether any model has a curve above 0. */
export function isDrawn(design) {
  return highest(design) > 0;
}

/**
 * The design with another duration. With "stretch" curves take as much longer
 * or shorter; with "keep" points keep their times, and what lies behind a new
 * end is cut off.
 */
export function withDuration(design, duration_ms, how) {
  const models = design.models.map((model) => ({
    ...model,
    points:
      how === "stretch"
        ? stretched(model.points, duration_ms / design.duration_ms).map((point) => ({
            ...point,
            t_ms: Math.min(point.t_ms, duration_ms),
          }))
        : cutAt(model.points, model.interpolation, duration_ms),
  }));
  return { ...design, duration_ms, models };
}

/**
 * The design with another highest rate. With "stretch" rates grow or shrink
 * alike; with "keep" they stay, and those above the new one are lowered to it.
 */
export function withMaxRate(design, max_rate, how) {
  const factor = max_rate / design.max_rate;
  const points = (model) => (how === "stretch" ? louder(model.points, factor) : model.points);
  const models = design.models.map((model) => ({ ...model, points: lowered(points(model), max_rate) }));
  return { ...design, max_rate, models };
}

/** Points that a duration or highest rate would cut: those beyond it. */
export function beyond(design, duration_ms, max_rate) {
  const out = (point) => point.t_ms > duration_ms || point.rate > max_rate;
  return design.models.reduce((sum, model) => sum + model.points.filter(out).length, 0);
}

/** Whether two designs say the same. */
export function same(a, b) {
  return a === b || canonical(a) === canonical(b);
}

/** JSON with every object's fields in order of name. */
function canonical(value) {
  return JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
