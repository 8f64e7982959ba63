// The list of models: which one is drawn, names, colours.

import { byId, complain, make, onTyped, setValue, settle } from "./dom.js";
import { changed, nameProblem, withCopy, withModel, withoutModel } from "./design.js";
import { countText, short } from "./number.js";

/** The panel of models. */
export class Models {
  constructor(store, preview) {
    Object.assign(this, { store, preview });
    this.list = byId("models");
    this.rows = [];
    byId("add-model").addEventListener("click", () => this.add());
    store.onView(() => this.show());
    preview.onResult(() => this.show());
    this.show();
  }

  add() {
    const { store } = this;
    const design = withModel(store.design);
    store.commit(design, "add model", { active: design.models.length - 1 });
    this.show();
    const { name } = this.rows.at(-1);
    name.focus();
    name.select();
  }

  show() {
    const { models } = this.store.design;
    while (this.rows.length > models.length) this.rows.pop().item.remove();
    while (this.rows.length < models.length) {
      const row = this.row(this.rows.length);
      this.rows.push(row);
      this.list.append(row.item);
    }
    models.forEach((model, index) => this.fill(this.rows[index], model, index));
  }

  row(index) {
    const { store } = this;
    const draw = make("input", { type: "radio", name: "active-model", class: "choose", on: { change: () => store.look({ active: index }) } });
    const color = make("input", { type: "color", class: "color" });
    color.addEventListener("input", () => this.recolour(index, color.value));
    const name = make("input", { type: "text", class: "name", spellcheck: "false", autocomplete: "off", maxlength: 500 });
    onTyped(name, (text) => this.rename(index, name, text));
    name.addEventListener("focus", () => store.active === index || store.look({ active: index }));
    const count = make("span", { class: "count" });
    const copy = make("button", { type: "button", class: "quiet copy", on: { click: () => this.copy(index) } });
    const remove = make("button", { type: "button", class: "quiet remove", text: "×", on: { click: () => this.remove(index) } });
    const item = make("li", { "data-errors": "inside" }, draw, color, name, count, copy, remove);
    item.addEventListener("click", (event) => event.target === item && store.look({ active: index }));
    return { item, draw, color, name, count, copy, remove };
  }

  fill({ item, draw, color, name, count, copy, remove }, model, index) {
    const { store } = this;
    item.classList.toggle("active", index === store.active);
    draw.checked = index === store.active;
    draw.setAttribute("aria-label", `Draw the curve of ${model.name}`);
    color.value = model.color;
    color.setAttribute("aria-label", `Colour of ${model.name}`);
    setValue(name, model.name);
    name.title = model.name;
    name.setAttribute("aria-label", `Name of model ${index + 1}`);
    const found = this.preview.of(model.name);
    const about = this.preview.result?.estimated ? "≈ " : "";
    count.textContent = found ? `${about}${found.requests < 1e6 ? countText(found.requests) : short(found.requests)}` : "";
    count.title = found ? `${about}${countText(found.requests)} requests` : "";
    copy.title = `Copy ${model.name}`;
    copy.setAttribute("aria-label", `Copy ${model.name}`);
    remove.title = store.design.models.length === 1 ? "The last model stays" : `Remove ${model.name}`;
    remove.setAttribute("aria-label", `Remove ${model.name}`);
    remove.disabled = store.design.models.length === 1;
  }

  rename(index, field, typed) {
    const { store } = this;
    // A half of a pair of surrogates is no character, and no file can hold it.
    const text = typed.toWellFormed ? typed.toWellFormed() : typed;
    const problem = nameProblem(store.design, index, text);
    if (problem) {
      complain(field, problem);
      return;
    }
    const before = store.design.models[index].name;
    settle(field, text);
    if (text === before) return;
    store.commit(changed(store.design, index, { name: text }), `rename ${before}`, { selected: store.selected });
  }

  recolour(index, color) {
    const { store } = this;
    const { name } = store.design.models[index];
    const more = { kind: `colour ${index}`, selected: store.selected };
    store.commit(changed(store.design, index, { color }), `colour of ${name}`, more);
  }

  copy(index) {
    const { store } = this;
    store.commit(withCopy(store.design, index), `copy ${store.design.models[index].name}`, { active: index + 1 });
  }

  remove(index) {
    const { store } = this;
    const { name } = store.design.models[index];
    const active = store.active > index ? store.active - 1 : store.active;
    this.rows.forEach((row) => complain(row.name, null));
    store.commit(withoutModel(store.design, index), `remove ${name}`, { active });
    // The keyboard goes on where it was, though that is another model now.
    this.show();
    const { remove, draw } = this.rows[store.active];
    (remove.disabled ? draw : remove).focus();
  }
}
