// Files in and out: of this computer, and of the directory that --dir names.

import { call, download, Refusal } from "./api.js";
import { ask, tell, tellError } from "./ask.js";
import { byId, complain, make } from "./dom.js";
import { isDrawn } from "./design.js";
import { short } from "./number.js";

/** What a file of this computer can be saved as. */
const KINDS = {
  json: { path: "/api/export?format=json", name: "curve.json", what: "the curve file" },
  pickle: { path: "/api/export?format=pickle", name: "traffic_config.pkl", what: "the Traffic Designer's pickle" },
  trace: { path: "/api/trace", name: "trace.jsonl", what: "the trace" },
};

/** The dialog of files, and files dropped on the page. */
export class Files {
  constructor(store, info) {
    this.store = store;
    this.dialog = byId("files");
    byId("open-files").addEventListener("click", () => this.open());
    byId("file-open").addEventListener("change", (event) => this.take(event.target));
    for (const kind of Object.keys(KINDS)) {
      byId(`save-${kind}`).addEventListener("click", () => this.save(kind));
    }
    byId("stop-download").addEventListener("click", () => this.under?.abort());
    byId("save-in-dir").addEventListener("submit", (event) => this.saveInDir(event));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => this.drop(event));
    this.name = info.file?.split("/").at(-1) ?? "curve.json";
  }

  open() {
    this.dialog.showModal();
    this.list();
  }

  async take(input) {
    const [file] = input.files;
    input.value = "";
    if (file) await this.read(file, input);
  }

  drop(event) {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) this.read(file, null);
  }

  async read(file, field) {
    try {
      const { design, notes } = await call("POST", `/api/import?name=${encodeURIComponent(file.name)}`, { body: file });
      await this.load(design, notes, file.name);
      if (field) complain(field, null);
    } catch (error) {
      if (field && this.dialog.open) complain(field, `${file.name}: ${error.message}`);
      else tellError(new Refusal(`${file.name}: ${error.message}`));
    }
  }

  async load(design, notes, name) {
    this.store.load(design, `open ${name}`);
    this.dialog.close();
    tell(`${name} is open; undo brings back what was there`);
    this.tellNotes(name, notes);
  }

  /** What a file could not hold, or what of it was left out. */
  tellNotes(name, notes) {
    for (const note of notes ?? []) tell(`${name}: ${note}`, { stays: true });
  }

  /** Save as a download of the browser. */
  async save(kind) {
    const { path, name, what } = KINDS[kind];
    const { design } = this.store;
    const progress = byId("download-progress");
    this.under?.abort();
    this.under = new AbortController();
    progress.hidden = false;
    const text = byId("download-text");
    text.textContent = `making ${what}…`;
    try {
      const heard = (bytes) => (text.textContent = `${short(bytes)}B of ${what}…`);
      const { blob, notes } = await download("POST", path, { json: { design }, signal: this.under.signal }, heard);
      give(blob, name);
      tell(`${name} (${short(blob.size)}B) is downloaded`);
      this.tellNotes(name, notes);
    } catch (error) {
      if (error.status === 0 && kind === "json") {
        give(new Blob([fileText(design)], { type: "application/json" }), name);
        tell(`${error.message} The page saved ${name} itself, unchecked`, { stays: true });
      } else tellError(error);
    } finally {
      progress.hidden = true;
    }
  }

  /** What is in --dir. */
  async list() {
    const [section, list] = [byId("dir-section"), byId("dir-files")];
    try {
      const { dir, files } = await call("GET", "/api/files");
      section.hidden = !dir;
      if (!dir) return;
      byId("dir-name").textContent = dir;
      const field = byId("dir-save-name");
      if (field.value === "") field.value = this.name;
      // A list that is still right stays: somebody may be about to press.
      const known = files.join("/");
      if (list.dataset.known === known) return;
      list.dataset.known = known;
      const entry = (name) =>
        make("li", {}, make("button", { type: "button", text: name, on: { click: () => this.openInDir(name) } }));
      list.replaceChildren(...files.map(entry));
      if (files.length === 0) list.append(make("li", { class: "muted", text: "no curve files yet" }));
      this.there = new Set(files);
    } catch (error) {
      tellError(error);
    }
  }

  async openInDir(name) {
    try {
      const { design, notes } = await call("GET", `/api/files/${encodeURIComponent(name)}`);
      byId("dir-save-name").value = name;
      await this.load(design, notes, name);
    } catch (error) {
      tellError(error);
    }
  }

  async saveInDir(event) {
    event.preventDefault();
    const field = byId("dir-save-name");
    const typed = field.value.trim();
    const name = /\.(json|pkl|pickle)$/i.test(typed) ? typed : `${typed}.json`;
    if (typed === "") return complain(field, "a file needs a name");
    if (this.there?.has(name)) {
      const choices = [{ value: "yes", text: "Overwrite it", main: true }];
      if (!(await ask("There is such a file", `${name} exists already.`, choices))) return;
    }
    try {
      const json = { design: this.store.design };
      const { notes } = await call("PUT", `/api/files/${encodeURIComponent(name)}`, { json });
      complain(field, null);
      tell(`saved as ${name}`);
      this.tellNotes(name, notes);
      this.list();
    } catch (error) {
      complain(field, error.message);
    }
  }
}

/** The design as a curve file, in which a seed of many digits is a number again. */
function fileText(design) {
  return `${JSON.stringify(design, null, 2)}\n`.replace(/^  "seed": "(\d+)"/m, '  "seed": $1');
}

/** Let the browser save `blob`. */
function give(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The button that ends trace-design, and what is left of the page then. */
export function onDone(store, autosave) {
  byId("done").addEventListener("click", async () => {
    // Who reads stdout may have gone since the page was loaded.
    const { outlet } = await call("GET", "/api/design").catch(() => ({}));
    const [where, problem] = [outlet?.to ?? "stdout", outlet?.problem];
    const empty = isDrawn(store.design) ? [] : ["No curve has a rate above 0: the trace will be empty."];
    const goes = problem ? [`${problem}: the curve is not written anywhere. Save it under Files first.`] : [`The curve is written to ${where}, and trace-design ends.`];
    const name = problem ? "End without it" : "Write it and end";
    const answer = await ask("Done?", [...goes, ...empty], [{ value: "done", text: name, main: !problem }]);
    if (!answer) return;
    try {
      await call("POST", "/api/done", { json: { design: store.design } });
    } catch (error) {
      tellError(error);
      return;
    }
    autosave.end();
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    byId("app").replaceChildren(
      make("main", { class: "ended", id: "ended" }, make("h1", { text: "Done" }), make("p", { text: problem ? "This tab can be closed." : `The curve is written to ${where}. This tab can be closed.` })),
    );
  });
}
