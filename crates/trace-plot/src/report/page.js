// The values of a plot under the pointer. Each figure has its points beside it,
// with the words for their values, made where the picture was made.
"use strict";

const NEAR = 24; // pixels of the picture within which a single point answers
const hover = document.getElementById("hover");

for (const figure of document.querySelectorAll("figure")) {
  const panels = JSON.parse(figure.querySelector("script").textContent);
  const svg = figure.querySelector("svg");
  const cross = figure.appendChild(document.createElement("div"));
  cross.className = "cross";
  cross.hidden = true;
  const leave = () => {
    hover.hidden = true;
    cross.hidden = true;
  };
  figure.addEventListener("pointerleave", leave);
  figure.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const at = [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
    const panel = panels.find(({ place: [left, top, right, bottom] }) =>
      at[0] >= left - 4 && at[0] <= right + 4 && at[1] >= top - 4 && at[1] <= bottom + 4);
    const found = panel && (nearestDot(panel, at) ?? nearestAcross(panel, at));
    if (!found) return leave();
    show(found, event);
    const border = figure.clientLeft;
    cross.hidden = false;
    cross.style.left = `${found.x * scale + border}px`;
    cross.style.top = `${panel.place[1] * scale + border}px`;
    cross.style.height = `${(panel.place[3] - panel.place[1]) * scale}px`;
  });
}

// The single point next to the pointer, if one is near.
function nearestDot(panel, at) {
  let best = null;
  let least = NEAR;
  for (const series of panel.dots) {
    for (const [x, y, across, up] of series.points) {
      const distance = Math.hypot(x - at[0], y - at[1]);
      if (distance < least) {
        least = distance;
        best = { x, head: across, rows: [{ name: series.name, color: series.color, value: up }] };
      }
    }
  }
  return best;
}

// The value of every line at the point across that is nearest to the pointer; a
// bin answers all over its width.
function nearestAcross(panel, at) {
  const away = ([x, , , , half]) => Math.max(0, Math.abs(x - at[0]) - half);
  const rows = [];
  let best = null;
  for (const series of panel.lines) {
    let near = null;
    for (const point of series.points) {
      if (!near || away(point) < away(near)) near = point;
    }
    if (!near || away(near) > NEAR) continue;
    rows.push({ name: series.name, color: series.color, value: near[3] });
    if (!best || away(near) < away(best)) best = near;
  }
  return best && { x: best[0], head: best[2], rows };
}

function show({ head, rows }, event) {
  const title = document.createElement("b");
  title.textContent = head;
  hover.replaceChildren(title, ...rows.slice(0, 14).map((row) => {
    const line = document.createElement("span");
    const mark = document.createElement("i");
    mark.style.background = row.color;
    line.append(mark, `${row.name}: ${row.value}`);
    return line;
  }));
  hover.hidden = false;
  const room = document.documentElement.clientWidth;
  const beside = event.clientX + 16 + hover.offsetWidth > room ? -16 - hover.offsetWidth : 16;
  hover.style.left = `${event.pageX + beside}px`;
  hover.style.top = `${event.pageY + 16}px`;
}
