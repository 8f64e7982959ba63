// The points of the curve as a table, to be typed exactly.

import { deletePoint, insertPoint, sorted } from "./curve.js";
import { byId, complain, make, onTyped, setValue, settle } from "./dom.js";
import { MOST_RATE } from "./design.js";
import { parseRate, parseTime, rateText, seconds, spokenTime } from "./number.js";

/** Rows shown at a time. */
const SHOWN = 200;

/** The table of the shown model's points. */
export class Points {
  constructor(store) {
    this.store = store;
    this.body = byId("points-body");
    this.rows = [];
    this.first = 0;
    this.newTime = byId("new-time");
    this.newRate = byId("new-rate");
    byId("add-point").addEventListener("submit", (event) => this.add(event));
    byId("points-before").addEventListener("click", () => this.turn(-SHOWN));
    byId("points-after").addEventListener("click", () => this.turn(SHOWN));
    byId("clear-points").addEventListener("click", () => this.put([], "clear curve"));
    store.onView(() => this.show());
    this.show();
  }

  turn(by) {
    this.first += by;
    this.store.look({ selected: null });
  }

  show() {
    const { points, name } = this.store.model;
    const { selected } = this.store;
    byId("points-of").textContent = name;
    byId("points-count").textContent = points.length === 1 ? "1 point" : `${points.length} points`;
    byId("clear-points").disabled = points.length === 0;
    if (selected !== null && (selected < this.first || selected >= this.first + SHOWN)) {
      this.first = selected - SHOWN / 2;
    }
    this.first = Math.max(0, Math.min(this.first, points.length - SHOWN));
    const last = Math.min(this.first + SHOWN, points.length);
    byId("points-pages").hidden = points.length <= SHOWN;
    byId("points-range").textContent = `${this.first + 1} to ${last}`;
    byId("points-before").disabled = this.first === 0;
    byId("points-after").disabled = last === points.length;
    this.resize(last - this.first);
    this.rows.forEach((row, i) => this.fill(row, points[this.first + i], this.first + i));
  }

  resize(count) {
    while (this.rows.length > count) this.rows.pop().item.remove();
    while (this.rows.length < count) {
      const row = this.row(this.rows.length);
      this.rows.push(row);
      this.body.append(row.item);
    }
  }

  row(place) {
    const index = () => this.first + place;
    const field = (kind) => make("input", { type: "text", inputmode: "decimal", autocomplete: "off", class: kind });
    const number = make("th", { scope: "row" });
    const [time, rate] = [field("time"), field("rate")];
    onTyped(time, (text) => this.retime(index(), time, text));
    onTyped(rate, (text) => this.rerate(index(), rate, text));
    const remove = make("button", { type: "button", class: "quiet", text: "×", on: { click: () => this.remove(index()) } });
    const item = make("tr", {}, number, make("td", { "data-errors": "inside" }, time), make("td", { "data-errors": "inside" }, rate), make("td", {}, remove));
    item.addEventListener("focusin", () => this.store.selected === index() || this.store.look({ selected: index() }));
    return { item, number, time, rate, remove };
  }

  fill({ item, number, time, rate, remove }, point, index) {
    const selected = index === this.store.selected;
    if (selected && !item.classList.contains("selected")) item.scrollIntoView({ block: "nearest" });
    item.classList.toggle("selected", selected);
    number.textContent = index + 1;
    setValue(time, seconds(point.t_ms));
    setValue(rate, rateText(point.rate));
    time.setAttribute("aria-label", `Time of point ${index + 1} in seconds`);
    rate.setAttribute("aria-label", `Rate of point ${index + 1} in requests per second`);
    remove.setAttribute("aria-label", `Delete point ${index + 1}`);
  }

  /** The time that `text` tells, or null after saying why it tells none. */
  time(field, text) {
    const t_ms = parseTime(text);
    const { duration_ms } = this.store.design;
    if (t_ms === null) complain(field, "a time is a number of seconds, or such as 90s, 1:30 or 2h");
    else if (t_ms > duration_ms) complain(field, `the traffic ends at ${spokenTime(duration_ms)}`);
    else return t_ms;
    return null;
  }

  rate(field, text) {
    const rate = parseRate(text);
    if (rate === null) complain(field, "a rate is a number of requests per second, or such as 90/min");
    else if (rate > MOST_RATE) complain(field, `a rate is at most ${MOST_RATE} requests per second`);
    else return rate;
    return null;
  }

  retime(index, field, text) {
    const t_ms = this.time(field, text);
    if (t_ms === null) return;
    settle(field, seconds(t_ms));
    const moved = { ...this.store.model.points[index], t_ms };
    const points = sorted(this.store.model.points.map((point, i) => (i === index ? moved : point)));
    this.put(points, "move point", points.indexOf(moved));
  }

  rerate(index, field, text) {
    const rate = this.rate(field, text);
    if (rate === null) return;
    settle(field, rateText(rate));
    const points = this.store.model.points.map((point, i) => (i === index ? { ...point, rate } : point));
    this.put(points, "move point", index);
  }

  add(event) {
    event.preventDefault();
    const t_ms = this.time(this.newTime, this.newTime.value);
    if (t_ms !== null) complain(this.newTime, null);
    const rate = this.rate(this.newRate, this.newRate.value);
    if (rate !== null) complain(this.newRate, null);
    if (t_ms === null || rate === null) return;
    const { points, index } = insertPoint(this.store.model.points, { t_ms, rate });
    this.newTime.value = "";
    this.newRate.value = "";
    this.put(points, "add point", index);
    this.newTime.focus();
  }

  remove(index) {
    this.put(deletePoint(this.store.model.points, index), "delete point");
    // The keyboard goes on where it was, or at what is left.
    this.show();
    (this.rows[Math.min(index - this.first, this.rows.length - 1)]?.remove ?? this.newTime).focus();
  }

  put(points, label, selected = null) {
    this.store.draw(points, label, { selected });
  }
}
