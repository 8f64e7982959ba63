// How long and how high: the duration, the highest rate, the seed, and what
// the rate is between points. Nothing is rescaled without a question.

import { ask } from "./ask.js";
import { byId, complain, onTyped, setValue, settle } from "./dom.js";
import { beyond, changed, highest, isDrawn, MOST_MS, MOST_RATE, withDuration, withMaxRate } from "./design.js";
import { durationText, parseRate, parseSeed, parseTime, rateText, spokenTime, trimmed } from "./number.js";

/** The fields above the plot. */
export class Extent {
  constructor(store) {
    this.store = store;
    this.duration = byId("duration");
    this.maxRate = byId("max-rate");
    this.seed = byId("seed");
    onTyped(this.duration, (text) => this.setDuration(text));
    onTyped(this.maxRate, (text) => this.setMaxRate(text));
    onTyped(this.seed, (text) => this.setSeed(text));
    for (const radio of document.getElementsByName("interpolation")) {
      radio.addEventListener("change", () => this.setInterpolation(radio.value));
    }
    store.onView(() => this.show());
    this.show();
  }

  show() {
    const { design, model } = this.store;
    setValue(this.duration, durationText(design.duration_ms));
    setValue(this.maxRate, rateText(design.max_rate));
    setValue(this.seed, design.seed ?? 0);
    for (const radio of document.getElementsByName("interpolation")) {
      radio.checked = radio.value === model.interpolation;
    }
  }

  async setDuration(text) {
    const { store } = this;
    const ms = parseTime(text);
    if (ms === null || ms < 1 || ms > MOST_MS) {
      complain(this.duration, "a duration is such as 90s, 10m, 1h30m or 1:30:00");
      return;
    }
    const before = store.design.duration_ms;
    settle(this.duration, durationText(ms));
    if (ms === before) return;
    const times = trimmed(ms / before, 4);
    const lost = beyond(store.design, ms, Infinity);
    const cut = lost === 0 ? "points keep their times" : `points keep their times; what is after ${spokenTime(ms)} is cut off (${lost} of them)`;
    const how = !isDrawn(store.design)
      ? "keep"
      : await ask("Another duration", `From ${spokenTime(before)} to ${spokenTime(ms)}. What shall become of the curves?`, [
          { value: "keep", text: "Keep times", note: cut, main: true },
          { value: "stretch", text: "Stretch", note: `all times × ${times}` },
        ]);
    if (!how) return this.back(this.duration, durationText(before));
    store.commit(withDuration(store.design, ms, how), "change duration");
  }

  async setMaxRate(text) {
    const { store } = this;
    const rate = parseRate(text);
    if (rate === null || rate <= 0 || rate > MOST_RATE) {
      complain(this.maxRate, "a rate is a number of requests per second above 0, or such as 300/min");
      return;
    }
    const before = store.design.max_rate;
    settle(this.maxRate, rateText(rate));
    if (rate === before) return;
    const times = trimmed(rate / before, 4);
    const lost = beyond(store.design, Infinity, rate);
    const cut = lost === 0 ? "rates stay as they are; only the axis changes" : `rates stay, but those above ${rateText(rate)} are lowered to it (${lost} points)`;
    const how = !isDrawn(store.design)
      ? "keep"
      : await ask("Another highest rate", `From ${rateText(before)} to ${rateText(rate)} requests/s; the highest point is at ${rateText(highest(store.design))}. What shall become of the curves?`, [
          { value: "keep", text: "Keep rates", note: cut, main: true },
          { value: "stretch", text: "Stretch", note: `all rates × ${times}` },
        ]);
    if (!how) return this.back(this.maxRate, rateText(before));
    store.commit(withMaxRate(store.design, rate, how), "change highest rate");
  }

  back(field, text) {
    settle(field, text);
    field.focus();
  }

  setSeed(text) {
    const { store } = this;
    const seed = parseSeed(text);
    if (seed === null) {
      complain(this.seed, "a seed is a whole number from 0 to 2^64 − 1");
      return;
    }
    settle(this.seed, seed);
    if (seed === (store.design.seed ?? 0)) return;
    store.commit({ ...store.design, seed }, "change seed", { selected: store.selected });
  }

  setInterpolation(interpolation) {
    const { store } = this;
    if (store.model.interpolation === interpolation) return;
    const design = changed(store.design, store.active, { interpolation });
    store.commit(design, `make ${store.model.name} ${interpolation}`, { selected: store.selected });
  }
}
