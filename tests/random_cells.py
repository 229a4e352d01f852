"""Random valid cells, as text: what a person might write in the language, every atom and function of it.

Sizes are kept track of while the text is written, so that it is valid at once and no draw is wasted. What is written
is always a text: the reader of the language is a part of what is tested.
"""

import re
from dataclasses import dataclass, field

from hypothesis import reject
from hypothesis import strategies as st

from derivations.cell import CellError
from derivations.language import read

# Names of every legal kind: letters, Greek, marks, subscripts, digits, words of SymPy, Python and its libraries.
NAMES = (
    *"fgikmopqrsuvwzABCEFGIKNOQRSTUVXY",
    *("alpha", "beta", "gamma", "eta", "lamb", "theta_f", "Omega", "pi", "xi", "Phi_q"),
    *("c_tilde", "y_hat", "m_bar", "s_star", "to_out", "W_xf", "V_rec", "b_f", "U_gate", "R_recurrent", "theta_hc"),
    *("y0", "W2", "k12", "tau_12", "H3x", "w_7_b", "Gate", "hState", "OUTPUT", "Kernel", "x_y_z_w", "n_steps"),
    *("np", "jnp", "torch", "math", "self", "id", "print", "Symbol", "Derivative", "oo", "re", "lhs", "json"),
    "a_very_long_name_that_has_forty_letters0",
)
LABELS = (
    "forget gate",
    "input gate",
    "candidate",
    "what is kept (in part)",
    "u/v",
    "it's a map",
    "step 1.5",
    "Read-out",
)
REMARKS = ("as in the paper", "to do: why?", "f = not * an @ equation", "100 %, {braces} & \\macros")
NUMBERS = ("1", "2", "1/3", "0.25", "3", "0.5", "1e-2")
ONE_ARGUMENT = ("sigmoid", "tanh") * 2 + ("exp", "softplus", "logsigmoid", "relu", "abs", "hard_sigmoid")
REDUCTIONS = ("sum", "mean", "logsumexp", "dot")
VECTORS = ("n", "n", "p")  # of the states
INPUTS = ("m", "m", "q")


@dataclass
class _Writer:
    """A cell being written: what is declared so far, by name, with its size: "" a scalar, "n" a vector, "nm" a matrix."""

    draw: st.DrawFn
    known: dict[str, str] = field(default_factory=dict)  # what an equation may read
    parameters: dict[str, str] = field(default_factory=dict)
    positive: list[str] = field(default_factory=list)
    free: list[str] = field(default_factory=lambda: list(NAMES))
    frugal: bool = False  # without parameters
    alone: list[str] = field(default_factory=list)  # parameters that are read once
    facts: list[str] = field(default_factory=list)

    # what may be drawn

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) >= 100 - percent  # shrinks to no

    def one(self, group: tuple[str, ...] | list[str]) -> str:
        return self.draw(st.sampled_from(group))

    def name(self) -> str:
        chosen = self.one(self.free)
        self.free.remove(chosen)
        return chosen

    def of_size(self, size: str) -> list[str]:
        return [name for name, own in self.known.items() if own == size]

    def depth(self) -> int:
        return self.draw(st.sampled_from((2, 1, 3, 2)))

    def given(self, usual: str) -> str:
        """What an input or a state is called; with `_prev` behind it, it is within the longest that a name may be."""
        chosen = self.name() if self.chance(40) else usual
        return usual if len(chosen) > 30 else chosen

    def parameter(self, size: str, positive: bool = False) -> str:
        """A parameter of a size: at times one that is there."""
        same = [n for n, own in self.parameters.items() if own == size and (n in self.positive) == positive]
        if same and (self.chance(25) or len(self.free) < 12):
            return self.one(same)
        if len(self.free) < 12:  # names are running out: states, readout and loss want theirs
            return ""
        name = self.name()
        self.parameters[name] = size
        if positive:
            self.positive.append(name)
        return name

    # expressions: each is a text that may stand as a factor

    def scalar(self, depth: int) -> str:
        choices = ["number"]
        if self.of_size(""):
            choices += ["name", "name"]
        if not self.frugal:
            choices.append("parameter")
        if depth and self._sizes():
            choices += ["reduction", "reduction"]
        match self.one(choices):
            case "name":
                return self.one(self.of_size(""))
            case "parameter":
                return self.parameter("") or "2"
            case "reduction":
                kind, size = self.one(REDUCTIONS), self.one(self._sizes())
                # A vector by a name: what stands in a reduction must be one beyond doubt.
                parts = [self.one(self.of_size(size)) for _ in range(2 if kind == "dot" else 1)]
                return f"{kind}({', '.join(parts)})"
        number = self.one(NUMBERS)
        return f"({number})" if "/" in number else number

    def _sizes(self) -> list[str]:
        """The sizes of the vectors that are there."""
        return sorted({size for size in self.known.values() if len(size) == 1})

    def vector(self, size: str, depth: int) -> str:
        if not depth:
            names = self.of_size(size)
            if names and (self.frugal or self.chance(80)):
                return self.one(names)
            return self.parameter(size) if not self.frugal and len(self.free) > 12 else self.linear(size, 0)
        kinds = [
            "call",
            "call",
            "sum",
            "sum",
            "product",
            "power",
            "quotient",
            "scaled",
            "pair",
            "clip",
            "log",
            "held",
            "held",
        ]
        if not self.frugal:
            kinds += ["linear"] * 5
        inner = depth - 1
        match self.one(kinds):
            case "call":
                return f"{self.one(ONE_ARGUMENT)}({self.bare(size, inner)})"
            case "sum":
                return f"({self.bare(size, depth)})"
            case "product":
                return f"({self.vector(size, inner)} * {self.vector(size, inner)})"
            case "power":
                return f"({self.vector(size, inner)}**{self.draw(st.integers(2, 3))})"
            case "quotient":
                return f"({self.vector(size, inner)} / (1 + {self.vector(size, 0)}**2))"
            case "scaled":
                return f"({self.scalar(inner)} * {self.vector(size, inner)})"
            case "pair":
                first, second = self.bare(size, inner), self.vector(size, 0)
                # Of two that are one, every point is a kink.
                return f"{self.one(('max', 'min'))}({first}, {'1' if second in first else second})"
            case "clip":
                return f"clip({self.bare(size, inner)}, -1, {self.one(('1', '2'))})"
            case "log":
                more = (not self.frugal and self.parameter("", positive=True)) or "0.5"
                return f"{self.one(('log', 'sqrt'))}({self.vector(size, inner)}**2 + {more})"
            case "held":
                return f"detach({self.bare(size, inner)})" if self.chance(60) else f"(-{self.vector(size, inner)})"
        return self.linear(size, inner)

    def bare(self, size: str, depth: int) -> str:
        """A sum, without its brackets."""
        inner = max(depth - 1, 0)
        text = self.vector(size, inner)
        for _ in range(self.draw(st.integers(0, 2))):
            text += f" {self.one(('+', '-'))} "
            text += self.scalar(inner) if self.chance(20) else self.vector(size, inner)
        return text

    def linear(self, size: str, depth: int) -> str:
        """A linear map into a size, of what is there."""
        if self.frugal:  # no parameters: a vector of that size is always there
            return self.one(self.of_size(size))
        matrices = self.of_size(size + size)
        if matrices and self.chance(50):
            return f"({self.one(matrices)} @ {self.vector(size, 0)})"
        source = self.one(self._sizes())
        if self.chance(20):
            other = self.one(self._sizes())
            matrix = self.parameter(f"{size}{source}{other}")
            parts = f"[{self.one(self.of_size(source))}; {self.one(self.of_size(other))}]"
            return f"({matrix} @ {parts})" if matrix else self.one(self.of_size(size))
        argument = f"({self.bare(source, depth)})" if depth and self.chance(40) else self.one(self.of_size(source))
        match self.one(("plain", "plain", "plain", "plain", "turned", "row")):
            case "plain":
                matrix = self.parameter(size + source)
                return f"({matrix} @ {argument})" if matrix else self.one(self.of_size(size))
            case "turned":
                matrix = self.parameter(source + size)
                return f"({matrix}.T @ {argument})" if matrix else self.one(self.of_size(size))
        matrix = self.parameter(source + size)
        return f"({argument} @ {matrix})" if matrix else self.one(self.of_size(size))

    # equations

    def line(self, target: str, rhs: str) -> str:
        label = f"{self.one(LABELS)}: " if self.chance(40) else ""
        remark = f"  # {self.one(REMARKS)}" if self.chance(10) else ""
        return f"{label}{target} = {rhs}{remark}"

    def gate(self, size: str) -> tuple[str, str]:
        """A gate with a bias of its own, whose gradient is that of the preactivation."""
        source, matrix, bias, target = self.one(self._sizes()), self.name(), self.name(), self.name()
        self.parameters[matrix] = size + source
        self.alone.append(bias)
        rhs = f"{self.one(('sigmoid', 'tanh'))}({matrix} @ {self.one(self.of_size(source))} + {bias})"
        self.facts.append(f"d{bias} = da_{target}")
        return target, rhs

    def state(self, name: str, size: str) -> str:
        """The equation of a state, which stays within bounds more often than not."""
        before = f"{name}_prev"
        if len(size) == 2:
            # With a factor below one, so that it does not grow.
            return f"0.5 * {before} + outer({self.vector(size[0], 0)}, {self.vector(size[1], 0)})"
        if size == "":
            return f"sigmoid({self.scalar(1)} * {before} + {self.scalar(1)})"
        kind = self.one(("squashed", "squashed", "gated", "free"))
        if kind == "squashed":
            return f"tanh({self.bare(size, 2)})"
        if kind == "gated":
            gate = f"sigmoid({self.vector(size, 0)})"
            return f"{gate} * {before} + (1 - {gate}) * tanh({self.bare(size, 1)})"
        return f"{before} / 2 + {self.bare(size, 2)}"


# An equation may read `h @ W` before anything says that h is a vector; the reader then takes it for a matrix.
AMBIGUOUS = ("shapes do not fit", "takes vectors", "takes a matrix", " joins two ", "has a transpose")


@st.composite
def random_cells(draw: st.DrawFn) -> str:
    """The text of a random valid cell."""
    text = draw(random_texts())
    try:
        read(text)
    except CellError as error:
        if any(words in error.message for words in AMBIGUOUS):
            reject()
        raise
    return text


@st.composite
def random_texts(draw: st.DrawFn) -> str:
    """The same with the few texts whose shapes can be read in two ways, and are then refused."""
    cell = _Writer(draw)
    cell.frugal = cell.chance(5)
    inputs = {cell.given("x"): cell.one(INPUTS)}
    if cell.chance(30):
        inputs[cell.given("x2")] = cell.one((*INPUTS, ""))
    states = {cell.given("h"): "n"}
    for usual in ("c", "l"):
        if cell.chance(45):
            states[cell.given(usual)] = cell.one((*VECTORS, *VECTORS, "", "nn"))
    first = next(iter(states))
    cell.known |= inputs | {f"{name}_prev": size for name, size in states.items()}

    lines = []
    for _ in range(draw(st.sampled_from((1, 2, 3, 4, 5, 6, 7, 8)))):
        if len(cell.free) < 16:
            break
        if not cell.frugal and cell.chance(25):
            size = cell.one(cell._sizes())
            target, rhs = cell.gate(size)
        elif cell.chance(15):
            size, rhs = "", cell.scalar(2)
            target = cell.name()
        else:
            size = cell.one(cell._sizes())
            rhs, target = cell.bare(size, cell.depth()), cell.name()
        lines.append(cell.line(target, rhs))
        cell.known[target] = size
    for name, size in states.items():
        lines.append(cell.line(name, cell.state(name, size)))
        cell.known[name] = size

    targets: dict[str, str] = {}
    readout = ""
    if not cell.frugal and cell.chance(40):
        readout, matrix = cell.name(), cell.name()
        cell.parameters[matrix] = "yn"
        lines += ["readout", f"    {cell.line(readout, f'{matrix} @ {first}')}"]
    if cell.chance(40):
        loss, goal = cell.name(), cell.name()
        of = readout or first
        targets[goal] = "y" if readout else "n"
        rhs = cell.one((f"sum(({of} - {goal})**2) / 2", f"logsumexp({of}) - dot({of}, {goal})"))
        lines += ["loss", f"    {cell.line(loss, rhs)}"]
    if cell.facts and cell.chance(60):
        lines += ["facts", f"    {cell.one(cell.facts)}"]
    return _text(cell, inputs, states, targets, lines)


def _text(
    cell: _Writer, inputs: dict[str, str], states: dict[str, str], targets: dict[str, str], lines: list[str]
) -> str:
    scalars = [n for n, size in (*inputs.items(), *states.items(), *cell.parameters.items()) if size == ""]
    body = "\n".join(lines)
    head = ['cell sample "A random cell"', f"input {', '.join(inputs)}", f"state {', '.join(states)}"]
    if cell.chance(20):
        head.insert(0, f"# {cell.one(REMARKS)}")
    if targets:
        head.append(f"target {', '.join(targets)}")
    if scalars:
        head.append(f"scalar {', '.join(scalars)}")
    if cell.positive:
        head.append(f"positive {', '.join(cell.positive)}")
    words = {word for line in lines for word in re.findall(r"\w+", line.partition("#")[0].rpartition(":")[2])}
    if (read_ := [name for name in (*cell.parameters, *cell.alone) if name in words]) and cell.chance(30):
        head.append(f"param {', '.join(read_)}")
    if len(states) > 1 and cell.chance(30):
        head.append(f"output {', '.join(states)}")
    return "\n".join([*head, "", body, ""])
