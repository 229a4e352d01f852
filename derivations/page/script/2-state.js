// One selection, shared by all views and kept in the address: what differs from the default, and nothing else.

// Nothing that a cell or an address names is looked up among what objects have from birth (`constructor`, `valueOf`).
const data = JSON.parse(document.getElementById("data").textContent, (key, value) => value && typeof value === "object" && !Array.isArray(value) ? Object.assign(Object.create(null), value) : value);
const presets = Object.fromEntries(data.presets.map(p => [p.name, p]));
const keys = Object.keys(data.cells);
const state = {cell: keys[0], preset: data.presets[0].name, t: 1, q: "", target: "", path: -1, player: -1, chip: "", slopes: false, changed: {}};

const about = () => data.cells[state.cell];

// The numbers of a cell: the preset's, and what has been changed by hand.
function numbersOf(key) {
  const preset = presets[state.preset], own = preset.numbers[key];
  const parameters = {...own.parameters}, initial = {...own.initial};
  const inputs = Object.fromEntries(Object.entries(preset.inputs[key]).map(([name, xs]) => [name, [...xs]]));
  for (const [id, value] of Object.entries(state.changed)) {
    const [kind, a, b] = id.split(".");
    if (kind === "x" && Object.hasOwn(inputs, a) && b >= 1 && b <= inputs[a].length) inputs[a][b - 1] = value;
    else if (kind === key && Object.hasOwn(parameters, a)) parameters[a] = value;
    else if (kind === `${key}@0` && Object.hasOwn(initial, a)) initial[a] = value;
  }
  return {parameters, initial, inputs};
}

const stepsOf = preset => Object.values(Object.values(preset.inputs)[0])[0].length;

// What a fresh page shows of a preset.
function defaults(cell, preset) {
  const own = data.cells[cell], select = presets[preset].select;
  const target = targetsOf(own).includes(select.target) ? select.target : own.states[0];
  const q = own.defined.includes(select.q) ? select.q : guided(own);
  return {t: Math.min(select.t ?? 1, stepsOf(presets[preset])), target, q};
}

// Where a reader begins: at the first gate, the forget gate of an LSTM.
function guided(own) {
  return own.defined.find(name => own.gates[name] && !own.auto.includes(name)) ?? own.defined[0];
}

function toHash() {
  const first = defaults(state.cell, state.preset), parts = [];
  const put = (key, value) => parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  if (state.cell !== keys[0]) put("cell", state.cell);
  if (state.preset !== data.presets[0].name) put("preset", state.preset);
  for (const key of ["t", "q", "target"]) if (state[key] !== first[key]) put(key, state[key]);
  if (state.slopes) put("partials", "all");
  for (const [id, value] of Object.entries(state.changed)) put(id, value);
  return parts.length ? "#" + parts.join("&") : "";
}

function fromHash(hash) {
  const given = new Map();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at < 1) continue;
    try { given.set(decodeURIComponent(part.slice(0, at)), decodeURIComponent(part.slice(at + 1))); } catch { /* no text */ }
  }
  state.cell = keys.includes(given.get("cell")) ? given.get("cell") : keys[0];
  state.preset = Object.hasOwn(presets, given.get("preset") ?? "") ? given.get("preset") : data.presets[0].name;
  Object.assign(state, {changed: {}, chip: "", path: -1, player: -1, slopes: given.get("partials") === "all"});
  for (const [id, text] of given) {
    const value = Number(text);
    if (/^(x|[A-Za-z0-9_]+(@0)?)\.[A-Za-z0-9_]+(\.\d{1,3})?$/.test(id) && text !== "" && Number.isFinite(value)) state.changed[id] = value;
  }
  const own = about(), first = defaults(state.cell, state.preset), t = Number(given.get("t"));
  state.t = Number.isInteger(t) && t >= 1 && t <= stepsOf(presets[state.preset]) ? t : first.t;
  state.q = given.has("q") && (given.get("q") === "" || nodesOf(state.cell).includes(given.get("q"))) ? given.get("q") : first.q;
  state.target = targetsOf(own).includes(given.get("target")) ? given.get("target") : first.target;
}

// What can be selected: what stands in the graph, and the parameters.
const nodesOf = key => [...[...document.querySelectorAll(`.graph[data-cell="${key}"] .node`)].map(node => node.dataset.name), ...data.cells[key].parameters.map(one => one.name)];
const isParameter = name => about().parameters.some(one => one.name === name);

// Browsers let a page write its address about a hundred times in half a minute: at most once in 0.4 s, the last one surely.
const OFTEN = 400; // ms
let remembered = -Infinity, waiting = 0;
function remember() {
  clearTimeout(waiting);
  const wait = remembered + OFTEN - performance.now();
  if (wait > 0) { waiting = setTimeout(remember, wait); return; }
  remembered = performance.now();
  try { history.replaceState(null, "", toHash() || location.pathname + location.search); } catch { /* a sandboxed frame has no history */ }
}

function link() {
  return location.href.replace(/#.*$/, "") + toHash();
}
