// Nothing drawn is lost: every change goes into this browser's storage at
// once and to the server soon, and other tabs hear of it.
//
// The server counts revisions. A design that was changed from an old revision
// is refused, and the user says which one stays; the other one is a step of
// the history.

import { call, run } from "./api.js";
import { ask, tell } from "./ask.js";
import { byId } from "./dom.js";
import { complete, isDrawn, same } from "./design.js";
import { spokenTime } from "./number.js";

const KEY = "trace-design.design";
const EARLIER = "trace-design.earlier";
const HISTORY = `trace-design.history.${run}`;
const MOST_HISTORY = 2_000_000;
/** Milliseconds until the browser's storage is told; leaving tells it too. */
const KEEP_MS = 50;
/** Milliseconds of quiet before the server is told. */
const QUIET_MS = 250;

/** Keeps the store's design in the browser and on the server. */
export class Autosave {
  constructor(store, revision) {
    Object.assign(this, { store, revision, saved: store.design, dirty: false, busy: false, ended: false, wait: 0 });
    this.status = byId("saved");
    this.channel = new BroadcastChannel(`trace-design.${run}`);
    this.channel.addEventListener("message", ({ data }) => this.heard(data));
    store.onDesign(() => this.changed());
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("focus", () => this.look());
    window.addEventListener("pagehide", () => this.leave());
    this.say("saved");
  }

  changed() {
    this.dirty = this.store.design !== this.saved;
    this.say(this.dirty ? "saving" : "saved");
    this.keeping ??= setTimeout(() => this.keep(), KEEP_MS);
    clearTimeout(this.timer);
    if (this.dirty) this.timer = setTimeout(() => this.push(), QUIET_MS);
  }

  say(state, title = "") {
    const words = { saved: "saved", saving: "saving…", browser: "only in this browser" };
    this.status.textContent = words[state];
    this.status.dataset.state = state;
    this.status.title = title;
  }

  /** Put the design where a reload finds it. */
  keep() {
    clearTimeout(this.keeping);
    this.keeping = null;
    const { design } = this.store;
    const kept = { run, revision: this.revision, dirty: this.dirty, at: Date.now(), design };
    attempt(() => localStorage.setItem(KEY, JSON.stringify(kept)));
  }

  async push() {
    if (this.busy || this.ended) return;
    const { design } = this.store;
    this.busy = true;
    try {
      const { revision } = await call("PUT", "/api/design", { json: { revision: this.revision, design } });
      this.revision = revision;
      this.saved = design;
      this.dirty = this.store.design !== design;
      this.wait = 0;
      this.say(this.dirty ? "saving" : "saved");
      this.keep();
      this.channel.postMessage({ revision, design });
    } catch (error) {
      await this.failed(error);
    } finally {
      this.busy = false;
    }
    if (this.dirty && !this.ended) this.timer = setTimeout(() => this.push(), this.wait);
  }

  async failed(error) {
    if (error.status === 409) {
      await this.settle(error.body);
      return;
    }
    this.say("browser", error.message);
    if (error.status === 401 || error.status === 403) {
      const again = { text: "Load it again", run: () => location.reload() };
      tell("trace-design was started anew since this page was loaded; what is drawn here is kept", { error: true, action: again });
      this.dirty = false;
      return;
    }
    this.wait = 3000;
    if (error.status !== 0) tell(error.message, { error: true });
    if (error.status >= 400 && error.status < 500) this.dirty = false;
  }

  /** Somebody else changed the design too: which one stays? */
  async settle({ revision, design }) {
    this.revision = revision;
    this.saved = complete(design);
    if (same(this.saved, this.store.design)) {
      this.dirty = false;
      this.say("saved");
      this.keep();
      return;
    }
    const answer = await ask("Changed in two places", "This design was changed elsewhere, perhaps in another tab, since you changed it here.", [
      { value: "mine", text: "Keep mine", note: "the other one is overwritten", main: true },
      { value: "theirs", text: "Take theirs", note: "undo brings yours back" },
    ]);
    if (answer === "theirs") this.store.load(design, "take what was changed elsewhere");
    else this.dirty = true;
  }

  /** Another tab saved `design`. */
  heard({ revision, design }) {
    if (revision <= this.revision || this.dirty || this.busy) return;
    this.revision = revision;
    this.saved = complete(design);
    if (!same(this.saved, this.store.design)) this.store.load(design, "change in another tab");
    this.dirty = false;
    this.say("saved");
  }

  /** The page is looked at again: another browser may have saved. */
  async look() {
    if (document.hidden || this.busy || this.dirty || this.ended) return;
    try {
      this.heard(await call("GET", "/api/design"));
    } catch {
      // The next change will say so.
    }
  }

  /** The page goes away; what the server does not have yet, storage has. */
  leave() {
    this.keep();
    const history = this.store.history.saved(MOST_HISTORY);
    if (history) attempt(() => sessionStorage.setItem(HISTORY, history));
    if (!this.dirty || this.ended) return;
    const json = { revision: this.revision, design: this.store.design };
    call("PUT", "/api/design", { json, keepalive: true }).catch(() => {});
  }

  /** What the server has is what the user is done with. */
  end() {
    this.ended = true;
    clearTimeout(this.timer);
  }

  /**
   * What storage has from before this page was loaded: changes that the
   * server of this run never got, the steps to undo, or what was drawn with a
   * server that is gone.
   */
  restore() {
    const kept = read(localStorage, KEY);
    const { store } = this;
    if (kept?.run === run) {
      const history = sessionStorage.getItem(HISTORY);
      if (history) attempt(() => store.history.restore(history));
      if (kept.dirty && !same(complete(kept.design), store.design)) this.recover(kept);
    } else if (kept?.design && !same(complete(kept.design), store.design)) {
      attempt(() => localStorage.setItem(EARLIER, JSON.stringify(kept)));
    }
    this.offer(read(localStorage, EARLIER));
    this.keep();
    store.changed(false);
  }

  recover(kept) {
    if (kept.revision === this.revision) this.store.load(kept.design, "what was not saved yet");
    else {
      const theirs = { revision: this.revision, design: this.store.design };
      this.store.load(kept.design, "what was not saved yet");
      this.settle(theirs);
    }
  }

  offer(earlier) {
    if (!earlier?.design || !isDrawn(complete(earlier.design)) || same(complete(earlier.design), this.store.design)) return;
    const forget = () => attempt(() => localStorage.removeItem(EARLIER));
    const take = () => {
      this.store.load(earlier.design, "bring back the earlier drawing");
      forget();
    };
    const ago = spokenTime(Math.max(0, Date.now() - earlier.at));
    tell(`This browser kept a drawing from an earlier run (${ago} ago)`, { stays: true, action: { text: "Bring it back", run: take }, onClose: forget });
  }
}

/** What was kept, if it can still be read as a design. */
function read(storage, key) {
  return attempt(() => {
    const kept = JSON.parse(storage.getItem(key) ?? "null");
    if (kept) complete(kept.design);
    return kept;
  });
}

/** The result, or null where the storage is forbidden, full or broken. */
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
