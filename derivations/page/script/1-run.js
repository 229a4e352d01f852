// A cell over time: the emitted steps, joined by the states forward and by their adjoints backward.

function run(program, about, numbers, target, lossSteps) {
  const steps = numbers.inputs[about.inputs[0]].length;
  const values = [], back = [];
  let states = Object.fromEntries(about.states.map(s => [about.carry[s], numbers.initial[s]]));
  for (let t = 0; t < steps; t++) {
    const given = {...numbers.parameters, ...states};
    for (const name of [...about.inputs, ...about.targets]) given[name] = numbers.inputs[name][t];
    const now = program.forward(given);
    values.push(now);
    states = Object.fromEntries(about.states.map(s => [about.carry[s], now[s]]));
  }
  let carried = Object.fromEntries(about.states.map(s => [`d${s}_next`, s === target ? 1 : 0]));
  for (let t = steps - 1; t >= 0; t--) {
    const entering = {...carried};
    if (target === about.loss) entering[`d${target}_out`] = lossSteps.includes(t + 1) ? 1 : 0;
    else if (!about.states.includes(target)) entering[`d${target}_out`] = t === steps - 1 ? 1 : 0;
    const found = program.back(values[t], entering);
    found.entering = entering;
    back[t] = found;
    carried = Object.fromEntries(about.states.map(s => [`d${s}_next`, found.adjoints[`d${about.carry[s]}`]]));
  }
  const totals = {};
  for (const {name} of about.parameters) totals[name] = back.reduce((sum, b) => sum + b.adjoints[`d${name}`], 0);
  return {steps, values, back, totals};
}

// The targets that can be asked for: states at the last step, readouts there, and the loss.
function targetsOf(about) {
  return [...about.states, ...about.readouts, ...(about.loss ? [about.loss] : [])];
}

// What enters a name from outside its step: from the loss, and from the step after.
function enters(about, entering, name) {
  const out = about.seeded.includes(name) ? entering[`d${name}_out`] ?? 0 : 0;
  const next = about.states.includes(name) ? entering[`d${name}_next`] ?? 0 : 0;
  return out + next;
}

// Every path within the step from a name to where a gradient enters, each the product of its local partials times what
// enters there; they add up to the adjoint. Of more than `most`, the rest is one sum.
function pathsFrom(about, partials, entering, name, most = 40) {
  const found = [];
  let rest = 0;
  function walk(at, nodes, product) {
    const here = enters(about, entering, at);
    if (here !== 0) {
      const path = {nodes: [...nodes], product, entering: here, value: product * here};
      if (found.length < most) found.push(path); else rest += path.value;
    }
    for (const of of about.consumers[at] ?? []) walk(of, [...nodes, of], product * partials[`${of},${at}`]);
  }
  walk(name, [name], 1);
  found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return {found, rest};
}

// The first quantity, step by step, that is no number or beyond all numbers.
function firstBad(about, result) {
  for (let t = 0; t < result.steps; t++)
    for (const name of about.defined) {
      const value = result.values[t][name];
      if (!Number.isFinite(value)) return {name, t: t + 1, what: Number.isNaN(value) ? "is not a number" : "overflows"};
    }
  for (let t = result.steps - 1; t >= 0; t--)
    for (const [name, value] of Object.entries(result.back[t].adjoints))
      if (!Number.isFinite(value)) return {name: `the gradient by ${name.slice(1)}`, t: t + 1, what: Number.isNaN(value) ? "is not a number" : "overflows"};
  return null;
}

// Gates that are shut or open to two digits.
function saturation(about, values) {
  const found = Object.create(null);
  for (const [name, kind] of Object.entries(about.gates)) {
    if (kind === "sigmoid" || kind === "hard_sigmoid") {
      if (values[name] < 0.01) found[name] = "shut"; else if (values[name] > 0.99) found[name] = "wide";
    }
  }
  return found;
}
