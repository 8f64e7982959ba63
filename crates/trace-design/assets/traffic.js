// What the requests of a model are like: arrivals, lengths, shared prefixes,
// spelled as trace-synth curve takes them.

import { byId, complain, make, onTyped, setValue, settle } from "./dom.js";
import { changed } from "./design.js";

/** Distributions of lengths, with an example of each. */
const LENGTHS = [
  ["fixed", "512"],
  ["lognormal (mean, sd)", "lognormal:900,700,max=8192"],
  ["normal (mean, sd)", "normal:800,200"],
  ["truncnormal (mean, sd)", "truncnormal:800,200"],
  ["uniform", "uniform:100..2000"],
  ["poisson (mean)", "poisson:1000"],
  ["geometric (mean)", "geometric:200"],
  ["exponential (mean)", "exponential:600"],
  ["pareto (mean, sd)", "pareto:mean=800,sd=900"],
];
/** What prompts may share, with an example of each. */
const PREFIXES = [
  ["20 system prompts", "pool:20,1024"],
  ["popular ones", "pool:100,lognormal:1500,800,zipf=1.1"],
  ["hot ones that drift", "pool:50,1024,hot=5,share=0.8,drift=10m"],
  ["a share of each", "shared:0.85,0.1,groups=10"],
  ...["toolbench", "embodied", "programming", "video", "loogle"].map((name) => [`AIBrix ${name}`, name]),
];

/** The panel about the shown model's requests. */
export class Traffic {
  constructor(store, preview) {
    Object.assign(this, { store, preview });
    this.arrival = byId("arrival");
    this.cv = byId("arrival-cv");
    this.fields = { input_length: byId("input-length"), output_length: byId("output-length") };
    this.prefixes = byId("prefixes");
    this.arrival.addEventListener("change", () => this.setArrival());
    onTyped(this.cv, () => this.setArrival());
    for (const [name, field] of Object.entries(this.fields)) {
      onTyped(field, (text) => this.set(name, field, text.trim() || undefined));
      examples(`${field.id}-examples`, LENGTHS, (example) => this.set(name, field, example));
    }
    onTyped(this.prefixes, (text) => this.setPrefixes(text));
    examples("prefixes-examples", PREFIXES, (example) => this.addPrefixes(example));
    byId("for-all").addEventListener("click", () => this.forAll());
    store.onView(() => this.show());
    preview.onResult(() => this.showError());
    this.show();
  }

  show() {
    const { model, design } = this.store;
    byId("traffic-of").textContent = model.name;
    const [process, cv] = String(model.arrival ?? "poisson").split(":");
    this.arrival.value = process;
    this.cv.disabled = process === "poisson" || process === "constant";
    setValue(this.cv, this.cv.disabled ? "" : (cv ?? ""));
    for (const [name, field] of Object.entries(this.fields)) setValue(field, model[name] ?? "");
    setValue(this.prefixes, lines(model.prefixes));
    byId("for-all").disabled = design.models.length === 1;
  }

  set(name, field, value) {
    const { store } = this;
    const whole = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
    settle(field, value ?? "");
    if (store.model[name] === whole) return;
    const design = changed(store.design, store.active, { [name]: whole });
    store.commit(design, `${field.labels[0].textContent} of ${store.model.name}`, { selected: store.selected });
  }

  setArrival() {
    const process = this.arrival.value;
    const bursty = process === "gamma" || process === "weibull";
    const typed = this.cv.value.trim() || "2";
    if (bursty && !(Number(typed) > 0 && Number(typed) <= 1000)) {
      complain(this.cv, "the variation of gaps (CV) is a number above 0; 1 is as Poisson, more is bursty");
      return;
    }
    settle(this.cv, bursty ? typed : "");
    this.commit({ arrival: bursty ? `${process}:${Number(typed)}` : process });
  }

  commit(change) {
    const { store } = this;
    const [field] = Object.keys(change);
    if (JSON.stringify(store.model[field]) === JSON.stringify(change[field])) return;
    const design = changed(store.design, store.active, change);
    store.commit(design, `${field} of ${store.model.name}`, { selected: store.selected });
  }

  setPrefixes(text) {
    const levels = text.split("\n").map((line) => line.trim()).filter(Boolean);
    settle(this.prefixes, levels.join("\n"));
    this.commit({ prefixes: levels.length === 0 ? undefined : levels.length === 1 ? levels[0] : levels });
  }

  /** Pools are levels below one another; anything else stands alone. */
  addPrefixes(example) {
    const now = lines(this.store.model.prefixes);
    const below = example.startsWith("pool:") && now !== "" && now.split("\n").every((line) => line.startsWith("pool:"));
    this.setPrefixes(below ? `${now}\n${example}` : example);
  }

  /** All other models have requests such as this one. */
  forAll() {
    const { store } = this;
    const { arrival, input_length, output_length, prefixes } = store.model;
    const change = { arrival, input_length, output_length, prefixes };
    const design = store.design.models.reduce((all, _, index) => changed(all, index, change), store.design);
    store.commit(design, `requests as of ${store.model.name}`, { selected: store.selected });
  }

  /** What the server says is wrong, at the field if it says which. */
  showError() {
    const { error } = this.preview;
    const fields = { ...this.fields, arrival: this.arrival, prefixes: this.prefixes };
    const { model, field } = error?.body ?? {};
    for (const [name, element] of Object.entries(fields)) {
      const here = field === name && model === this.store.model.name;
      complain(element, here ? error.message : null);
    }
  }
}

function lines(prefixes) {
  return Array.isArray(prefixes) ? prefixes.join("\n") : (prefixes ?? "");
}

/** A menu that puts one of `list` ([name, spelling]) into a field. */
function examples(id, list, take) {
  const menu = byId(id);
  menu.append(make("option", { value: "", text: "Examples…" }));
  menu.append(...list.map(([name, spelling]) => make("option", { value: spelling, text: `${name}: ${spelling}` })));
  menu.addEventListener("change", () => {
    if (menu.value !== "") take(menu.value);
    menu.value = "";
  });
}
