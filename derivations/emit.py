"""A derivation as source text in another language: the scalar view, one step forward and one step back.

Text only: nothing is run here. Names are kept, labels become comments, and what would lose digits near saturation is
written so that it does not: 1 - f with f = sigmoid(a) is sigmoid(-a), and 1 - tanh(c)**2 is sech2(c) (the derivation
that is shown stays as it is).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.expression import (
    Add,
    Adjoint,
    Call,
    Detach,
    Div,
    Expr,
    Mul,
    Name,
    Neg,
    Num,
    Pow,
    children,
    rebuild,
    scalar_view,
    total,
)

# --- expressions --------------------------------------------------------------------------------------------------

# Names of a cell that mean something else in the emitted program; an underscore at the end is in no cell's name.
TAKEN = {"Math", "NaN", "adjoints", "arguments", "d", "given", "sech2", "sum", "terms", "undefined", "values"}
TAKEN |= {"debugger", "default", "delete", "do"}  # words of the language that the adjoint of a name can be
SUM, PRODUCT, UNARY, ATOM = range(4)


def javascript_expression(expr: Expr) -> str:
    """An expression of the scalar view in JavaScript."""
    return _text(expr)[0]


def _text(expr: Expr) -> tuple[str, int]:
    def within(part: Expr, level: int) -> str:
        text, own = _text(part)
        return text if own >= level else f"({text})"

    match expr:
        case Name(id):
            return spelled(id), ATOM
        case Adjoint():
            return spelled(expr.id), ATOM
        case Num(value):
            return _number(value)
        case Add(terms):
            text = within(terms[0], PRODUCT)
            for term in terms[1:]:
                text += f" - {within(term.arg, PRODUCT)}" if isinstance(term, Neg) else f" + {within(term, PRODUCT)}"
            return text, SUM
        case Neg(arg):
            return f"-{within(arg, ATOM)}", UNARY
        case Mul(factors):
            # From the left, as our own arithmetic multiplies; a quotient in front needs no brackets for that.
            return "*".join(within(f, PRODUCT if k == 0 else UNARY) for k, f in enumerate(factors)), PRODUCT
        case Div(above, below):
            return f"{within(above, PRODUCT)}/{within(below, ATOM)}", PRODUCT
        case Pow(base, exponent):
            return "*".join([within(base, ATOM)] * exponent), PRODUCT
        case Call(function, args):
            return f"{FUNCTIONS[function][0]}({', '.join(_text(arg)[0] for arg in args)})", ATOM
        case Detach(arg):
            return _text(arg)
    raise ValueError(f"{type(expr).__name__} has no scalar view")


def _number(value: Fraction) -> tuple[str, int]:
    if value.denominator == 1 and abs(value.numerator) < 2**53:
        return str(value.numerator), ATOM if value >= 0 else UNARY
    if value < 0:
        return f"-{_number(-value)[0]}", UNARY
    return repr(float(value)), ATOM


def spelled(name: str) -> str:
    """A cell's name, or an adjoint's, in the emitted program."""
    return f"{name}_" if name in TAKEN else name


# What each function is in JavaScript, and the text that defines it; Math's own need none. Each is right at both ends.
FUNCTIONS: dict[str, tuple[str, str]] = {
    "sigmoid": (
        "sigmoid",
        "function sigmoid(x) { const e = Math.exp(-Math.abs(x)); return (x >= 0 ? 1 : e)/(1 + e); }",
    ),
    "tanh": ("Math.tanh", ""),
    "exp": ("Math.exp", ""),
    "log": ("Math.log", ""),
    "sqrt": ("Math.sqrt", ""),
    "softplus": (
        "softplus",
        "function softplus(x) { return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))); }",
    ),
    "logsigmoid": (
        "logsigmoid",
        "function logsigmoid(x) { return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))); }",
    ),
    "relu": ("relu", "function relu(x) { return Math.max(x, 0); }"),
    "abs": ("Math.abs", ""),
    "max": ("Math.max", ""),
    "min": ("Math.min", ""),
    "clip": ("clip", "function clip(x, low, high) { return Math.min(Math.max(x, low), high); }"),
    "hard_sigmoid": (
        "hard_sigmoid",
        "function hard_sigmoid(x) { return Math.min(Math.max(x/6 + 0.5, 0), 1); }",
    ),
    "_step": ("step_", "function step_(x) { return x > 0 ? 1 : x <= 0 ? 0 : NaN; }"),
    "_sign": ("Math.sign", ""),
    "_above": ("above_", "function above_(a, b) { return a > b ? 1 : a < b ? 0 : a === b ? 0.5 : NaN; }"),
    "_inside": (
        "inside_",
        "function inside_(x, low, high) { return low < x && x < high ? 1 : x <= low || x >= high ? 0 : NaN; }",
    ),
    "sech2": (
        "sech2",
        "function sech2(x) { const e = Math.exp(-2*Math.abs(x)); return 4*e/((1 + e)*(1 + e)); }",
    ),
}


# --- stable forms -------------------------------------------------------------------------------------------------


def stable(expr: Expr, cell: Cell) -> Expr:
    """The same value with complements that cancel written as functions: sigmoid(-a) for 1 - sigmoid(a)."""
    match expr:
        case Add((Num(one), Neg(inner))) if one == 1:
            match _applied(inner, cell):
                case Call("sigmoid", (a,)):
                    return Call("sigmoid", (-a,))
            match inner:
                case Pow(base, 2):
                    match _applied(base, cell):
                        case Call("tanh", args):
                            return Call("sech2", args)
    old = children(expr)
    new = tuple(stable(child, cell) for child in old)
    return expr if new == old else rebuild(expr, new)


def _applied(expr: Expr, cell: Cell) -> Expr:
    """A name as the function that defines it, where it is one."""
    if isinstance(expr, Name) and expr.id in cell.defined:
        return scalar_view(cell.equation(expr.id).rhs)
    return expr


# --- programs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Emitted:
    """The source of one cell: `functions` that it calls, by name, and its own text."""

    functions: dict[str, str]
    text: str


def javascript(derivation: Derivation, name: str) -> Emitted:
    """One step of a cell in JavaScript, as an object `name` with three pure functions over plain objects.

    `forward(given)` takes parameters, inputs, targets and previous states by name, and returns them with every defined
    name. `partials(values)` takes that and returns the local partials, keyed "of,wrt". `back(values, d)` takes it and
    what enters from outside (`dh_out` from the loss, `dh_next` from the next step), and returns the `adjoints` by their
    own names and the `terms` of each, by the name that it is of, in the order in which the derivation has them.

    Raises:
        ValueError: the cell stacks vectors, so that it has no scalar view.
    """
    cell = derivation.cell
    used: dict[str, str] = {}

    def code(expr: Expr) -> str:
        scalar = stable(scalar_view(expr), cell)
        for node in _calls(scalar):
            called, text = FUNCTIONS[node.function]
            if text:
                used[called] = text
        return javascript_expression(scalar)

    everything = (*cell.leaves, *cell.defined)
    lines = [f"const {name} = {{", "  forward(given) {", f"    const {_unpacked(cell.leaves)} = given;"]
    for equation in cell.equations:
        label = f" // {_comment(equation.label)}" if equation.label else ""
        lines.append(f"    const {spelled(equation.target)} = {code(equation.rhs)};{label}")
    lines += [f"    return {{...given, {', '.join(map(_kept, cell.defined))}}};", "  },"]

    lines += ["  partials(values) {", f"    const {_unpacked(everything)} = values;", "    return {"]
    edges: dict[tuple[str, str], list[Expr]] = {}
    for step in derivation.partials:
        edges.setdefault((step.of, step.wrt), []).append(scalar_view(step.rhs))
    lines += [f'      "{of},{wrt}": {code(total(*slopes))},' for (of, wrt), slopes in edges.items()]
    lines += ["    };", "  },"]

    lines += ["  back(values, d) {", f"    const {_unpacked(everything)} = values;"]
    entering = [f"d{name}_out" for name in cell.seeded] + [f"d{state}_next" for state in cell.states]
    lines.append(f"    const {{{', '.join(f'{id_} = 0' for id_ in entering)}}} = d, terms = {{}}, adjoints = {{}};")
    for step in derivation.adjoints:
        listed = ", ".join(code(term.expr) for term in step.terms)
        own = f"d{step.wrt}"
        lines.append(f"    const {spelled(own)} = adjoints.{own} = sum(terms.{step.wrt} = [{listed}]);")
    lines += ["    return {terms, adjoints};", "  },", "};"]
    used["sum"] = "function sum(terms) { let s = 0; for (const term of terms) s += term; return s; }"
    return Emitted(used, "\n".join(lines) + "\n")


def _calls(expr: Expr) -> Iterator[Call]:
    if isinstance(expr, Call):
        yield expr
    for child in children(expr):
        yield from _calls(child)


def _unpacked(names: tuple[str, ...]) -> str:
    return "{" + ", ".join(n if spelled(n) == n else f"{n}: {spelled(n)}" for n in names) + "}"


def _kept(name: str) -> str:
    return name if spelled(name) == name else f"{name}: {spelled(name)}"


def _comment(text: str) -> str:
    """A label as a comment that ends with its line, wherever the program is put: words and a little punctuation."""
    return " ".join(re.sub(r"[^\w ,.'()-]", " ", text).split())
