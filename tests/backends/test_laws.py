"""Every law holds of every cell that we ship, and every law sees mistakes."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from backends.backend import get
from backends.laws.audit import audit_laws, exact_faults, faults, in_numbers, judged, point_for
from backends.laws.every import LAWS
from backends.laws.kills import SLIPS, laws_of, one_of_each_size, seen, slips_seen, small_point
from backends.laws.law import Claim
from backends.laws.machines import Memory, derived, exactly, in_floats
from backends.laws.of_cells import tied, ties
from backends.laws.of_runs import sequence
from backends.laws.of_slopes import direction
from backends.laws.residue_arrays import ResidueArrays, residues, vanish
from backends.laws.tangents import Tangents, lifted
from derivations import check
from derivations.__main__ import app
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.duals import Duals
from derivations.expression import evaluate
from derivations.language import expression, read
from derivations.mutants import mutants
from derivations.reports import laws as report
from derivations.residues import PRIME, Residues
from docs.laws import PAGE, page, rows_of
from tests.samples import EVERYTHING, EVERYTHING_BUT_STACKS, cell_text

LSTM = read_cell("lstm")
BY_NAME = {law.name: law for law in LAWS}
EXACT = [law for law in LAWS if law.needs != "mapped"]
# What is held constant makes a gradient no slope, so that two laws are silent on it.
MOVING = EVERYTHING.replace("detach(r * f)", "(r * f)")


def unfit(cell) -> set[str]:
    return {law.name for law in LAWS if law.unfit(cell)}


# --- they hold ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", cell_names())
def test_every_law_holds_exactly_of_a_cell(name):
    cell = read_cell(name)
    assert unfit(cell) <= {"tied weights"}
    for law in laws_of(cell):
        assert exact_faults(law, cell, derived, 1) == (), law.name


@pytest.mark.parametrize(("text", "silent"), [(EVERYTHING, {"units", "direction", "no curl"}), (MOVING, {"units"})])
def test_every_law_holds_exactly_of_every_function_and_atom(text, silent):
    cell = read(text)
    assert unfit(cell) == silent
    for law in laws_of(cell):
        assert exact_faults(law, cell, derived, 1) == (), law.name


@pytest.mark.parametrize(
    ("backend", "autograd", "dtype"),
    [
        ("numpy", False, "float64"),
        ("numpy", False, "float32"),
        ("torch", False, "float64"),
        ("torch", True, "float32"),
        ("jax", False, "float64"),
    ],
)
def test_every_law_holds_in_floating_point(needs, backend, autograd, dtype):
    needs(backend)
    cell = read_cell("rnn" if backend == "jax" else "gru")  # JAX compiles every operation
    machine = in_floats(get(backend), dtype, Memory(), autograd=autograd)
    for law in LAWS:
        if law.unfit(cell) or (law.needs and getattr(machine, law.needs) is None):
            continue
        found = in_numbers(law, cell, machine, 1)
        assert found.verdict == "PASS", law.name
        assert found.error <= 0.5, law.name
        idle = law.name == "an idle step"  # of the idle step's own input every entry is zero
        assert found.telling == found.entries or (idle and found.telling > found.entries / 2), law.name


# --- they see mistakes ----------------------------------------------------------------------------------------------

MUTANTS = one_of_each_size(mutants(derive(LSTM)))
# Of a hundred mistakes of the LSTM, how many each law sees alone, at least.
FLOORS = {"direction": 100, "no curl": 97, "split in time": 14, "tied weights": 8, "an idle step": 6, "one by one": 3}
FLOORS |= {"linearity": 2, "units": 1, "permutation": 0.3}


@pytest.fixture(scope="module")
def listed():
    """What docs/laws.md lists."""
    return rows_of(PAGE.read_text(encoding="utf-8"))


def test_the_page_is_what_its_rows_say(listed):
    assert page(*listed) == PAGE.read_text(encoding="utf-8"), "run `python docs/laws.py`"


def test_the_page_lists_every_mistake(listed):
    assert [row.mistake for row in listed[0]] == [m.mistake for m in MUTANTS], "run `python docs/laws.py`"


def test_a_sample_of_the_page_is_true(listed):
    """Every 25th mistake: another kind and another quantity each time."""
    chosen = slice(3, None, 25)
    assert list(seen(derive(LSTM), MUTANTS[chosen])) == listed[0][chosen], "run `python docs/laws.py`"


def test_every_mistake_is_seen_and_every_law_sees_its_share(listed):
    rows, _ = listed
    assert [row.mistake for row in rows if not row.laws] == []
    alone = Counter(law for row in rows for law in row.laws)
    for law in laws_of(LSTM):
        assert alone[law.name] >= FLOORS[law.name] * len(rows) / 100, law.name


def test_the_slips_of_the_page_are_true(listed):
    _, slips = listed
    assert list(slips_seen(derive(LSTM))) == slips, "run `python docs/laws.py`"
    assert {row.mistake for row in slips if row.laws} == set(SLIPS)
    every = {law for row in slips for law in row.laws}
    assert {"split in time", "an idle step", "one by one", "linearity", "permutation", "units", "direction"} <= every


@pytest.mark.long
def test_the_whole_page_is_true(listed):
    assert list(seen(derive(LSTM), MUTANTS)) == listed[0]


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in cell_names() if name != "lstm"])
def test_every_mistake_of_every_cell_is_seen_by_some_law(name):
    derivation = derive(read_cell(name))
    found = list(seen(derivation, one_of_each_size(mutants(derivation))))
    assert [each.mistake for each in found if not each.laws] == []


@pytest.mark.parametrize(
    ("mistake", "laws"),
    [
        ("dW_xf: the sum over time leaves out the last step", {"split in time", "tied weights", "direction"}),
        ("dc: 1 - c**2 for 1 - tanh(c)**2", {"direction", "no curl"}),
        ("da_f: off by a factor 1 + 1e-10", {"direction", "no curl"}),
    ],
)
def test_a_mistake_breaks_laws_in_float64_too(mistake, laws):
    mutant = next(m for m in mutants(derive(LSTM)) if m.mistake == mistake)

    def programs(cell):
        return mutant.program if cell is LSTM else derived(cell)

    assert all(exact_faults(BY_NAME[name], LSTM, programs, 1) for name in laws)
    machine = in_floats(get("numpy"), "float64", Memory(), programs=programs)
    if "1e-10" in mistake:  # one sum over all gradients: what is lost in its rounding is not seen
        return
    for name in laws:
        assert in_numbers(BY_NAME[name], LSTM, machine, 1).verdict == "FAIL", name


def test_a_wrong_vmap_is_seen(needs):
    needs("torch")
    machine = in_floats(get("torch"), "float64", Memory())

    def means(point):
        """Parameter gradients averaged over the batch, where they must be summed."""
        found = machine.mapped(point)
        return {key: g / point.batch if key in point.cell.parameters else g for key, g in found.items()}

    law, cell = BY_NAME["vmap"], read_cell("rnn")
    assert in_numbers(law, cell, machine, 1).verdict == "PASS"
    assert in_numbers(law, cell, replace(machine, mapped=means), 1).verdict == "FAIL"


@pytest.mark.parametrize(
    ("left", "right", "bound", "verdict"),
    [
        (1.0, 1.0, 1e-16, "PASS"),
        (1.0, 1.0 + 2**-50, 1e-16, "FAIL"),
        (1.0, 1.0 + 2**-50, 1e-15, "PASS"),
        (1.0, 1.5, 1.0, "NO INFORMATION"),
        (0.0, 0.0, 0.0, "NO INFORMATION"),
        (1.0, np.inf, 1e-16, "FAIL"),
        (np.nan, np.nan, 1e-16, "FAIL"),
        (np.nan, 1.0, np.inf, "NO INFORMATION"),
    ],
)
def test_the_verdict_on_two_sides(left, right, bound, verdict):
    machine = in_floats(get("numpy"), "float64", Memory())
    claim = Claim("q", machine.exact(np.array([left])), machine.exact(np.array([right])), np.array([bound]))
    assert judged(machine, [claim]).verdict == verdict


def test_sides_of_different_shapes_break_a_law():
    machine = exactly()
    claim = Claim("q", residues(np.ones(2)), residues(np.ones((2, 1))), np.zeros(2))
    law = replace(LAWS[0], claims=lambda on, point: [claim])
    assert faults(law, machine, point_for(LSTM, 1)) == ("q",)


# --- what they are made of ------------------------------------------------------------------------------------------


def test_what_a_law_says_nothing_of():
    for text, name in (
        ("h = tanh(W @ [h_prev; x])", "units"),
        ("h = tanh(W @ x + x)", "units"),
        ("h = tanh(W @ x + W @ h_prev)", "units"),
        ("h = tanh(W @ x) * detach(h_prev)", "direction"),
        ("h = clip(W @ x, -b, b)", "no curl"),
        ("h = tanh(W @ x + b)", "tied weights"),
    ):
        assert name in unfit(read(cell_text(text))), text
    assert "units" not in unfit(read(cell_text("h = tanh(W @ x) * h_prev")))
    assert "direction" not in unfit(read(cell_text("h = clip(W @ x, -1, 1)")))


def test_tied_weights_are_pairs_of_one_shape_and_domain():
    cell = read("cell c\ninput x\nstate h\npositive b, s\nh = tanh(W @ x + U @ x + V @ h_prev + a + s * sqrt(b))")
    assert ties(cell) == {"U": "W", "b": "s"}
    one = tied(cell)
    assert one.parameters == ("W", "V", "a", "s")
    assert one.positive == {"s"}


def test_a_permutation_keeps_stacked_parts_together():
    """Where two stacks of one size have their parts in another order, no order fits both: those sizes stay."""
    one = read(cell_text("h = tanh(W @ [h_prev; x])"))
    both = read(cell_text("h = tanh(W @ [h_prev; x] + V @ ([x; h_prev] + b))"))
    law = BY_NAME["permutation"]
    for cell in (one, both):
        assert exact_faults(law, cell, derived, 1) == ()
    point = small_point(one)
    moved = [claim for claim in law.claims(exactly(), point) if claim.quantity == "W"]
    right = exactly().gradients(point)["W"]
    n, m = point.initial["h"].shape[-1], point.inputs["x"].shape[-1]
    order = [*reversed(range(n)), *(n + k for k in reversed(range(m)))]
    assert vanish(moved[0].left - right[::-1][:, order]).all()


def test_a_direction_leaves_targets_where_they_are():
    point = point_for(read(EVERYTHING), 1)
    moved = direction(point, 3)
    assert not moved.inputs["y_hat"].any()
    assert np.count_nonzero(moved.inputs["x"]) > 0.8 * moved.inputs["x"].size


def test_one_sequence_is_a_batch_of_one():
    point = point_for(LSTM, 1)
    alone = sequence(point, 2)
    assert alone.batch == 1
    assert np.array_equal(alone.inputs["x"][:, 0], point.inputs["x"][:, 2])
    assert np.array_equal(alone.final["c"][0], point.final["c"][2])


def test_floats_are_residues_of_what_they_are():
    a, large = np.array([0.1, -3.75e-5]), np.array([2.0**70])
    assert vanish(residues(a) * residues(large) - residues(a * large)).all()
    assert not vanish(residues(a) - residues(np.nextafter(a, 1))).any()
    assert residues(np.array([0.5]))[0].value == (PRIME + 1) // 2


@pytest.mark.parametrize(
    "text",
    [
        "tanh(W @ v) * v + 2 * v**3 / (1 + u**2)",
        "outer(u, v) @ v",
        "dot(u, v) * sum(v) + sum(u) * mean(v)",
        "max(u, v) - clip(u, -1, 1)",
        "detach(u) * u",
        "-u",
    ],
)
def test_forward_mode_over_arrays_is_that_over_scalars(text):
    """The same slopes as `duals.py`, which the proofs use, one direction at a time."""
    expr, scalars = expression(text), Residues(1)
    values = {"u": [["a"], ["b"]], "v": [["c"], ["d"]], "W": [["e", "f"], ["g", "i"]]}
    drawn = {name: [[scalars.drawn(x) for x in row] for row in rows] for name, rows in values.items()}
    over, duals = Tangents(ResidueArrays(1)), Duals(scalars)
    arrays = {name: np.array([rows], dtype=object) for name, rows in drawn.items()}
    moves = np.array([[[scalars.scalar(1)], [scalars.scalar(0)]]], dtype=object)
    at = lifted(arrays, {"u": moves, "v": None, "W": None})
    found = over.slope(evaluate(expr, at, over))
    still = {name: duals.constant(rows) for name, rows in drawn.items()} | {"u": duals.seeded(drawn["u"], 0, 0)}
    due = duals.slopes(evaluate(expr, still, duals))
    assert [[x.value for x in row] for row in found[0]] == [[x.value for x in row] for row in due]


# --- what is said ---------------------------------------------------------------------------------------------------


def test_the_command_and_the_function_say_the_same(monkeypatch, needs):
    monkeypatch.setattr("backends.laws.audit.ready", lambda: ([get("numpy")], (("jax", "pip install jax"),)))
    answer = CliRunner().invoke(app, ["check", "rnn", "--laws"])
    assert answer.exit_code == 0, answer.output
    said = " ".join(answer.output.split())
    assert "9 of 9 laws hold" in said
    assert "split in time: A run cut in two gives the same gradients" in said
    assert "tied weights says nothing of this cell: no two parameters have one shape." in said
    assert "jax is not installed, and was not checked" in said
    record = check("rnn", laws=True)
    assert record["schema"] == "derivations/laws/1"
    assert [law["exact"] for law in record["laws"] if law["law"] in ("linearity", "tied weights")] == [True, None]
    assert repr(record) == answer.stdout.rstrip()


def test_a_broken_law_is_named(monkeypatch):
    monkeypatch.setattr("backends.laws.audit.ready", lambda: ([get("numpy")], ()))
    derivation = derive(read_cell("rnn"))
    first = next(s for s in derivation.adjoints if s.wrt == "b_h")
    halved = replace(first, rhs=first.rhs / 2)
    wrong = replace(derivation, steps=tuple(halved if step is first else step for step in derivation.steps))
    lawful = audit_laws(wrong)
    assert lawful.wrong
    broken = {held.law for held in lawful.laws if held.wrong}
    assert broken == {"direction", "no curl"}
    said = str(report.document(derivation.cell, lawful))
    assert "BROKEN: direction, exactly: dPhi" in said
    assert "a law is broken" in said


def test_a_cell_that_holds_something_constant_is_said_to_be_exempt():
    cell = read(EVERYTHING_BUT_STACKS)
    exempt = [law.unfit(cell) for law in LAWS if law.name in ("direction", "no curl")]
    assert all(why.startswith("exempt: a detached value is held constant") for why in exempt)
