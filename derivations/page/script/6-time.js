// The gradient over time: log10 of its size, for states and gates, beside the other cells on the same inputs.

const LOWEST = -12, HIGHEST = 4;

function heatRows(view) {
  const own = about(), plain = name => !own.auto.includes(name) && name !== own.loss && !own.readouts.includes(name);
  const inner = [...own.states, ...own.defined.filter(name => plain(name) && !own.states.includes(name))].slice(0, 14);
  const rows = inner.map(name => ({key: state.cell, name, result: view.result}));
  for (const [key, result] of Object.entries(view.others)) for (const name of data.cells[key].states) rows.push({key, name, result});
  return rows;
}

function drawHeat(view) {
  const tones = palette(), table = document.getElementById("heat"), rows = heatRows(view), steps = view.result.steps;
  const shape = `${rows.map(row => `${row.key}.${row.name}`).join(" ")} ${steps}`;
  if (table.dataset.shape !== shape) buildHeat(table, rows, steps, shape);
  for (const [k, button] of [...table.tHead.querySelectorAll("button")].entries()) {
    if (k + 1 === state.t) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
  }
  const columns = table.tBodies[0].rows;
  rows.forEach((row, r) => {
    for (let t = 1; t <= steps; t++) {
      const cell = columns[r].cells[t], value = row.result.back[t - 1].adjoints[`d${row.name}`];
      const log = Math.log10(Math.abs(value)), over = log > 0.02;
      const m = over ? Math.min(1, log / HIGHEST) : Math.max(0, 1 - log / LOWEST);
      paint(cell, value === 0 || Number.isNaN(value) ? "none" : over ? "over" : "", m, tones);
      cell.classList.toggle("at", row.key === state.cell && row.name === state.q && t === state.t);
      const label = `${row.name}${row.key === state.cell ? "" : " of " + row.key}, t = ${t}: ${shown(value)}`;
      const text = value === 0 ? "0" : Number.isNaN(value) ? "NaN" : steps > 12 ? (value < 0 ? "−" : "") : short(value);
      if (cell.textContent !== text) cell.textContent = text;
      cell.dataset.value = String(value);
      if (cell.title !== label) { cell.title = label; cell.setAttribute("aria-label", label); }
    }
  });
  document.getElementById("time-says").textContent = `Size of the gradient of ${targetText(view)} by each quantity at each step.`;
  drawStrip(view);
}

// The ends of the scale, in the scheme that is in force.
let tonesNow = null;
function palette() {
  if (tonesNow) return tonesNow;
  const style = getComputedStyle(document.documentElement);
  const parts = name => {
    const hex = parseInt(style.getPropertyValue(name).trim().slice(1), 16);
    return [16, 8, 0].map(shift => hex >> shift & 255);
  };
  return tonesNow = {none: parts("--heat-none"), low: parts("--heat-low"), high: parts("--heat-high"), over: parts("--heat-over"), warm: parts("--heat-warm")};
}

// A colour on the scale, and black or white on it, whichever stands out more.
function paint(box, kind, m, tones) {
  const [from, to] = kind === "none" ? [tones.none, tones.none] : kind === "over" ? [tones.warm, tones.over] : [tones.low, tones.high];
  const mixed = from.map((c, k) => Math.round(c + (to[k] - c) * m)), colour = `rgb(${mixed.join(" ")})`;
  const [red, green, blue] = mixed.map(c => ((c / 255 + 0.055) / 1.055) ** 2.4), light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  if (box.dataset.colour === colour) return;
  box.dataset.colour = colour;
  box.style.backgroundColor = colour;
  box.style.color = light > 0.179 ? "#000" : "#fff";
}

function short(x) {
  const size = Math.abs(x);
  return size >= 0.01 && size < 1000 ? String(Number(x.toPrecision(2))).replace("-", "−") : x.toExponential(0).replace(/-/g, "−").replace("+", "");
}

function buildHeat(table, rows, steps, shape) {
  table.dataset.shape = shape;
  table.classList.toggle("few", steps <= 12);
  document.getElementById("time").classList.toggle("few", steps <= 12);
  table.classList.toggle("many", steps > 24);
  const head = document.createElement("thead"), top = head.insertRow(), body = document.createElement("tbody");
  const corner = element("th", "", "t");
  corner.scope = "col";
  top.append(corner);
  for (let t = 1; t <= steps; t++) {
    const column = element("th"), button = element("button", "", steps <= 24 || t === 1 || t % 5 === 0 ? String(t) : "·");
    column.scope = "col"; button.type = "button"; button.setAttribute("aria-label", `step ${t}`);
    button.addEventListener("click", () => change({t}));
    column.append(button); top.append(column);
  }
  rows.forEach((row, r) => {
    const line = body.insertRow(), name = element("th");
    name.scope = "row";
    if (row.key !== state.cell) name.append(`${row.key} `);
    name.append(symbolIn(row.key, row.name));
    line.append(name);
    for (let t = 1; t <= steps; t++) {
      const cell = line.insertCell();
      cell.tabIndex = r === 0 && t === 1 ? 0 : -1;
      cell.addEventListener("click", () => { if (row.key !== state.cell) choose(row.key, state.preset); change({q: row.name, t}); });
    }
  });
  table.replaceChildren(head, body);
}

function symbolIn(key, name) {
  return document.querySelector(`.graph[data-cell="${key}"] .node[data-name="${name}"] math`)?.cloneNode(true) ?? document.createTextNode(name);
}

// Arrow keys within the table.
document.getElementById("heat").addEventListener("keydown", event => {
  const cell = event.target.closest("td");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); cell.click(); return; }
  const by = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
  if (!by) return;
  event.preventDefault(); event.stopPropagation();
  const body = cell.closest("tbody"), next = body.rows[cell.parentNode.rowIndex - 1 + by[0]]?.cells[cell.cellIndex + by[1]];
  if (next?.localName === "td") { cell.tabIndex = -1; next.tabIndex = 0; next.focus(); }
});

function drawLegend() {
  const box = document.getElementById("legend");
  const tones = palette(), swatch = (text, m, kind = "", sign = "") => {
    const one = element("span", "swatch", sign);
    paint(one, kind, m, tones);
    box.append(one, element("span", "", text));
  };
  box.replaceChildren();
  for (const log of [-12, -9, -6, -3]) swatch(`${log === LOWEST ? "≤ " : ""}10${[...String(log)].map(c => raised[c]).join("")}`, 1 - log / LOWEST);
  swatch("1", 1);
  for (const log of [2, 4]) swatch(`${log === HIGHEST ? "≥ " : ""}10${raised[log]}`, log / HIGHEST, "over");
  swatch("exactly zero", 0, "none", "0");
  swatch("negative", 0.5, "", "−");
}

// The selected quantity at every step, and where the chosen numbers had it. Drawn in a box of 1000 by 92 that stretches.
const strip = document.getElementById("strip");

function buildStrip() {
  const svg = (tag, classes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    made.setAttribute("class", classes);
    made.setAttribute("vector-effect", "non-scaling-stroke");
    return made;
  };
  const picture = svg("svg", ""), caption = element("p", "quiet");
  picture.setAttribute("viewBox", "0 0 1000 92");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  picture.append(svg("line", "axis"), svg("line", "marker"), svg("polyline", "line-ghost"), svg("polyline", "line-now"));
  caption.append(symbol(state.q), element("span", "range"));
  strip.replaceChildren(caption, picture);
}

function drawStrip(view) {
  const shape = `${state.cell} ${state.q}`;
  if (!state.q) { strip.replaceChildren(); strip.dataset.shape = ""; return; }
  if (strip.dataset.shape !== shape) { buildStrip(); strip.dataset.shape = shape; }
  const parameter = isParameter(state.q), series = result => parameter ? result.back.map(b => b.adjoints[`d${state.q}`]) : result.values.map(v => v[state.q]);
  const now = series(view.result), ghost = series(view.ghost);
  const finite = [...now, ...ghost].filter(Number.isFinite), low = Math.min(0, ...finite);
  let high = Math.max(0, ...finite);
  if (low === high) high = low + 1;
  const x = t => 10 + (now.length === 1 ? 0.5 : t / (now.length - 1)) * 980, y = v => 6 + (high - v) / (high - low) * 80;
  const points = values => values.map((v, t) => Number.isFinite(v) ? `${x(t).toFixed(1)},${y(v).toFixed(1)}` : "").join(" ");
  const put = (which, attributes) => { for (const [key, value] of Object.entries(attributes)) strip.querySelector(which).setAttribute(key, value); };
  put(".axis", {x1: 0, x2: 1000, y1: y(0), y2: y(0)});
  put(".marker", {x1: x(state.t - 1), x2: x(state.t - 1), y1: 0, y2: 92});
  put(".line-now", {points: points(now)});
  put(".line-ghost", {points: view.ghost === view.result ? "" : points(ghost)});
  const text = `${parameter ? ": the share of every step in its gradient," : " at every step,"} from ${shown(low, 3)} to ${shown(high, 3)}${view.ghost === view.result ? "" : "; dashed: before anything was changed"}`;
  const range = strip.querySelector(".range");
  if (range.textContent !== text) range.textContent = text;
}
