// The server's answers. Every call carries the token of this run, which only
// the page that the server gave out knows.

const token = document.querySelector("meta[name=token]").content;

/** Names this run of the server, without giving the token away. */
export const run = token.slice(0, 8);

/** What the server, or its silence, said no with. */
export class Refusal extends Error {
  constructor(message, status = 0, body = {}) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.body = body;
  }
}

/** The response to a call, if it is a good one. */
async function respond(method, path, { json, body, type, signal, keepalive } = {}) {
  const headers = { "x-trace-design": token };
  if (json !== undefined) headers["content-type"] = "application/json";
  else if (body !== undefined) headers["content-type"] = type ?? "application/octet-stream";
  let response;
  try {
    const sent = json === undefined ? body : JSON.stringify(json);
    response = await fetch(path, { method, headers, body: sent, signal, keepalive, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("trace-design does not answer; is it still running?");
  }
  if (response.ok) return response;
  const text = await response.text();
  let said = {};
  try {
    said = JSON.parse(text);
  } catch {
    // Not ours; the status has to do.
  }
  throw new Refusal(said.error ?? `the server answered ${response.status}`, response.status, said);
}

/** Call and read the answer as JSON. */
export async function call(method, path, options) {
  const response = await respond(method, path, options);
  return response.status === 204 ? null : response.json();
}

/** Call and read the answer, {blob, notes}; `onBytes` hears how many bytes have come. */
export async function download(method, path, options, onBytes = () => {}) {
  const response = await respond(method, path, options);
  const type = response.headers.get("content-type") ?? "application/octet-stream";
  const notes = JSON.parse(response.headers.get("x-trace-design-notes") ?? "[]");
  const parts = [];
  let bytes = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return { blob: new Blob(parts, { type }), notes };
    parts.push(value);
    bytes += value.length;
    onBytes(bytes);
  }
}

/** A path for what cannot carry a header: images, links, event streams. */
export function withToken(path) {
  return `${path}${path.includes("?") ? "&" : "?"}token=${encodeURIComponent(token)}`;
}
