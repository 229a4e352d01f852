// The graph of one time step: values on nodes, and the gradient's paths with their local partials.

function graph() { return document.querySelector(`.graph[data-cell="${state.cell}"]`); }

function drawGraph(view) {
  for (const one of document.querySelectorAll(".graph, .derivation")) one.classList.toggle("on", one.dataset.cell === state.cell);
  const values = view.result.values[state.t - 1], bad = saturation(about(), values);
  const drawn = [...graph().querySelectorAll(".node")].some(node => node.dataset.name === state.q);
  for (const node of graph().querySelectorAll(".node")) {
    const name = node.dataset.name, value = values[name], chosen = name === state.q;
    put(node.querySelector(".value"), value, 3);
    node.setAttribute("aria-pressed", chosen);
    node.tabIndex = chosen || (!drawn && node === graph().querySelector(".node")) ? 0 : -1;
    node.classList.toggle("shut", bad[name] === "shut");
    node.classList.toggle("wide", bad[name] === "wide");
    node.classList.toggle("bad", !Number.isFinite(value));
    node.classList.toggle("on-path", view.onPath.has(name));
  }
  graph().querySelector(".canvas").classList.toggle("dim", view.edges.size > 0);
  for (const wire of graph().querySelectorAll(".wire")) wire.classList.toggle("back", view.edges.has(wire.dataset.edge));
  for (const slope of graph().querySelectorAll(".slope")) {
    const back = view.edges.has(slope.dataset.edge);
    slope.hidden = !back && !state.slopes;
    slope.classList.toggle("back", back);
    const partial = view.partials[slope.dataset.edge], text = shown(partial, 3);
    if (!slope.hidden) put(slope, partial, 3, text.length > 6 && Number.isFinite(partial) ? short(partial) : text);
  }
  showChosen();
  graph().querySelector(".slopes").setAttribute("aria-pressed", state.slopes);
  drawReads(view);
}

// Scrolls a wide graph to the node that was selected last, once.
function showChosen() {
  const box = graph().querySelector(".scroll"), node = graph().querySelector('.node[aria-pressed="true"]');
  const selected = node ? `${state.cell} ${state.q}` : "";
  if (box.dataset.shown === selected) return;
  box.dataset.shown = selected;
  if (!node) return;
  const at = node.getBoundingClientRect(), seen = box.getBoundingClientRect();
  if (at.left < seen.left || at.right > seen.right) box.scrollLeft += at.left + at.width / 2 - seen.left - seen.width / 2;
}

const reads = (chip, name) => chip.dataset.reads.split(" ").includes(name);

// The chip that is open: the one that was asked for, or the first that has the selected parameter; none once it is shut.
function openChip() {
  if (state.chip === null) return undefined;
  const chips = [...graph().querySelectorAll(".chip")];
  return chips.find(chip => chip.dataset.of === state.chip) ?? chips.find(chip => reads(chip, state.q));
}

// The parameters in the open chip, each with its value and its gradient over all steps.
function drawReads(view) {
  const box = graph().querySelector(".reads"), chip = openChip(), shape = chip ? chip.dataset.of : "";
  for (const one of graph().querySelectorAll(".chip")) one.setAttribute("aria-expanded", one === chip);
  box.hidden = !chip;
  if (box.dataset.shape !== shape) {
    box.dataset.shape = shape;
    box.replaceChildren();
    if (chip) box.append(symbol(chip.dataset.of), element("span", "quiet", " reads"));
    for (const name of chip ? chip.dataset.reads.split(" ") : []) {
      const button = element("button", "parameter"), value = element("span", "num"), slope = element("span", "num slope-of");
      button.type = "button";
      button.dataset.name = name;
      button.append(symbol(name), " = ", value, element("span", "quiet", " ∂ "), slope);
      button.title = `${name}: its value, and the gradient by it, summed over all steps`;
      button.addEventListener("click", () => change({q: state.q === name ? "" : name}));
      box.append(button);
    }
  }
  for (const button of box.querySelectorAll("button")) {
    const name = button.dataset.name, [value, slope] = button.querySelectorAll(".num");
    button.setAttribute("aria-pressed", name === state.q);
    put(value, view.result.values[0][name], 3);
    put(slope, view.result.totals[name], 3);
    button.setAttribute("aria-label", `${name} = ${value.textContent}, gradient ${slope.textContent}`);
  }
}

// From a node to the nearest one in a direction, as the eye sees them.
function neighbour(node, direction) {
  const box = node.getBoundingClientRect(), [dx, dy] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[direction];
  let best = null, least = Infinity;
  for (const other of graph().querySelectorAll(".node")) {
    if (other === node) continue;
    const at = other.getBoundingClientRect();
    const x = at.x + at.width / 2 - box.x - box.width / 2, y = at.y + at.height / 2 - box.y - box.height / 2;
    const along = x * dx + y * dy, across = Math.abs(x * dy) + Math.abs(y * dx);
    if (along > 4 && along + 2 * across < least) [best, least] = [other, along + 2 * across];
  }
  return best;
}
