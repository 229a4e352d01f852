"""The walkthrough comes out as the notebook printed it, and a file that is wrong is told where."""

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from derivations.catalogue import WALKTHROUGHS, walkthrough_names
from derivations.cell import CellError
from derivations.expression import names
from derivations.language import expression
from derivations.prove import prove_all
from derivations.reading import reading
from derivations.walkthrough import parse, read_walkthrough, replay
from tests.samples import cell_text

NOTEBOOK = (WALKTHROUGHS / "notebook.toml").read_text()
LSTM = read_walkthrough("notebook")
RUN = replay(LSTM)
RNN = read_walkthrough("rnn-notebook")
RNN_RUN = replay(RNN)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# --- the notebook's numbers ---------------------------------------------------------------------------------------


def test_the_last_hidden_state_and_the_prediction():
    assert RUN.values[-1]["h"] == 0.7355480552797364
    assert RUN.values[-1]["y"] == 0.9996446998328253


@pytest.mark.parametrize("name", walkthrough_names())
def test_what_was_printed_comes_out_to_the_digits_given(name):
    walkthrough = read_walkthrough(name)
    values = replay(walkthrough).values
    for printed in walkthrough.printed:
        digits = Decimal(printed.value)
        assert Decimal(values[printed.step - 1][printed.of]).quantize(digits) == digits


def test_there_is_something_printed():
    assert [(p.of, p.step, p.value) for p in LSTM.printed] == [("h", 4, "0.7355"), ("y", 4, "0.9996")]


def test_no_memory_of_the_first_cell_state_is_left():
    """Four forget gates of about 1e-4, 1e-22, 1e-30 and 1e-17 at the notebook's numbers, times what h makes of c."""
    gradient = RUN.gradients["h"]["c_0"]
    assert f"{gradient:.2e}" == "7.65e-14"
    forgotten = math.prod(step["f"] for step in RUN.values)
    direct = forgotten * RUN.values[-1]["o"] * (1 - math.tanh(RUN.values[-1]["c"]) ** 2)
    assert 0 < direct < 1e-60  # along c alone; what is left comes by h, through the other gates
    assert gradient > direct


def test_values_are_those_of_the_equations_written_by_hand():
    """The run of the notebook in plain Python, line by line."""
    by_hand = {"h": -1.0, "c": 0.0}
    p = {name: float(value) for name, value in LSTM.parameters.items()}
    for x, step in zip((1.0, 5.0, 7.0, 4.0), RUN.values, strict=True):
        h, c = by_hand["h"], by_hand["c"]
        f = sigmoid(p["W_xh"] * x + p["W_hf"] * h + p["b_f"])
        i = sigmoid(p["W_xi"] * x + p["W_hi"] * h + p["b_i"])
        c_tilde = math.tanh(p["W_xc"] * x + p["W_hc"] * h + p["b_c"])
        o = sigmoid(p["W_ho"] * x + p["W_hh"] * h + p["b_o"])
        c = f * c + i * c_tilde
        by_hand = {"f": f, "i": i, "c_tilde": c_tilde, "o": o, "c": c, "h": o * math.tanh(c)}
        for name, value in by_hand.items():
            # Two right evaluations of sigmoid differ by a few units in the last place: 8 * 2^-53 holds 4 of them twice.
            assert abs(step[name] - value) <= 8 * 2**-53 * abs(value), name


def test_gradients_are_those_of_exact_differences():
    """A parameter is moved by 2^-20 both ways; what a central difference leaves out is of the order of 2^-40."""
    step = Fraction(1, 2**20)
    for name in ("W_xi", "b_o", "W_hc", "W_hy", "b_y"):
        losses = []
        for sign in (1, -1):
            moved = {**LSTM.parameters, name: LSTM.parameters[name] + sign * step}
            losses.append(replay(replace(LSTM, parameters=moved)).loss)
        difference = (losses[0] - losses[1]) / float(2 * step)
        # Rounding: the loss is about 98, so each is off by about 98 * 2^-53, and the quotient by 98 * 2^-53 * 2^20.
        assert abs(RUN.gradients["loss"][name] - difference) < 98 * 2**-53 * 2**20 + 2**-38


def test_the_gradients_are_of_states_readouts_and_the_loss():
    assert set(RUN.gradients) == {"h", "c", "y", "loss"}
    leaves = {*LSTM.cell.parameters, "h_0", "c_0", "x_1", "x_2", "x_3", "x_4"}
    for gradients in RUN.gradients.values():
        assert set(gradients) == leaves
    assert RUN.gradients["loss"]["b_y"] == pytest.approx(
        (RUN.values[-1]["y"] - 15) * RUN.gradients["y"]["b_y"], rel=4 * 2**-53
    )  # one product, rounded twice


def test_the_loss_is_that_of_the_chosen_steps():
    y = RUN.values[-1]["y"]
    assert RUN.loss == (y - 15) ** 2 / 2
    two = replay(parse(NOTEBOOK.replace("loss_steps = [4]", "loss_steps = [2, 4]"), "two"))
    assert two.loss == two.values[1]["L"] + two.values[3]["L"]
    assert two.gradients["loss"]["b_y"] != RUN.gradients["loss"]["b_y"]


def test_one_step_of_descent():
    before, after = RUN.descended
    assert before == RUN.loss
    assert after < before
    assert f"{before:.6g} {after:.6g}" == "98.005 98.0049"
    assert replay(parse(NOTEBOOK.replace("[descent]\nrate = 1.0", ""), "none")).descended is None


def test_what_the_source_computes_beside_its_run():
    assert RUN.asides == {"f_t": pytest.approx(sigmoid(-20), rel=8 * 2**-53)}


# --- its names ----------------------------------------------------------------------------------------------------


def test_the_cell_is_in_the_names_of_the_source():
    assert set(LSTM.cell.parameters) == {
        "W_xh", "W_hf", "b_f", "W_xi", "W_hi", "b_i", "W_xc", "W_hc", "b_c", "W_ho", "W_hh", "b_o", "W_hy", "b_y",
    }  # fmt: skip
    assert LSTM.cell.equation("a_o").rhs == expression("W_ho @ x + W_hh @ h_prev + b_o")
    assert LSTM.cell.equation("a_f").rhs == expression("W_xh @ x + W_hf @ h_prev + b_f")
    assert LSTM.cell.equation("c").rhs == expression("f * c_prev + i * c_tilde")
    assert LSTM.base.equation("c").rhs == expression("f * c_prev + i * g")
    assert all(prove_all(LSTM.derivation))


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ("c_tilde", "c_tilde"),
        ("g", "c_tilde"),
        ("W_xf", "W_xh"),
        ("W_xh", "W_xh"),
        ("W_xo", "W_ho"),
        ("W_hh", "W_hh"),
        ("W_ho", "W_ho"),  # a name of both: the source's own reading comes first
        ("b_g", "b_c"),
        ("h", "h"),
        ("nothing", "nothing"),
    ],
)
def test_either_name_leads_to_the_sources(given, source):
    assert LSTM.source_name(given) == source


def test_remarks_speak_of_names_that_are_there():
    for note in LSTM.notes:
        assert set(note.about) <= set(LSTM.cell.shapes)
    assert [note.about for note in LSTM.unused] == [("W_oh",), ("b_h",)]
    for (name,) in (note.about for note in LSTM.unused):
        assert name not in LSTM.cell.shapes
    for aside in LSTM.asides:
        assert set(names(aside.expr)) <= set(LSTM.cell.shapes)


# --- the RNN ------------------------------------------------------------------------------------------------------


def test_the_rnn_is_flat():
    """Every preactivation is below -19: tanh is -1 to the last digit, and nothing comes back through time."""
    assert [step["h"] for step in RNN_RUN.values] == [-1.0] * 4
    assert max(step["a_h"] for step in RNN_RUN.values) < -19
    assert RNN_RUN.gradients["h"]["h_0"] == 0.0
    assert RNN_RUN.values[-1]["y"] == pytest.approx(sigmoid(4 * -1 + 5), rel=8 * 2**-53)
    assert RNN.source_name("W_xh") == "W_xh"
    assert RNN.names == {}


def test_what_happened_is_said():
    assert "The forget gate is shut at every step (f_t <= 4.54e-05) by W_xh = -10 on x." in reading(RUN)
    assert "dh_4/dc_0 = 7.65e-14" in " ".join(reading(RUN))
    assert any(said.startswith("h is -1 or 1 to the last digit at every step") for said in reading(RNN_RUN))


def test_inputs_that_saturate_every_gate_are_accepted_and_said():
    run = replay(changed("x = [1.0, 5.0, 7.0, 4.0]", "x = [-1e4, -1e4, -1e4, -1e4]"))
    assert all(math.isfinite(value) for step in run.values for value in step.values())
    assert "The input gate is shut at every step" in " ".join(reading(run))


def test_numbers_beyond_all_bounds_do_not_raise():
    run = replay(replace(LSTM, inputs={**LSTM.inputs, "y_hat": (Fraction(10) ** 400,) * 4}))
    assert run.loss == math.inf
    assert reading(run)


# --- decimals are exact -------------------------------------------------------------------------------------------


def changed(old: str, new: str):
    assert NOTEBOOK.count(old) >= 1
    return parse(NOTEBOOK.replace(old, new, 1), "changed")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("-0.3", Fraction(-3, 10)),
        ("7", Fraction(7)),
        ("1e-20", Fraction(1, 10**20)),
        ("+2.5E1", Fraction(25)),
        ("0.30000000000000000004", None),
        ("0.3000000000000000004", Fraction(3000000000000000004, 10**19)),
        ("0x10", Fraction(16)),
        ("-0.0", Fraction(0)),
        ("1_000", Fraction(1000)),
    ],
)
def test_decimals_are_read_exactly(text, value):
    if value is None:
        with pytest.raises(CellError, match=r"parameters\.W_xi: a number of more than 20 digits"):
            changed("W_xi = 0.5", f"W_xi = {text}")
    else:
        assert changed("W_xi = 0.5", f"W_xi = {text}").parameters["W_xi"] == value


def test_inputs_are_one_number_a_step_and_one_target_is_for_all():
    assert LSTM.inputs["x"] == (1, 5, 7, 4)
    assert LSTM.inputs["y_hat"] == (15, 15, 15, 15)
    assert LSTM.steps == 4
    assert changed("y_hat = 15.0", "y_hat = [1, 2, 3, 4]").inputs["y_hat"] == (1, 2, 3, 4)


# --- what is wrong with a file ------------------------------------------------------------------------------------

X = "x = [1.0, 5.0, 7.0, 4.0]"
WRONG = [
    # numbers
    ("W_xi = 0.5", "", "[parameters] gives no number for parameter W_xi"),
    ("W_xi = 0.5", "W_zz = 1", "[parameters] gives no number for parameter W_xi"),
    ("W_xi = 0.5", "W_xi = 0.5\nW_zz = 1", "[parameters] gives 'W_zz', which the cell does not have as parameter"),
    ("W_xi = 0.5", "W_xi = inf", "parameters.W_xi: Infinity is not a finite number"),
    ("W_xi = 0.5", "W_xi = -inf", "parameters.W_xi: -Infinity is not a finite number"),
    ("W_xi = 0.5", "W_xi = nan", "parameters.W_xi: NaN is not a finite number"),
    ("W_xi = 0.5", 'W_xi = "abc"', "parameters.W_xi: the text 'abc' is not a number"),
    ("W_xi = 0.5", "W_xi = true", "parameters.W_xi: true or false is not a number"),
    ("W_xi = 0.5", "W_xi = [1]", "parameters.W_xi: a list is not a number"),
    ("W_xi = 0.5", "W_xi = {a = 1}", "parameters.W_xi: a table is not a number"),
    ("W_xi = 0.5", "W_xi = 2020-01-01", "parameters.W_xi: a date is not a number"),
    ("W_xi = 0.5", "W_xi = 1e31", "parameters.W_xi: an exponent beyond 30"),
    ("W_xi = 0.5", "W_xi = 1e400", "parameters.W_xi: an exponent beyond 30"),
    ("W_xi = 0.5", "W_xi = 1e99999999999999999999", "a number of more than 20 digits"),
    ("W_xi = 0.5", "W_xi = " + "9" * 30, "parameters.W_xi: a number of more than 20 digits"),
    ("W_xi = 0.5", "W_xi = " + "9" * 5000, "a number of more than 20 digits"),
    ("W_xi = 0.5", "W_xi = 0x" + "f" * 5000, "parameters.W_xi: a number of more than 20 digits"),
    ("h = -1.0\nc = 0.0", "h = -1.0", "[initial] gives no number for state c"),
    ("y_hat = 15.0", "", "[targets] gives no number for input y_hat"),
    # steps
    (X, "x = []", "[inputs] gives no number for x"),
    (X, "", "[inputs] gives no number for input x"),
    (X, "x = [1, inf]", "inputs.x[1]: Infinity is not a finite number"),
    (X, "x = [" + "1," * 201 + "]", "[inputs]: 201 steps; 200 is the most"),
    ("y_hat = 15.0", "y_hat = [1, 2]", "targets.y_hat has 2 numbers where 4 are due"),
    ("loss_steps = [4]", "loss_steps = [5]", "blocks.loss_steps: steps run from 1 to 4"),
    ("loss_steps = [4]", "loss_steps = [0]", "blocks.loss_steps: steps run from 1 to 4"),
    ("loss_steps = [4]", "loss_steps = [1.5]", "blocks.loss_steps: steps run from 1 to 4"),
    ("loss_steps = [4]", "loss_steps = [4, 4]", "blocks.loss_steps names a step twice"),
    ("step = 4", "step = 5", "printed[0].step: steps run from 1 to 4"),
    ("step = 1", 'step = "1"', "asides[0].step: the text '1' is not a number"),
    # what it is
    ('"derivations/walkthrough/1"', '"derivations/walkthrough/2"', 'schema must be "derivations/walkthrough/1"'),
    ('schema = "derivations/walkthrough/1"', "", "schema must be a text in quotes"),
    ('cell = "lstm"', 'cell = "lstn"', "cell: there is no cell 'lstn'; did you mean lstm? (a file of your own ends in .cell)"),
    ('cell = "lstm"', "cell = 3", "cell must be a text in quotes"),
    ('title = "A scalar LSTM in four steps"', "title = 3", "title must be a text in quotes"),
    ('title = "A scalar LSTM in four steps"', r'title = "\u001b[2J"', "title has an unprintable character ('\\x1b')"),
    ("[descent]", "[descend]", "there is no key or table 'descend'; did you mean descent?"),
    ("loss_steps = [4]", "loss_step = [4]", "there is no key or table 'blocks.loss_step'; did you mean loss_steps?"),
    ("rate = 1.0", "", "descent.rate has no number"),
    # names
    ('W_xf = "W_xh"', 'W_zz = "W_xh"', "lstm has no name W_zz"),
    ('W_xf = "W_xh"', "W_xf = 3", "names.W_xf must be a text in quotes"),
    ('W_xf = "W_xh"', 'W_xf = "W_hf"', "W_xf and W_hf would both be called W_hf"),
    ('W_xf = "W_xh"', r'W_xf = "\\write18{x}"', "renaming W_xf: '\\\\write18{x}' is not a name; a name is letters, digits "
     "and single underscores, a letter first"),
    # blocks
    ('targets = ["y_hat"]', "targets = 3", "blocks.targets must be a list of texts in quotes"),
    ('targets = ["y_hat"]', 'targets = ["y hat"]', "blocks.targets: 'y hat' is not a name; a name is letters, digits and "
     "single underscores, a letter first"),
    ('targets = ["y_hat"]', "", "[targets] gives 'y_hat', which the cell does not have as input"),
    ("sigmoid(W_hy @ h + b_y)", "sigmod(W_hy @ h + b_y)", "blocks.text: line 2, column 25: there is no function sigmod; "
     "did you mean sigmoid?"),
    ("y = sigmoid(W_hy @ h + b_y)", "y = sigmoid(W_hy @ h + h)\n    y = h", "blocks.text: line 3: y is defined twice, "
     "first on line 4"),
    ("y = sigmoid(W_hy @ h + b_y)", "y = [h; x]", "lstm stacks vectors; a walkthrough is in the scalar view, which has no "
     "stacks"),
    # asides, notes and printed values
    ('text = "sigmoid(W_xh * x + W_hh * h_prev)"', 'text = "open(x)"', None),
    ('text = "sigmoid(W_xh * x + W_hh * h_prev)"', 'text = "W_xh * q"', "asides[0].text: the cell has no name q"),
    ('text = "sigmoid(W_xh * x + W_hh * h_prev)"', 'text = "x\\nb = x"', "asides[0].text: 'x\\nb = x' is not one expression"),
    ('about = ["W_xh"]', 'about = "W_xh"', "notes[0].about must be a list of texts in quotes"),
    ("[[notes]]", "[notes]", None),
    ('of = "h"', 'of = "q"', "printed[0].of: the cell has no name q"),
    ('value = "0.7355"', "value = 0.7355", "printed[0].value must be a text in quotes"),
    ('value = "0.7355"', 'value = "about 0.7"', "printed[0].value: 'about 0.7' is not a number in quotes"),
    # TOML itself
    ("[parameters]", "[parameters", None),
    ("W_xi = 0.5", "W_xi = 0.5\nW_xi = 0.5", None),
    ("[parameters]", "a = " + "[" * 100_000 + "]" * 100_000 + "\n[parameters]", "line 27: brackets are nested deeper than 64"),
    ("[parameters]", "a = " + "[\n" * 60_000 + "\n[parameters]", "tables are nested too deeply"),
    ("[parameters]", "a = " + "{a = " * 30_000 + "\n[parameters]", "tables are nested too deeply"),
    ("[parameters]", "a" + ".a" * 60_000 + " = 1\n[parameters]", "line 27: more than 250 dots in one line"),
    ("W_xi = 0.5", "W_xi" + ".a" * 200 + " = 1", "parameters.W_xi: a table is not a number"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG, ids=lambda text: str(text)[:40])
def test_what_is_wrong_with_a_file_is_said(old, new, message):
    with pytest.raises(CellError) as wrong:
        changed(old, new)
    said = str(wrong.value)
    assert said.count("\n") == 0
    assert len(said) < 300
    if message is not None:
        assert said == message


def test_an_error_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(NOTEBOOK.replace("W_xi = 0.5", "W_xi = nan"))
    with pytest.raises(CellError) as wrong:
        read_walkthrough(str(path))
    assert str(wrong.value) == f"{path}: parameters.W_xi: NaN is not a finite number"


def test_a_walkthrough_of_ones_own_is_called_like_its_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(NOTEBOOK.replace('title = "A scalar LSTM in four steps"', ""))
    found = read_walkthrough(str(path))
    assert (found.name, found.title) == ("mine", "mine")


def test_blocks_may_declare_what_they_need(tmp_path):
    """Beside what the cell itself declares, which stays."""
    (tmp_path / "mine.cell").write_text(cell_text("h = s * tanh(W @ x + h_prev)", "input x\nstate h\nscalar s"))
    text = f"""
schema = "derivations/walkthrough/1"
cell = "{tmp_path}/mine.cell"
[blocks]
text = "scalar k\\nreadout\\n    y = k * h"
[parameters]
W = 1
s = 2
k = 3
[inputs]
x = [0, 0]
[initial]
h = 0
"""
    walkthrough = parse(text, "mine")
    assert (walkthrough.cell.shapes["s"], walkthrough.cell.shapes["k"], walkthrough.cell.shapes["h"]) == (
        (),
        (),
        ("n",),
    )
    assert [step["y"] for step in replay(walkthrough).values] == [0.0, 0.0]
