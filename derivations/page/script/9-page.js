// One change at a time: the state, then the numbers, then every view of them.

function compute() {
  const own = about(), lossSteps = data.loss_steps ?? [];
  const at = key => lossSteps.length ? lossSteps : [stepsOf(presets[state.preset])];
  const result = run(programs[state.cell], own, numbersOf(state.cell), state.target, at());
  const partials = programs[state.cell].partials(result.values[state.t - 1]);
  const others = {};
  for (const key of keys) if (key !== state.cell) {
    const target = targetsOf(data.cells[key]).includes(state.target) ? state.target : data.cells[key].states[0];
    others[key] = run(programs[key], data.cells[key], numbersOf(key), target, at());
  }
  const changed = state.changed;
  state.changed = {};
  const ghost = Object.keys(changed).length ? run(programs[state.cell], own, numbersOf(state.cell), state.target, at()) : result;
  state.changed = changed;
  const found = state.q ? pathsFrom(own, partials, result.back[state.t - 1].entering, state.q) : {found: [], rest: 0};
  const chosen = state.path >= 0 && state.path < found.found.length ? [found.found[state.path]] : found.found;
  const edges = new Set(), onPath = new Set();
  for (const path of chosen) {
    path.nodes.forEach((name, k) => { onPath.add(name); if (k) edges.add(`${name},${path.nodes[k - 1]}`); });
  }
  return {result, partials, others, ghost, paths: found, edges, onPath};
}

function update() {
  const began = performance.now(), view = compute(), computed = performance.now();
  drawGraph(view);
  drawInspector(view);
  drawHeat(view);
  drawNumbers();
  document.getElementById("now").textContent = `t = ${state.t} of ${view.result.steps}`;
  document.getElementById("earlier").disabled = state.t === 1;
  document.getElementById("later").disabled = state.t === view.result.steps;
  warn(view);
  remember();
  document.documentElement.dataset.computed = (computed - began).toFixed(3);
  document.documentElement.dataset.drawn = (performance.now() - computed).toFixed(3);
}

function warn(view) {
  const bad = firstBad(about(), view.result), says = [];
  if (bad) says.push(`${bad.name} ${bad.what}, first at t = ${bad.t}.`);
  const spans = new Map(); // of a gate that is shut or open: from which step to which
  view.result.values.forEach((values, k) => {
    for (const [name, kind] of Object.entries(saturation(about(), values))) {
      const of = `${name} is ${kind === "shut" ? "shut (below 0.01)" : "open (above 0.99)"}`, own = spans.get(of) ?? [];
      if (own.at(-1)?.[1] === k) own.at(-1)[1] = k + 1; else own.push([k + 1, k + 1]);
      spans.set(of, own);
    }
  });
  const saturated = [...spans].map(([of, own]) => `${of} at t = ${own.slice(0, 3).map(([a, b]) => a === b ? a : `${a} to ${b}`).join(", ")}${own.length > 3 ? " and later" : ""}`);
  if (saturated.length) says.push(`${saturated.join("; ")}: next to no gradient passes to the preactivation there.`);
  const box = document.getElementById("warning"), text = says.join(" ");
  box.classList.toggle("bad", Boolean(bad));
  if (box.textContent !== text) box.textContent = text;
}

function change(what) {
  if ("q" in what && what.q !== state.q || "t" in what && what.t !== state.t) state.path = -1;
  if ("q" in what && what.q !== state.q) {
    state.player = -1;
    const chip = graph().querySelector(`.chip[data-of="${what.q}"]`), open = openChip();
    if (chip) state.chip = what.q; else if (isParameter(what.q) && !(open && reads(open, what.q))) state.chip = "";
  }
  Object.assign(state, what);
  update();
}

// Another cell or other numbers: the selection begins anew, the changes by hand to the inputs stay.
function choose(cell, preset) {
  const fresh = preset !== state.preset;
  Object.assign(state, {cell, preset, path: -1, player: -1, chip: ""});
  if (fresh) state.changed = {};
  const first = defaults(cell, preset);
  Object.assign(state, {q: nodesOf(cell).includes(state.q) && !fresh ? state.q : first.q, t: fresh ? first.t : state.t});
  state.target = targetsOf(about()).includes(state.target) && !fresh ? state.target : first.target;
  rebuild();
  update();
}

function rebuild() {
  const target = document.getElementById("target");
  target.replaceChildren(...targetsOf(about()).map(name => {
    const option = element("option", "", name === about().loss ? `the loss ${name}` : `${name} at the last step`);
    option.value = name;
    return option;
  }));
  target.value = state.target;
  document.getElementById("preset").value = state.preset;
  document.getElementById("says").textContent = presets[state.preset].says;
  for (const button of document.querySelectorAll(".choice")) button.setAttribute("aria-pressed", button.dataset.cell === state.cell);
  buildNumbers();
}

for (const button of document.querySelectorAll(".choice")) button.addEventListener("click", () => choose(button.dataset.cell, state.preset));
for (const node of document.querySelectorAll(".node")) {
  node.addEventListener("click", () => change({q: state.q === node.dataset.name ? "" : node.dataset.name}));
}
for (const chip of document.querySelectorAll(".chip")) chip.addEventListener("click", () => change({chip: openChip() === chip ? null : chip.dataset.of}));
for (const button of document.querySelectorAll(".slopes")) button.addEventListener("click", () => change({slopes: !state.slopes}));
document.getElementById("preset").addEventListener("change", event => choose(state.cell, event.target.value));
document.getElementById("target").addEventListener("change", event => change({target: event.target.value, path: -1}));
document.getElementById("earlier").addEventListener("click", () => change({t: Math.max(1, state.t - 1)}));
document.getElementById("later").addEventListener("click", () => change({t: Math.min(stepsOf(presets[state.preset]), state.t + 1)}));
document.getElementById("reset").addEventListener("click", () => { state.changed = {}; update(); });
document.getElementById("copy").addEventListener("change", event => { const kind = event.target.value; event.target.value = ""; if (kind) copy(kind); });
document.getElementById("handle").addEventListener("click", () => {
  const up = document.getElementById("sheet").classList.toggle("up");
  document.getElementById("handle").setAttribute("aria-expanded", up);
});
document.getElementById("help").addEventListener("click", keysShown);

function keysShown() {
  const keysBox = document.getElementById("keys");
  keysBox.hidden = !keysBox.hidden;
  document.getElementById("help").setAttribute("aria-expanded", !keysBox.hidden);
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const node = event.target.closest?.(".node"), steps = stepsOf(presets[state.preset]);
  if (event.key.startsWith("Arrow") && node) {
    const next = neighbour(node, event.key);
    event.preventDefault();
    if (next) { change({q: next.dataset.name}); next.focus(); }
  }
  else if (event.key === "[") change({t: Math.max(1, state.t - 1)});
  else if (event.key === "]") change({t: Math.min(steps, state.t + 1)});
  else if (event.key === "," && state.q) play(-1);
  else if (event.key === "." && state.q) play(1);
  else if (event.key === "t") { const all = targetsOf(about()); change({target: all[(all.indexOf(state.target) + 1) % all.length], path: -1}); document.getElementById("target").value = state.target; }
  else if (event.key === "p") change({slopes: !state.slopes});
  else if (event.key === "Escape") change({q: "", path: -1, chip: ""});
  else if (event.key === "?") keysShown();
});

window.addEventListener("hashchange", () => { fromHash(location.hash); rebuild(); update(); });
const derivations = [...document.querySelectorAll("details.derivation")];
window.addEventListener("beforeprint", () => derivations.forEach(one => { one.open = true; }));
derivations.forEach(one => { one.open = false; });
document.documentElement.classList.add("js");
fromHash(location.hash);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { tonesNow = null; drawLegend(); update(); });
drawLegend();
rebuild();
update();
