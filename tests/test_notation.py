"""Names and adjoints as symbols: by the conventions of papers, and never two alike."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.expression import Adjoint, Name, Total
from derivations.names import fault
from derivations.notation import ADJOINTS, Notation, for_names
from derivations.symbols import in_a_line
from derivations.typeset import to_latex

# Words that are near one another, and words that mean something.
TRICKY = [
    "a",
    "b",
    "ab",
    "abc",
    "f",
    "h",
    "t",
    "T",
    "L",
    "l",
    "x1",
    "y0",
    "0",
    "1",
    "12",
    "xf",
    "xi",
    "theta",
    "eps",
]
TRICKY += [
    "epsilon",
    "sigma",
    "delta",
    "Delta",
    "tilde",
    "hat",
    "bar",
    "dot",
    "vec",
    "star",
    "prev",
    "next",
    "out",
]


def symbol(name: str, constant: bool = False, **choices) -> str:
    return to_latex(Name(name), Notation(constants=frozenset([name] if constant else []), **choices))


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("f", "f_t"),
        ("h_prev", "h_{t-1}"),
        ("a_f", "a_{f,t}"),
        ("c_tilde", r"\tilde{c}_t"),
        ("c_tilde_prev", r"\tilde{c}_{t-1}"),
        ("a_c_tilde", r"a_{\tilde{c},t}"),
        ("a_c_tilde2", r"a_{\tilde{c}2,t}"),  # the second preactivation of c_tilde
        ("x_hat", r"\hat{x}_t"),
        ("i_hat", r"\hat{\imath}_t"),
        ("i_dot", r"\dot{i}_t"),
        ("v_vec", r"\vec{v}_t"),
        ("c_star", r"c^{\ast}_t"),
        ("theta_f", r"\theta_{f,t}"),
        ("mu_tilde", r"\tilde{\mu}_t"),
        ("hidden", r"\mathrm{hidden}_t"),
        ("hidden_bar", r"\overline{\mathrm{hidden}}_t"),
        ("c_max", r"c_{\mathrm{max},t}"),
        ("y0", r"\mathrm{y0}_t"),
    ],
)
def test_a_value_carries_its_step(name, latex):
    assert symbol(name) == latex


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("W_xf", "W_{xf}"),
        ("W_hf", "W_{hf}"),
        ("W_h_f", "W_{h,f}"),
        ("W_xi", "W_{xi}"),
        ("W_xc_tilde", r"W_{x\tilde{c}}"),
        ("b_f", "b_f"),
        ("theta_f", r"\theta_f"),
        ("W_theta", r"W_{\theta}"),
        ("eps", r"\varepsilon"),
        ("lamda", r"\lambda"),
        ("h_0", "h_0"),
        ("x_1", "x_1"),
        ("y_0", "y_0"),
        ("W_h1", "W_{h1}"),
        ("W", "W"),
    ],
)
def test_a_parameter_carries_none(name, latex):
    assert symbol(name, constant=True) == latex


def test_names_are_kept_apart_from_what_a_notation_means_by_a_sign():
    assert symbol("a_f_t", constant=True) == r"a_{f,\mathrm{t}}"  # a_f at step t is a_{f,t}
    assert symbol("T", constant=True) == r"\mathrm{T}"  # the last step
    assert symbol("sigma", constant=True) == r"\mathrm{sigma}"  # before a bracket it would read as the sigmoid
    assert symbol("sigma_f", constant=True) == r"\sigma_f"
    assert symbol("f_bar") == r"\bar{f}_t"
    assert symbol("f_bar", adjoint="bar") == r"f_{\mathrm{bar},t}"
    assert symbol("delta_f", adjoint="delta") == r"\mathrm{delta}_{f,t}"


def test_time_can_be_left_out():
    assert symbol("f", time=False) == "f"
    assert symbol("h_prev", time=False) == r"h_{\mathrm{prev}}"


def looks(latex: str) -> str:
    """The LaTeX without what does not show."""
    return re.sub(r"[{} ]", "", latex.replace(r"\,", ""))


def printed(names: list[str], notation: Notation) -> dict[str, str]:
    """What each name and each of its adjoints looks like, by what it is; two alike fail."""
    seen: dict[str, str] = {}
    for name in names:
        leaves = {name: Name(name), f"d{name}": Adjoint(name), f"total {name}": Total(name)}
        if name.rpartition("_")[2] != "prev":
            leaves |= {f"{part} of {name}": Adjoint(name, part) for part in ("out", "next")}
        for what, leaf in leaves.items():
            if isinstance(leaf, Total) and name not in notation.constants:
                continue  # x_1 is told from x by its name; it has no step of its own
            shown = looks(to_latex(leaf, notation))
            assert shown not in seen, f"{what} and {seen[shown]} are both {shown}"
            seen[shown] = what
    return seen


def every_name(most: int, words: list[str]) -> list[str]:
    names = ("_".join(chosen) for size in range(1, most + 1) for chosen in product(words, repeat=size))
    return [name for name in names if fault(name) is None]


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_no_two_names_or_adjoints_look_alike(adjoint):
    names = every_name(2, TRICKY)
    assert len(names) > 900
    for constants in (frozenset(), frozenset(names)):
        printed(names, Notation(adjoint=adjoint, constants=constants))


def test_no_two_longer_names_look_alike():
    names = every_name(3, TRICKY[::2])
    assert len(names) > 3000
    shown = {looks(to_latex(Name(name), Notation())) for name in names}
    assert len(shown) == len(names)


valid = st.lists(st.sampled_from(TRICKY) | st.from_regex(r"[A-Za-z0-9]{1,3}", fullmatch=True), min_size=1, max_size=4)
valid = valid.map("_".join).filter(lambda name: fault(name) is None)


@given(st.lists(valid, min_size=2, max_size=8, unique=True), st.data(), st.sampled_from(ADJOINTS))
def test_values_and_parameters_of_one_cell_look_different(names, data, adjoint):
    constants = frozenset(data.draw(st.sets(st.sampled_from(names))))
    notation = Notation(adjoint=adjoint, constants=frozenset(n for n in constants if not n.endswith("_prev")))
    printed(names, notation)


@given(st.lists(valid, min_size=2, max_size=8, unique=True), st.data())
def test_they_look_different_in_a_terminal_too(names, data):
    constants = data.draw(st.sets(st.sampled_from(names)))
    shown = [in_a_line(name, name not in constants) for name in names]
    assert len(set(shown)) == len(shown)


# --- adjoints ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaf", "leibniz", "bar", "delta"),
    [
        (Adjoint("f"), r"\frac{\partial\mathcal{L}}{\partial f_t}", r"\bar{f}_t", r"\delta f_t"),
        (
            Adjoint("h", "out"),
            r"\frac{\partial\ell_t}{\partial h_t}",
            r"\bar{h}_t^{\ell}",
            r"\delta h_t^{\ell}",
        ),
        (
            Adjoint("h", "next"),
            r"\frac{\partial\mathcal{L}_{>t}}{\partial h_t}",
            r"\bar{h}_t^{>t}",
            r"\delta h_t^{>t}",
        ),
        (
            Adjoint("h_prev"),
            r"\frac{\partial\mathcal{L}_{\ge t}}{\partial h_{t-1}}",
            r"\bar{h}_{t-1}^{\ge t}",
            r"\delta h_{t-1}^{\ge t}",
        ),
        (
            Adjoint("W_xf"),
            r"\frac{\partial\mathcal{L}}{\partial W_{xf}^{(t)}}",
            r"\bar{W}_{xf}^{(t)}",
            r"\delta W_{xf}^{(t)}",
        ),
        (Total("W_xf"), r"\frac{\partial\mathcal{L}}{\partial W_{xf}}", r"\bar{W}_{xf}", r"\delta W_{xf}"),
        (Total("h_0"), r"\frac{\partial\mathcal{L}}{\partial h_0}", r"\bar{h}_0", r"\delta h_0"),
        (
            Adjoint("c_tilde"),
            r"\frac{\partial\mathcal{L}}{\partial\tilde{c}_t}",
            r"\bar{\tilde{c}}_t",
            r"\delta\tilde{c}_t",
        ),
    ],
)
def test_an_adjoint_in_each_notation(leaf, leibniz, bar, delta):
    for adjoint, expected in (("leibniz", leibniz), ("bar", bar), ("delta", delta)):
        assert to_latex(leaf, Notation(adjoint, constants=frozenset({"W_xf"}))) == expected


def test_a_name_of_an_unrolled_run_says_its_step_itself():
    plain = Notation(time=False)
    assert to_latex(Adjoint("h_2", "next"), plain) == r"\frac{\partial\mathcal{L}_{>2}}{\partial h_2}"
    assert to_latex(Adjoint("h_2", "out"), plain) == r"\frac{\partial\ell_2}{\partial h_2}"


def test_a_choice_that_there_is_not():
    with pytest.raises(ValueError, match="there is no notation 'newton'; choose leibniz or bar or delta"):
        Notation(adjoint="newton")
    with pytest.raises(ValueError, match="there is no view 'matrix'; choose scalar or vector"):
        Notation(view="matrix")


def test_what_must_be_known_of_a_cell():
    notation = for_names(["W", "eps"], {"W": ("n", "n"), "eps": (), "h": ("n",)}, view="vector")
    assert notation == Notation(view="vector", constants=frozenset({"W", "eps"}), scalars=frozenset({"eps"}))
