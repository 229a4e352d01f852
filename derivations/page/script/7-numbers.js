// Sliders for parameters, by gate, and the inputs at every step.

function buildNumbers() {
  const sliders = document.getElementById("sliders"), own = about(), preset = presets[state.preset].numbers[state.cell];
  sliders.replaceChildren();
  const groups = new Map();
  for (const parameter of own.parameters) groups.set(parameter.group, [...(groups.get(parameter.group) ?? []), parameter]);
  for (const [title, parameters] of groups) {
    const set = element("fieldset");
    set.append(element("legend", "", title || "parameters"));
    for (const parameter of parameters) set.append(slider(`${state.cell}.${parameter.name}`, parameter.name, preset.parameters[parameter.name], parameter.positive));
    sliders.append(set);
  }
  const initial = element("fieldset");
  initial.append(element("legend", "", "before the first step"));
  for (const name of own.states) initial.append(slider(`${state.cell}@0.${name}`, own.carry[name], preset.initial[name], false));
  sliders.append(initial);
  buildInputs();
}

function slider(id, name, start, positive) {
  const row = element("div", "slider"), track = element("span", "track"), range = element("input"), exact = element("input"), ghost = element("span", "ghost");
  const most = Math.max(12, Math.abs(start)), least = positive ? 0.01 : -most;
  const label = element("button", "inspect");
  range.type = "range"; range.min = least; range.max = most; range.step = "any"; range.id = `range ${id}`;
  exact.type = "number"; exact.step = "any"; exact.setAttribute("aria-label", `${name}, exactly`);
  range.setAttribute("aria-label", name);
  label.type = "button"; label.append(symbol(name)); label.title = `Inspect ${name}`; label.setAttribute("aria-label", `Inspect ${name}`); label.dataset.name = name;
  label.addEventListener("click", () => change({q: name}));
  ghost.style.setProperty("--at", (start - least) / (most - least));
  for (const input of [range, exact]) {
    input.dataset.id = id; input.dataset.start = String(start);
    input.addEventListener("input", () => {
      const value = Number(input.value);
      if (input.value !== "" && Number.isFinite(value) && (!positive || value > 0)) set(id, value, start);
    });
  }
  track.append(range, ghost); row.append(label, track, exact);
  return row;
}

function buildInputs() {
  const box = document.getElementById("inputs"), own = about(), inputs = presets[state.preset].inputs[state.cell];
  const table = element("table"), body = document.createElement("tbody");
  for (const name of [...own.inputs, ...own.targets]) {
    const row = body.insertRow(), title = element("th");
    title.scope = "row"; title.append(symbol(name)); row.append(title);
    inputs[name].forEach((start, k) => {
      const cell = row.insertCell(), input = element("input");
      input.type = "number"; input.step = "any"; input.dataset.id = `x.${name}.${k + 1}`; input.dataset.start = String(start);
      input.setAttribute("aria-label", `${name} at t = ${k + 1}`);
      input.addEventListener("input", () => { const value = Number(input.value); if (input.value !== "" && Number.isFinite(value)) set(`x.${name}.${k + 1}`, value, start); });
      cell.append(input);
    });
  }
  table.append(body); box.replaceChildren(table);
}

function set(id, value, start) {
  if (value === start) delete state.changed[id]; else state.changed[id] = value;
  update();
}

function drawNumbers() {
  for (const input of document.querySelectorAll("#numbers input")) {
    const value = String(state.changed[input.dataset.id] ?? input.dataset.start);
    if (input !== document.activeElement && input.value !== value) input.value = value;
  }
  for (const label of document.querySelectorAll("#numbers .inspect")) label.setAttribute("aria-pressed", label.dataset.name === state.q);
}
