// One run of sending: its events, what they say, and how it is drawn.

import { call, withToken } from "./api.js";
import { curve, axes, cross, inside, staircase, themeOf } from "./layers.js";
import { niceAbove } from "./number.js";
import { area, peak } from "./curve.js";
import { Frame } from "./scale.js";

const MARGIN = { left: 62, right: 14, top: 10, bottom: 44 };
/** Requests that a bar should have on average, so that it tells a rate. */
const IN_A_BAR = 15;
/** Pictures that the server makes at the end, and what they show. */
export const PLOTS = [
  ["scheduled_request_rate.png", "Scheduled request rate"],
  ["actual_request_rate.png", "Actual request rate"],
  ["latency_cdf.png", "Latency (CDF)"],
];

/** Something that is being sent, or was. */
export class Run extends EventTarget {
  /** What `start` gave, also before a reload; `ended` if its end was told. */
  constructor({ id, url, speed, design, stopped = false, ended = false }) {
    super();
    Object.assign(this, { id, url, speed, design, stopped, ended });
    this.state = "running";
    this.progress = null;
    this.summary = null;
    // The file on the server's side that has the outcomes, if one stays.
    this.kept = null;
    this.error = null;
  }

  /** What the server sends now, begun by another tab or before a reload; or null. */
  static async underway(design) {
    const { runs } = await call("GET", "/api/send");
    const now = runs.find(({ state }) => state === "running");
    return now ? new Run({ ...now, speed: now.speed ?? 1, design }) : null;
  }

  /** Begin to send. */
  static async start(request) {
    const { id } = await call("POST", "/api/send", { json: request });
    return new Run({ id, url: request.url, speed: request.speed ?? 1, design: request.design });
  }

  get path() {
    return `/api/send/${encodeURIComponent(this.id)}`;
  }

  /** What a reload needs. */
  get saved() {
    const { id, url, speed, design, stopped, ended } = this;
    return { id, url, speed, design, stopped, ended };
  }

  /** Hear of it until it ends; events of the run are "change". */
  listen() {
    const source = new EventSource(withToken(`${this.path}/events`));
    this.source = source;
    const on = (name, take) =>
      source.addEventListener(name, ({ data }) => {
        take(JSON.parse(data));
        this.dispatchEvent(new Event("change"));
      });
    const end = (state) => {
      this.state = state;
      source.close();
    };
    on("progress", (progress) => (this.progress = progress));
    on("end", ({ summary, outcomes }) => {
      Object.assign(this, { summary, kept: outcomes });
      end("ended");
    });
    on("failed", ({ error, summary, outcomes }) => {
      Object.assign(this, { error, summary, kept: outcomes });
      end("failed");
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED || this.state !== "running") return;
      this.error = "the events of the run are gone; did trace-design end?";
      end("lost");
      this.dispatchEvent(new Event("change"));
    });
  }

  /** Send nothing more; a second time, also give up what is in flight. */
  async stop() {
    this.stopped = true;
    await call("POST", `${this.path}/stop`, {});
  }

  /** Milliseconds that it takes as drawn. */
  get duration() {
    return this.design.duration_ms / this.speed;
  }

  /** Share of its time that has gone, 0 to 1. */
  get share() {
    return Math.min((this.progress?.t_ms ?? 0) / this.duration, 1);
  }

  /** Where a picture of it is, in the colours of the page. */
  image(name) {
    const theme = document.documentElement.dataset.theme === "dark" ? "?theme=dark" : "";
    return withToken(`${this.path}/plots/${name}${theme}`);
  }

  get outcomes() {
    return withToken(`${this.path}/outcomes`);
  }

  /** How many of the server's parts make one bar. */
  together() {
    if (!this.progress) return 1;
    const { models, duration_ms } = this.design;
    const requests = models.map(({ points, interpolation }) => area(points, interpolation, duration_ms));
    const fewest = Math.min(...requests.filter((count) => count >= 1), Infinity);
    const bars = Math.min(Math.max(fewest / IN_A_BAR, 10), 120);
    return Math.max(1, Math.ceil(this.duration / this.progress.bin_ms / bars));
  }

  /** Drawn curves as thin lines, what was really sent as steps. */
  paint(ctx, width, height, element) {
    const theme = themeOf(element);
    const { speed, design } = this;
    const together = this.together();
    const sent = (this.progress?.by_model ?? []).map(({ name, rates }) => ({ name, rates: averaged(rates, together) }));
    const highest = Math.max(
      ...design.models.map((model) => peak(model.points) * speed),
      ...sent.map((model) => Math.max(0, ...model.rates)),
    );
    const frame = new Frame(width, height, { from: 0, to: this.duration }, niceAbove(highest * 1.05 || 1), MARGIN);
    axes(ctx, frame, theme, { time: "time since the run began" });
    inside(ctx, frame, () => {
      for (const model of design.models) {
        const found = sent.find(({ name }) => name === model.name);
        if (found) {
          staircase(ctx, frame, found.rates, this.progress.bin_ms * together, { end: this.duration, color: model.color, fill: model.color, width: 1.5 });
        }
        const points = model.points.map((point) => ({ t_ms: point.t_ms / speed, rate: point.rate * speed }));
        curve(ctx, frame, points, model.interpolation, { color: model.color, width: 2, dash: [7, 4] });
      }
    });
    if (this.state === "running" && this.progress) cross(ctx, frame, { x: frame.x(Math.min(this.progress.t_ms, this.duration)), y: null }, theme);
  }
}

/** Means of every `size` of `rates`, the last of what there is. */
function averaged(rates, size) {
  return Array.from({ length: Math.ceil(rates.length / size) }, (_, i) => {
    const part = rates.slice(i * size, (i + 1) * size);
    return part.reduce((sum, rate) => sum + rate, 0) / part.length;
  });
}
