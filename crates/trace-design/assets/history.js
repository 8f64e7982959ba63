// What was done, to be undone and done again.

const MOST_STEPS = 200;
/** Changes of one kind within this many milliseconds are one step. */
const ONE_STEP_MS = 1000;

/** States and the names of the steps between them. */
export class History {
  constructor(state) {
    this.state = state;
    this.past = [];
    this.future = [];
    this.kind = null;
    this.at = -Infinity;
  }

  /**
   * `state` is what is now, after a step called `label`.
   *
   * Steps of the same `kind` (such as "move point 3 of 0"), one soon after
   * the other, become one; null never does.
   */
  push(state, label, kind = null, now = performance.now()) {
    const goesOn = kind !== null && kind === this.kind && now - this.at < ONE_STEP_MS;
    if (!goesOn) {
      this.past.push({ state: this.state, label });
      if (this.past.length > MOST_STEPS) this.past.shift();
    }
    this.future = [];
    this.state = state;
    this.kind = kind;
    this.at = now;
  }

  /** Go one step back; its name, or null at the beginning. */
  undo() {
    const step = this.past.pop();
    if (!step) return null;
    this.future.push({ state: this.state, label: step.label });
    this.state = step.state;
    this.kind = null;
    return step.label;
  }

  /** Go one step on again; its name, or null at the end. */
  redo() {
    const step = this.future.pop();
    if (!step) return null;
    this.past.push({ state: this.state, label: step.label });
    this.state = step.state;
    this.kind = null;
    return step.label;
  }

  /** Name of the step that undo takes back; null if there is none. */
  get undoes() {
    return this.past.at(-1)?.label ?? null;
  }

  /** Name of the step that redo does again; null if there is none. */
  get redoes() {
    return this.future.at(-1)?.label ?? null;
  }

  /** What a reload needs, at most about `most` characters of it. */
  saved(most) {
    const text = (steps) => JSON.stringify({ past: this.past.slice(-steps), future: this.future.slice(-steps) });
    for (let steps = MOST_STEPS; steps > 0; steps = Math.floor(steps / 2)) {
      const candidate = text(steps);
      if (candidate.length <= most) return candidate;
    }
    return null;
  }

  /** Take over the steps that {@link saved} gave. */
  restore(text) {
    const { past, future } = JSON.parse(text);
    if (!Array.isArray(past) || !Array.isArray(future)) return;
    this.past = past;
    this.future = future;
  }
}
