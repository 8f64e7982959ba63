// How much all of it is: requests, tokens and rates, by model and together.

import { byId, make } from "./dom.js";
import { countText, rateText, short, spokenTime } from "./number.js";

const COLUMNS = [
  ["requests", "Requests", countText],
  ["input_tokens", "Input tokens", short],
  ["output_tokens", "Output tokens", short],
  ["peak", "Peak req/s", rounded],
  ["mean", "Mean req/s", rounded],
];

function rounded(rate) {
  return rateText(Number(rate.toPrecision(4)));
}

/** The table below the plot. */
export class Totals {
  constructor(store, preview) {
    Object.assign(this, { store, preview });
    this.body = byId("totals-body");
    this.foot = byId("totals-foot");
    this.note = byId("totals-note");
    preview.onResult(() => this.show());
    store.onView(() => this.show());
    this.show();
  }

  show() {
    const { result, error, stale } = this.preview;
    const panel = byId("totals");
    panel.setAttribute("aria-busy", String(stale));
    panel.classList.toggle("stale", stale);
    this.note.classList.toggle("error", Boolean(error));
    this.note.textContent = error ? error.message : this.words(result);
    // A row for every model at once, whatever is known of it: rows that come
    // late would move the plot below a hand that draws.
    const known = new Map((result?.models ?? []).map((model) => [model.name, model]));
    const { models } = this.store.design;
    const about = result?.estimated ? "≈ " : "";
    this.body.replaceChildren(...models.map(({ name, color }) => row(known.get(name) ?? {}, name, color, about)));
    this.foot.replaceChildren(row(result?.total ?? {}, "Total", null, about));
  }

  /** What the numbers are. */
  words(result) {
    if (!result) return "";
    const { models } = this.store.design;
    const counted = result.estimated
      ? `estimated from the area below the curves, as more than ${short(result.most_counted)} requests are not counted one by one`
      : `exactly what trace-synth makes with seed ${this.preview.seed}`;
    const width = `; bars count ${spokenTime(result.bin_ms)} each`;
    return `${models.length === 1 ? "1 model" : `${models.length} models`}, ${counted}${width}`;
  }
}

function row(numbers, name, color, about) {
  const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
  if (color) swatch.style.backgroundColor = color;
  const cells = COLUMNS.map(([field, , text]) => {
    const value = numbers[field];
    const known = typeof value === "number";
    // The peak is what is drawn, and so is never a guess.
    const guess = field === "peak" ? "" : about;
    return make("td", {
      text: known ? `${guess}${(guess ? short : text)(value)}` : "–",
      title: known ? String(value) : null,
      "data-field": field,
      "data-value": known ? value : null,
    });
  });
  return make("tr", { "data-model": name }, make("th", { scope: "row" }, color ? swatch : null, make("span", { text: name })), ...cells);
}

/** The heads of the columns, which index.html leaves to us. */
export function heads() {
  return COLUMNS.map(([, text]) => make("th", { scope: "col", text }));
}
