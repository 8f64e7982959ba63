// The page: everything is made here and told of each other.

import { call } from "./api.js";
import { tell } from "./ask.js";
import { Autosave } from "./autosave.js";
import { byId, make } from "./dom.js";
import { Extent } from "./extent.js";
import { Files, onDone } from "./files.js";
import { Keys } from "./keys.js";
import { Models } from "./models.js";
import { Pinch } from "./pinch.js";
import { Plot } from "./plot.js";
import { Pointer } from "./pointer.js";
import { Points } from "./points.js";
import { Presets } from "./presets.js";
import { Preview } from "./preview.js";
import { Scope } from "./scope.js";
import { Send } from "./send.js";
import { Store } from "./store.js";
import { heads, Totals } from "./totals.js";
import { Traffic } from "./traffic.js";
import { Underlay } from "./underlay.js";

/** Undo and redo, by button and by key. */
function timeTravel(store) {
  const undo = () => tellStep(store.undo(), "Undone", "nothing to undo");
  const redo = () => tellStep(store.redo(), "Done again", "nothing to redo");
  const [back, on] = [byId("undo"), byId("redo")];
  back.addEventListener("click", undo);
  on.addEventListener("click", redo);
  store.onView(() => {
    const { undoes, redoes } = store.history;
    back.disabled = undoes === null;
    on.disabled = redoes === null;
    back.title = undoes === null ? "Nothing to undo" : `Undo: ${undoes} (Ctrl+Z)`;
    on.title = redoes === null ? "Nothing to redo" : `Redo: ${redoes} (Ctrl+Shift+Z)`;
  });
  return { undo, redo };
}

function tellStep(label, done, none) {
  byId("spoken").textContent = label === null ? none : `${done}: ${label}`;
}

/** Tools and layers are radios and boxes that the store follows, and the other way round. */
function looks(store) {
  const tools = [...document.getElementsByName("tool")];
  for (const radio of tools) radio.addEventListener("change", () => store.look({ tool: radio.value }));
  const layers = [...document.querySelectorAll("[data-layer]")];
  for (const box of layers) {
    box.addEventListener("change", () => store.look({ shown: { ...store.shown, [box.dataset.layer]: box.checked } }));
  }
  const hints = {
    draw: "Drag to draw; a new stroke replaces what it covers. A click adds a point.",
    line: "Drag from one end of a straight line to the other.",
    points: "Drag points, press anywhere to add one; double click or right click deletes.",
  };
  store.onView(() => {
    for (const radio of tools) radio.checked = radio.value === store.tool;
    byId("hint").textContent = hints[store.tool];
    const { name, points } = store.model;
    byId("plot").setAttribute("aria-label", `Curve of ${name}, ${points.length} points`);
  });
}

/** Tabs of the side panel: arrow keys go from one to the next. */
function tabs() {
  const all = [...document.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const other of all) {
      const on = other === tab;
      other.setAttribute("aria-selected", String(on));
      other.tabIndex = on ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = !on;
    }
  };
  all.forEach((tab, i) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!by) return;
      const next = all[(i + by + all.length) % all.length];
      choose(next);
      next.focus();
    });
  });
}

function dialogs() {
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  byId("open-help").addEventListener("click", () => byId("help").showModal());
}

async function begin() {
  const info = await call("GET", "/api/design");
  const store = new Store(info.design);
  byId("totals-heads").append(...heads());
  const preview = new Preview(store);
  const underlay = new Underlay(store);
  const plot = new Plot(store, preview, underlay);
  const pinch = new Pinch(store, plot);
  const pointer = (pinch.pointer = new Pointer(store, plot));
  const scope = new Scope(store, plot);
  const files = new Files(store, info);
  new Keys(store, plot, pointer, { ...timeTravel(store), save: () => files.open(), scope });
  new Models(store, preview);
  new Points(store);
  new Extent(store);
  new Traffic(store, preview);
  new Presets(store);
  new Totals(store, preview);
  new Send(store);
  looks(store);
  tabs();
  dialogs();
  const autosave = new Autosave(store, info.revision);
  autosave.restore();
  onDone(store, autosave);
  store.changed(false);
  document.documentElement.dataset.ready = "true";
}

window.addEventListener("error", ({ message }) => tell(message, { error: true }));
window.addEventListener("unhandledrejection", ({ reason }) => tell(String(reason?.message ?? reason), { error: true }));

begin().catch((error) => {
  byId("app").replaceChildren(
    make("main", { class: "ended" }, make("h1", { text: "The page could not begin" }), make("p", { class: "error", role: "alert", text: error.message })),
  );
});
