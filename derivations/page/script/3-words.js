// Numbers and formulas as people read them.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const raised = {"-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹"};

function shown(x, digits = 4) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e-3 && size < 1e5) return String(Number(x.toPrecision(digits))).replace("-", "−");
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const power = [...String(Number(exponent))].map(c => raised[c]).join("");
  return `${String(Number(mantissa)).replace("-", "−")}·10${power}`;
}

// A number in the page: what is shown is short, `data-value` is all of it.
function number(live, of, get, digits = 4) {
  const span = element("span", "num");
  if (of) span.dataset.of = of;
  live.push(view => put(span, get(view), digits));
  return span;
}

function put(span, x, digits = 4, text = shown(x, digits)) {
  if (span.textContent !== text) span.textContent = text;
  span.dataset.value = String(x);
}

function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

const article = name => document.querySelector(`.derivation[data-cell="${state.cell}"] article[data-name="${name}"]`);
const lines = name => [...(article(name)?.querySelectorAll(".line") ?? [])];
const formula = key => document.querySelector(`.derivation[data-cell="${state.cell}"] .line[data-key="${key}"] math`)?.cloneNode(true);

function symbol(name) {
  const found = article(name)?.querySelector("h3 math") ?? document.querySelector(`.graph[data-cell="${state.cell}"] .node[data-name="${name}"] math`);
  return found ? found.cloneNode(true) : document.createTextNode(name);
}

// What stands right of the equals sign, as a formula of its own.
function rightSide(math) {
  const row = math.firstElementChild, items = [...row.children];
  const equals = items.findIndex(item => item.localName === "mo" && item.textContent === "=");
  for (const item of items.slice(0, equals + 1)) item.remove();
  return math;
}

// The same formula with numbers in the places of names; `live` keeps them up to date.
function withNumbers(live, math) {
  for (const unseen of math.querySelectorAll("mo")) {
    if (unseen.textContent === "\u2062") {
      unseen.textContent = "·";
      if (unseen.nextElementSibling?.localName === "mspace") unseen.nextElementSibling.remove();
    }
  }
  for (const place of [...math.querySelectorAll("[data-q]")]) {
    const name = place.dataset.q;
    if (name.startsWith("term ")) continue;
    const digits = document.createElementNS(MATHML, "mn"), bare = alone(place);
    live.push(view => {
      const value = lookup(view, name), text = value < 0 && !bare ? `(${shown(value)})` : shown(value);
      if (digits.textContent !== text) digits.textContent = text;
    });
    place.replaceWith(digits);
  }
  return math;
}

// The value of a name at the step that is looked at, or of an adjoint, or of what enters one from outside.
function lookup(view, name) {
  const now = view.result.values[state.t - 1], back = view.result.back[state.t - 1];
  return Object.hasOwn(now, name) ? now[name] : back.adjoints[name] ?? back.entering[name] ?? 0;
}

// Whether a place stands in brackets of its own, or first in its formula, where a minus needs none.
function alone(place) {
  const before = place.previousElementSibling, behind = place.nextElementSibling;
  const open = before?.localName === "mo" && "([".includes(before.textContent);
  const shut = behind?.localName === "mo" && ")]".includes(behind.textContent);
  return open && shut;
}
