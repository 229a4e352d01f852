// The graph of one time step: values on nodes, and the gradient's paths with their local partials.

function graph() { return document.querySelector(`.graph[data-cell="${state.cell}"]`); }

function drawGraph(view) {
  for (const one of document.querySelectorAll(".graph, .derivation")) one.classList.toggle("on", one.dataset.cell === state.cell);
  const values = view.result.values[state.t - 1], bad = saturation(about(), values);
  for (const node of graph().querySelectorAll(".node")) {
    const name = node.dataset.name, value = values[name], chosen = name === state.q;
    put(node.querySelector(".value"), value, 3);
    node.setAttribute("aria-pressed", chosen);
    node.tabIndex = chosen || (!state.q && node === graph().querySelector(".node")) ? 0 : -1;
    node.classList.toggle("shut", bad[name] === "shut");
    node.classList.toggle("wide", bad[name] === "wide");
    node.classList.toggle("bad", !Number.isFinite(value));
    node.classList.toggle("on-path", view.onPath.has(name));
  }
  graph().querySelector(".canvas").classList.toggle("dim", view.edges.size > 0);
  for (const wire of graph().querySelectorAll(".wire")) wire.classList.toggle("back", view.edges.has(wire.dataset.edge));
  for (const slope of graph().querySelectorAll(".slope")) {
    slope.hidden = !view.edges.has(slope.dataset.edge);
    if (!slope.hidden) put(slope, view.partials[slope.dataset.edge], 3);
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
