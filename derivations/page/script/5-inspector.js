// The selected quantity: its equation, its gradient as a sum over consumers, its paths, its values at every step.
// It is built when the selection changes; while numbers change, `live` puts the new ones in place.

const inspector = document.getElementById("inspector");
let live = [], built = "";

function drawInspector(view) {
  const paths = view.paths.found.map(path => path.nodes.join(">")).join(" ");
  const shape = [state.cell, state.q, state.t, state.target, state.path, state.player, view.result.steps, paths, view.paths.rest !== 0].join("|");
  if (shape !== built) {
    built = shape;
    live = [];
    const focused = inspector.contains(document.activeElement) ? document.activeElement.dataset.focus : "";
    inspector.replaceChildren(...(state.q ? inspected(view) : [guide()]));
    document.getElementById("handle").textContent = state.q ? `${state.q} at t = ${state.t}` : "Inspector";
    if (focused) inspector.querySelector(`[data-focus="${focused}"]`)?.focus();
    if (state.player >= 0) inspector.querySelector("#player .current")?.scrollIntoView({block: "nearest"});
  }
  for (const refresh of live) refresh(view);
}

// Where to begin, when nothing is selected.
function guide() {
  const box = element("div", "guide"), own = about(), first = guided(own), state0 = own.carry[own.states.at(-1)];
  const offer = (name, text) => {
    const button = element("button");
    button.type = "button";
    button.dataset.focus = `guide ${name}`;
    button.append(symbol(name), element("span", "", text));
    button.setAttribute("aria-label", `${name}, ${text}`);
    button.addEventListener("click", () => change({q: name}));
    box.append(button);
  };
  box.append(element("h3", "", "Begin here"), element("p", "quiet", "Choose a quantity in the graph or in the table below it, and see where its gradient comes from. For example:"));
  offer(first, own.gates[first] ? "this gate: what does the gradient by it depend on?" : "what does the gradient by it depend on?");
  offer(state0, "the step before: by which ways does the gradient go back in time?");
  if (own.parameters.length) offer(own.parameters[0].name, "this parameter: how much does each step add to its gradient?");
  return box;
}

function inspected(view) {
  // A target is what the loss is told, and has no gradient.
  const told = about().targets.includes(state.q), differentiated = told ? [] : [...gradient(view), ...paths(view)];
  return [...heading(), ...equation(), ...differentiated, ...everyStep(view, told), ...(told ? [] : player())];
}

function row(label, ...content) {
  const made = element("div", "row"), first = element("span", "via", typeof label === "string" ? label : "");
  if (typeof label !== "string") first.append(...label);
  const second = element("span", "formula");
  second.append(...content);
  made.append(first, second);
  return made;
}

function heading() {
  const title = element("h3"), label = article(state.q)?.querySelector("h3 span")?.textContent ?? "";
  title.append(symbol(state.q), element("span", "", `${label}, t = ${state.t}`));
  const badges = element("div"), proofs = lines(state.q).map(line => line.querySelector(".proof")?.textContent).filter(Boolean);
  const proved = proofs.filter(p => p === "proved").length;
  if (proofs.length) badges.append(element("span", proved === proofs.length ? "badge" : "badge none", `${proved} of ${proofs.length} steps proved`));
  const checks = data.checks[state.cell] ?? [];
  for (const check of checks) badges.append(element("span", "badge", check));
  if (!checks.length) badges.append(element("span", "badge none", "not held against torch or JAX here"));
  return [title, badges];
}

function equation() {
  const name = state.q, value = element("strong"), readers = own => own.consumers[name] ?? [];
  value.append(number(live, `value ${name}`, view => lookup(view, name), 7));
  const result = element("div", "num", "= ");
  result.append(value);
  if (!about().defined.includes(name)) {
    if (!isParameter(name)) return [result];
    const read = element("div", "formula");
    for (const reader of readers(about())) read.append(formula(`eq ${reader}`));
    return [result, element("h3", "", readers(about()).length > 1 ? "The equations that read it" : "The equation that reads it"), read];
  }
  const box = element("div", "formula");
  box.append(formula(`eq ${name}`), withNumbers(live, prefixed(rightSide(formula(`eq ${name}`)))), result);
  return [element("h3", "", "Equation"), box];
}

function prefixed(math) {
  const sign = document.createElementNS(MATHML, "mo");
  sign.textContent = "=";
  math.firstElementChild.prepend(sign);
  return math;
}

function targetText(view) {
  return state.target === about().loss ? state.target : `${state.target} at t = ${view.result.steps}`;
}

function gradient(view) {
  const name = state.q, last = state.t === view.result.steps, box = element("div", "formula");
  const found = [element("h3", "", `Gradient of ${targetText(view)}`), box];
  box.append(formula(`adjoint ${name}`));
  (about().via[name] ?? []).forEach((consumer, k) => {
    const from = consumer === "t+1" ? (last ? "from the target itself" : `from step ${state.t + 1}`) : consumer === "loss" ? "from the loss, here" : "";
    const value = number(live, `term ${consumer}`, v => v.result.back[state.t - 1].terms[name][k]);
    const term = document.querySelector(`.derivation[data-cell="${state.cell}"] .line[data-key="adjoint ${name}"] [data-q="term ${consumer}"]`);
    if (!from && term) {
      const math = document.createElementNS(MATHML, "math");
      math.append(term.cloneNode(true));
      if (math.querySelector("mo")?.textContent === "+" && leads(math)) math.querySelector("mo").remove();
      found.push(row(["through ", symbol(consumer)], withNumbers(live, math), " = ", value));
    } else found.push(row(from || ["through ", symbol(consumer)], value));
  });
  const sum = row(isParameter(name) ? `share of step ${state.t}` : "total", number(live, `gradient ${name}`, v => v.result.back[state.t - 1].adjoints[`d${name}`], 7));
  sum.classList.add("sum");
  if (isParameter(name)) {
    const whole = row("all steps", number(live, `total ${name}`, v => v.result.totals[name], 7));
    whole.classList.add("whole");
    whole.title = "The gradient by a parameter: the sum of the shares of all steps";
    return [...found, sum, whole];
  }
  const explicit = v => !last ? 0 : name === state.target ? 1 : v.partials[`${state.target},${name}`] ?? 0;
  const told = element("span", "via", name === state.target && last ? " this is the target itself" : ` in the equation of ${state.target} at t = ${view.result.steps} alone, all else held fixed`);
  const immediate = row("immediate", number(live, `immediate ${name}`, explicit), told);
  return [...found, sum, immediate];
}

// Whether a formula begins with a sign.
function leads(math) {
  let at = math;
  while (at.firstElementChild) at = at.firstElementChild;
  return at.localName === "mo";
}

function paths(view) {
  const {found, rest} = view.paths, list = element("ul", "paths");
  found.forEach((path, k) => {
    const item = element("li"), button = element("button"), names = element("span");
    button.type = "button";
    button.dataset.focus = `path ${k}`;
    button.setAttribute("aria-pressed", state.path === k);
    path.nodes.forEach((name, n) => names.append(n ? " → " : "", symbol(name)));
    const entering = element("span", "quiet");
    entering.append(" × ", number(live, `entering ${k}`, v => v.paths.found[k].entering));
    entering.title = "The gradient that enters at the end of this path";
    button.append(names, entering, number(live, `path ${k}`, v => v.paths.found[k].value));
    button.addEventListener("click", () => change({path: state.path === k ? -1 : k}));
    live.push(v => button.setAttribute("aria-label", `path ${path.nodes.join(", ")}: ${shown(v.paths.found[k].value)}`));
    item.append(button);
    list.append(item);
  });
  if (rest) {
    const item = element("li", "quiet", "all others: ");
    item.append(number(live, "path rest", v => v.paths.rest));
    list.append(item);
  }
  const title = element("h3", "", `Paths within the step (${found.length}${rest ? " largest" : ""})`);
  return [title, found.length ? list : element("p", "quiet", "No gradient comes this way.")];
}

function everyStep(view, told) {
  const name = state.q, box = element("div", "scroll"), table = element("table", "steps"), body = document.createElement("tbody");
  const [head, value, slope] = ["t", "value", ...(told ? [] : [isParameter(name) ? "share" : "gradient"])].map(title => {
    const line = body.insertRow(), first = element("th", "", title);
    first.scope = "row";
    line.append(first);
    return line;
  });
  for (let t = 1; t <= view.result.steps; t++) {
    const cells = [head, value, slope].map(line => line?.insertCell()), button = element("button", "", String(t));
    for (const cell of cells) cell?.classList.toggle("at", t === state.t);
    button.type = "button";
    button.dataset.focus = `step ${t}`;
    button.setAttribute("aria-label", `step ${t}`);
    button.addEventListener("click", () => change({t}));
    cells[0].append(button);
    cells[1].append(number(live, `value ${name} ${t}`, v => v.result.values[t - 1][name], 3));
    cells[2]?.append(number(live, `gradient ${name} ${t}`, v => v.result.back[t - 1].adjoints[`d${name}`], 3));
  }
  table.append(body);
  box.append(table);
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Values at every step");
  requestAnimationFrame(() => { const at = table.querySelector("td.at"); if (at) box.scrollLeft = at.offsetLeft - box.clientWidth / 2; });
  return [element("h3", "", "At every step"), box];
}

// The derivation of the selected quantity, one named rule at a time.
function player() {
  const every = lines(state.q), bar = element("div", "bar"), list = element("div");
  const button = (text, focus, label, by) => {
    const made = element("button", "", text);
    made.type = "button";
    made.dataset.focus = focus;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", () => play(by));
    return made;
  };
  const at = state.player < 0 ? `${every.length} steps` : `${state.player + 1} of ${every.length}: ${every[state.player].dataset.rule}`;
  bar.append(button("‹", "back", "One step back", -1), " ", button("Next ›", "next", "Next step of the derivation", 1), " ", element("span", "quiet", at));
  list.id = "player";
  list.setAttribute("aria-live", "polite");
  every.slice(0, state.player + 1).forEach((line, k) => {
    const copy = line.cloneNode(true);
    copy.classList.toggle("current", k === state.player);
    if (k === state.player) light(copy, every[k - 1]);
    list.append(copy);
  });
  return [element("h3", "", "Derive it"), bar, list];
}

// Lights what this line has and the one before had not; where nothing is new, all that is right of its sign.
function light(line, before) {
  const tags = one => one ? [...one.querySelectorAll("[data-q]")].filter(tag => !tag.dataset.q.startsWith("term ")) : [];
  const old = new Set(tags(before).map(tag => tag.dataset.q)), fresh = tags(line).filter(tag => !old.has(tag.dataset.q));
  for (const tag of fresh.length ? fresh : tags(line)) tag.classList.add("lit");
}

function play(by) {
  const most = lines(state.q).length - 1;
  change({player: Math.max(-1, Math.min(most, state.player + by))});
}
