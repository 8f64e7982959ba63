// The dialog that sends the traffic to a server and shows how it goes.

import { run as server } from "./api.js";
import { ask, tell, tellError } from "./ask.js";
import { Canvas } from "./canvas.js";
import { byId, complain, make } from "./dom.js";
import { countText, spokenTime, trimmed } from "./number.js";
import { PLOTS, Run } from "./run.js";

const KEY = `trace-design.run.${server}`;
const FORM = "trace-design.send";

/** What a server may be asked for, as trace-send calls it. */
const ENDPOINTS = [
  ["", "as the URL's path says"],
  ["completions", "completions: a prompt"],
  ["chat", "chat: messages"],
  ["responses", "responses: input"],
  ["embeddings", "embeddings: a vector"],
  ["tgi", "TGI: a prompt, /generate_stream"],
  ["ollama", "Ollama: a prompt, /api/generate"],
  ["ollama-chat", "Ollama: messages, /api/chat"],
  ["anthropic", "Anthropic: messages, /v1/messages"],
];

/** The form, and the run that it began. */
export class Send {
  constructor(store) {
    this.store = store;
    this.run = null;
    this.dialog = byId("send");
    this.fields = Object.fromEntries(["url", "endpoint", "model", "speed", "concurrency", "key", "headers"].map((name) => [name, byId(`send-${name}`)]));
    this.fields.endpoint.append(...ENDPOINTS.map(([value, text]) => new Option(text, value)));
    this.canvas = new Canvas(byId("send-plot"), (ctx, width, height) => this.run?.paint(ctx, width, height, this.dialog));
    byId("open-send").addEventListener("click", () => this.open());
    byId("send-form").addEventListener("submit", (event) => this.start(event));
    byId("send-stop").addEventListener("click", () => this.stop());
    this.restore();
  }

  open() {
    this.dialog.showModal();
    this.show();
  }

  /** The request that is typed, or null after saying what is wrong. */
  typed() {
    const { url, endpoint, model, speed, concurrency, key, headers } = this.fields;
    const problems = new Map();
    let to = null;
    try {
      to = new URL(url.value.trim());
    } catch {
      problems.set(url, "an address such as http://127.0.0.1:8000/v1/completions");
    }
    if (to && !["http:", "https:", "mock:"].includes(to.protocol)) problems.set(url, "an address begins with http:// or https://");
    const times = Number(speed.value.trim() || "1");
    if (!(times > 0 && times <= 1e6)) problems.set(speed, "a number above 0, such as 2 for twice as fast");
    const most = concurrency.value.trim();
    if (most !== "" && !(/^\d+$/.test(most) && Number(most) > 0)) problems.set(concurrency, "a whole number above 0, or nothing");
    const lines = headers.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const bad = lines.find((line) => !/^[!#$%&'*+.^_`|~0-9a-z-]+\s*:/i.test(line));
    if (bad) problems.set(headers, `${bad.split(/\s/)[0]} is not NAME: VALUE`);
    for (const field of Object.values(this.fields)) complain(field, problems.get(field) ?? null);
    if (problems.size > 0) return null;
    return {
      design: this.store.design,
      url: url.value.trim(),
      endpoint_type: endpoint.value || undefined,
      model: model.value.trim() || undefined,
      speed: times,
      max_concurrency: most === "" ? undefined : Number(most),
      api_key_env: key.value.trim() || undefined,
      headers: lines,
    };
  }

  async start(event) {
    event.preventDefault();
    const request = this.typed();
    if (!request) return;
    const long = request.design.duration_ms / request.speed;
    const remote = !["127.0.0.1", "localhost", "[::1]", ""].includes(new URL(request.url).hostname);
    if (remote) {
      const text = `This sends ${spokenTime(long)} of traffic to ${new URL(request.url).host}, which is another machine.`;
      if (!(await ask("Send it?", text, [{ value: "yes", text: "Send", main: true }]))) return;
    }
    try {
      this.follow(await Run.start(request));
      // Headers may carry keys: they are never kept.
      const { design, headers, ...rest } = request;
      localStorage.setItem(FORM, JSON.stringify(rest));
    } catch (error) {
      const field = error.body?.field === "api_key_env" ? this.fields.key : this.fields.url;
      if (error.status === 400 || error.body?.field) complain(field, error.message);
      else if (error.status === 409) this.rejoin(error);
      else tellError(error);
    }
  }

  /** Something is being sent already: show that. */
  async rejoin(error) {
    tellError(error);
    const run = await Run.underway(this.store.design).catch(() => null);
    if (run) this.follow(run);
  }

  follow(run) {
    this.run?.source?.close();
    this.run = run;
    this.told = false;
    byId("send-plots").replaceChildren();
    run.addEventListener("change", () => this.show());
    run.listen();
    this.keep();
    this.show();
  }

  async stop() {
    try {
      await this.run.stop();
      this.show();
    } catch (error) {
      tellError(error);
    }
  }

  show() {
    const { run } = this;
    const running = run?.state === "running";
    byId("send-start").disabled = running;
    byId("send-stop").disabled = !running;
    byId("send-stop").textContent = running && run.stopped ? "Give up the rest" : "Stop";
    byId("send-run").hidden = !run;
    byId("open-send").textContent = running ? `Sending ${Math.floor(run.share * 100)} %` : "Send to…";
    byId("open-send").classList.toggle("on", running);
    if (!run) return;
    byId("send-state").textContent = this.words();
    byId("send-state").classList.toggle("error", Boolean(run.error));
    byId("send-progress").value = run.state === "ended" ? 1 : run.share;
    this.numbers();
    this.legend();
    this.canvas.draw();
    if (!running) this.ended();
  }

  words() {
    const { run } = this;
    if (run.state === "failed" || run.state === "lost") return run.error;
    if (run.state === "ended") return `${run.stopped ? "stopped" : "all sent"}; ${run.url}`;
    const rest = spokenTime(Math.max(0, run.duration - (run.progress?.t_ms ?? 0)));
    return run.stopped ? "stopping: waiting for what is in flight" : `sending to ${run.url}, ${rest} left`;
  }

  numbers() {
    const progress = this.run.progress ?? {};
    const ms = (value) => (typeof value === "number" ? `${trimmed(value, value < 10 ? 2 : 0)} ms` : "–");
    const cells = [
      ["Sent", countText(progress.sent ?? 0), "sent"],
      ["In flight", countText(progress.in_flight ?? 0), "in_flight"],
      ["Done", countText(progress.done ?? 0), "done"],
      ["Errors", countText(progress.errors ?? 0), "errors"],
      ["TTFT p50", ms(progress.ttft_p50_ms), "ttft_p50_ms"],
      ["Lateness p99", ms(progress.lateness_p99_ms), "lateness_p99_ms"],
    ];
    const cell = ([name, text, field]) => make("div", {}, make("dt", { text: name }), make("dd", { text, "data-field": field }));
    byId("send-numbers").replaceChildren(...cells.map(cell));
  }

  legend() {
    const entry = ({ name, color }) => {
      const swatch = make("span", { class: "swatch" });
      swatch.style.backgroundColor = color;
      return make("li", {}, swatch, make("span", { text: name }));
    };
    const lines = make("li", { class: "muted", text: "dashed: drawn, filled: sent" });
    byId("send-legend").replaceChildren(...this.run.design.models.map(entry), lines);
  }

  /** Pictures, summary and outcomes, once. */
  ended() {
    if (this.told) return;
    this.told = true;
    const { run } = this;
    this.report();
    const known = run.ended;
    run.ended = true;
    this.keep();
    if (this.dialog.open || known) return;
    if (run.state === "ended") tell("All is sent", { action: { text: "Show", run: () => this.open() } });
    else tell(run.error, { error: true });
  }

  report() {
    const { run } = this;
    if (!run.summary) return;
    const picture = ([name, title]) => {
      const image = make("img", { src: run.image(name), alt: title, "data-plot": name });
      image.addEventListener("error", () => image.replaceWith(make("p", { class: "muted", text: "there is nothing to plot" })));
      const link = make("a", { href: run.image(name), download: name }, image);
      return make("figure", {}, link, make("figcaption", { text: title }));
    };
    const rows = Object.entries(run.summary).map(([name, value]) => [name, inWords(value)]).filter(([, text]) => text !== "");
    const row = ([name, text]) =>
      make("tr", {}, make("th", { scope: "row", text: name }), make("td", { text, "data-field": name }));
    const table = make("table", { class: "summary" }, make("tbody", {}, ...rows.map(row)));
    const name = `outcomes-${run.id}.jsonl`;
    const link = make("a", { class: "button", href: run.outcomes, download: name, text: `Download ${name}` });
    const where = run.kept ? `They are in ${run.kept}, too.` : "They are gone when trace-design ends, unless it has --dir.";
    const about = make("p", { class: "muted", text: where });
    byId("send-plots").replaceChildren(...PLOTS.map(picture), make("div", { class: "summary-box" }, table, link, about));
  }

  /** A reload finds the run again, and what was typed. */
  keep() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.run.saved));
    } catch {
      // Too large: the run goes on without being seen after a reload.
    }
  }

  restore() {
    try {
      const { url, endpoint_type, model, speed, max_concurrency, api_key_env } = JSON.parse(localStorage.getItem(FORM) ?? "{}");
      this.fields.url.value = url ?? this.fields.url.value;
      this.fields.endpoint.value = endpoint_type ?? "";
      this.fields.key.value = api_key_env ?? "";
      this.fields.model.value = model ?? "";
      this.fields.speed.value = speed ?? 1;
      this.fields.concurrency.value = max_concurrency ?? "";
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
      if (kept) this.follow(new Run(kept));
      else this.find();
    } catch {
      // Nothing kept that can be read: begin with an empty form.
    }
    this.show();
  }

  /** What another tab sends is shown here too, against what is drawn now. */
  async find() {
    const run = await Run.underway(this.store.design).catch(() => null);
    if (run && !this.run) this.follow(run);
  }
}

/** A part of the summary: lists and maps in one line. */
function inWords(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return trimmed(value, 3);
  if (Array.isArray(value)) return value.map(inWords).join("; ");
  if (typeof value === "object") return Object.entries(value).map(([name, part]) => `${name}: ${inWords(part)}`).join(", ");
  return String(value);
}
