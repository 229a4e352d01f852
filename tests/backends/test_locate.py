"""`derive locate` on numbers that others computed: right ones pass, and of a wrong one it says what is wrong first."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from backends.golden.dumps import DumpError
from backends.golden.layout import Kind, layout
from backends.golden.locate import locate
from derivations import api
from derivations.__main__ import app
from derivations.program import backward_program
from tests.filled import filled, hard, inputs
from tests.located import GATES, LSTM, assert_right, look

# --- implementations that others have written -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_lstm_of_torch_is_right(needs, dtype):
    torch = needs("torch")
    _, point, sizes = hard(LSTM.cell, n=3, m=2)
    given = inputs(point, dtype)
    at = {key: torch.tensor(array, requires_grad=True) for key, array in given.items()}
    order = "ifgo"  # of torch's rows
    cell = torch.nn.LSTMCell(sizes["m"], sizes["n"], dtype=getattr(torch, dtype))
    weights = {
        "weight_ih": torch.cat([at[f"W_x{k}"] for k in order]),
        "weight_hh": torch.cat([at[f"W_h{k}"] for k in order]),
        "bias_ih": torch.cat([at[f"b_{k}"] for k in order]),
        "bias_hh": torch.zeros(4 * sizes["n"], dtype=getattr(torch, dtype)),
    }
    state, objective, steps = (at["h_0"], at["c_0"]), 0.0, []
    for t in range(sizes["T"]):
        state = torch.func.functional_call(cell, weights, (at["x"][t], state))
        for value in state:
            value.retain_grad()
        steps.append(state)
        objective = objective + (at["dh_out"][t] * state[0]).sum()
    objective = objective + (at["dh_final"] * state[0]).sum() + (at["dc_final"] * state[1]).sum()
    objective.backward()
    dump = {
        **given,
        "h": torch.stack([h for h, _ in steps]).detach().numpy(),
        "c": torch.stack([c for _, c in steps]).detach().numpy(),
        "dh": torch.stack([h.grad for h, _ in steps]).numpy(),
        "dc": torch.stack([c.grad for _, c in steps]).numpy(),
        "dx": at["x"].grad.numpy(),
        **{f"grad_{key}": at[key].grad.numpy() for key in (*LSTM.cell.parameters, "h_0", "c_0")},
    }
    assert {"f", "da_f", "dh_next"} <= {*assert_right(dump, dtype=dtype).through}
    swapped = dump | {"grad_W_xf": dump["grad_W_xi"], "grad_W_xi": dump["grad_W_xf"]}
    (first, second) = look(swapped, dtype=dtype).broken
    assert (first.key, first.mistakes[0]) == ("grad_W_xf", "dW_xf and dW_xi are swapped")
    assert second.mistakes == first.mistakes


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_lstm_of_flax_is_right(needs, dtype):
    jax, linen = needs("jax"), needs("flax.linen")
    _, point, sizes = hard(LSTM.cell, n=3, m=2)
    given = inputs(point, dtype)
    with jax.enable_x64(dtype == "float64"):
        jnp = jax.numpy
        cell = linen.LSTMCell(features=sizes["n"], dtype=getattr(jnp, dtype), param_dtype=getattr(jnp, dtype))

        def run(at, nudges):
            parameters = {f"i{k}": {"kernel": at[f"W_x{k}"].T} for k in GATES}
            parameters |= {f"h{k}": {"kernel": at[f"W_h{k}"].T, "bias": at[f"b_{k}"]} for k in GATES}
            carry, objective, steps = (at["c_0"], at["h_0"]), 0.0, []
            for t in range(sizes["T"]):
                (c, h), _ = cell.apply({"params": parameters}, carry, at["x"][t])
                c, h = carry = c + nudges["c"][t], h + nudges["h"][t]  # h has seen c without its nudge
                steps.append(carry)
                objective += (at["dh_out"][t] * h).sum()
            objective += (at["dh_final"] * h).sum() + (at["dc_final"] * c).sum()
            return objective, tuple(jnp.stack(each) for each in zip(*steps, strict=True))

        at = {key: jnp.asarray(array) for key, array in given.items()}
        nudges = {key: jnp.zeros_like(at["dh_out"]) for key in "ch"}
        (_, (c, h)), (slopes, adjoints) = jax.jit(jax.value_and_grad(run, (0, 1), has_aux=True))(at, nudges)
        dump = {"h": h, "c": c, "dh": adjoints["h"], "dc_next": adjoints["c"], "dx": slopes["x"]}
        dump |= {f"grad_{key}": slopes[key] for key in (*LSTM.cell.parameters, "h_0", "c_0")}
        dump = given | {key: np.asarray(array) for key, array in dump.items()}
    assert all(array.dtype == dtype for array in dump.values())
    assert_right(dump, dtype=dtype)
    reversed_ = look(dump | {"dx": dump["dx"][::-1].copy()}, dtype=dtype)
    assert [(one.key, one.hint) for one in reversed_.broken] == [("dx", "its steps are in reverse order")]


# --- forward, several points, what is missing ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dump():
    _, point, sizes = hard(LSTM.cell)
    return filled(backward_program(LSTM), point, sizes)


def test_a_wrong_value_is_found_at_its_own_step_and_spreads_nowhere(dump):
    c = dump["c"].copy()
    c[2, 1, 0] *= 1 + 1e-10
    found = look(dump | {"c": c})
    (first,) = [one for one in found.broken if one.key == "c"]
    assert (first.step, first.index, first.given, first.right) == (
        3,
        (1, 0),
        c[2, 1, 0],
        pytest.approx(dump["c"][2, 1, 0]),
    )
    assert found.broken[0] is first
    assert {one.key for one in found.broken} == {"c", "h", "do", "c_prev", "dc", "df"} - {
        key for key in ("h", "do", "c_prev", "dc", "df") if key in found.right
    }
    assert first.hint == ""


@pytest.mark.parametrize(
    ("change", "key", "hint"),
    [
        (lambda d: {"f": d["i"], "i": d["f"]}, "f", "these are the numbers of i"),
        (lambda d: {"h_prev": d["h"]}, "h_prev", "each step has the numbers of the step after"),
        (lambda d: {"grad_h_0": 3 * d["grad_h_0"]}, "grad_h_0", "it is 3 times what is right, in every entry"),
        (lambda d: {"a_f": 0 * d["a_f"]}, "a_f", "it is zero throughout: is it never written?"),
    ],
)
def test_numbers_that_no_mutant_explains_say_what_they_look_like(dump, change, key, hint):
    first = look(dump | change(dump)).broken[0]
    assert (first.key, first.hint) == (key, hint)


def test_what_is_not_finite_is_said_and_what_follows_from_it_is_not_blamed(dump):
    df = dump["df"].copy()
    df[1, 2, 1] = np.nan
    da_f = dump["da_f"].copy()
    da_f[1, 2, 1] = np.nan
    found = look(dump | {"df": df, "da_f": da_f})
    (first,) = found.broken
    assert (first.key, first.step, first.index, first.error) == ("df", 2, (2, 1), np.inf)
    assert "da_f" in found.right


def test_two_mistakes_are_told_apart(dump):
    found = look(dump | {"do": -dump["do"], "grad_b_i": dump["grad_b_g"]})
    assert [(one.key, one.mistakes[0]) for one in found.broken if one.mistakes] == [
        ("do", "do: the sign of the term through h is flipped"),
        ("da_o", "da_o: the sign of the term through o is flipped"),
        ("grad_b_i", "db_i: the gradient of b_g is returned"),
    ]


def test_inputs_come_from_the_golden_point_that_the_dump_names(dump, tmp_path):
    which, _, _ = hard(LSTM.cell)
    entries = layout(LSTM.cell)
    computed = {key: array for key, array in dump.items() if entries[key].kind is not Kind.GIVEN}
    found = look(computed | {"about/point": str(which)})
    assert not found.broken
    assert set(found.dump.golden) == {key for key, entry in entries.items() if entry.kind is Kind.GIVEN}
    with pytest.raises(DumpError, match="about/point or by --golden"):
        locate(LSTM, {"grad_W_xf": computed["grad_W_xf"]})
    api.vectors("lstm", tmp_path / "golden.npz", points=1)
    wrong = computed | {"dh_prev": -computed["dh_prev"]}
    first = locate(LSTM, wrong, golden=tmp_path / "golden.npz").first
    assert first[1].mistakes == ("dh_prev: the sign of the whole sum is flipped",)


def test_what_cannot_be_tested_says_what_it_needs(dump):
    some = {key: dump[key] for key in ("df", "da_f", "f", "dc", "c_prev")}
    found = look(some)
    assert found.right == ("df", "da_f")
    assert set(dict(found.untested)["f"]) == {*LSTM.cell.parameters, "x", "h_0"}


def test_several_points_and_the_first_that_breaks(dump):
    both = {f"1/{key}": array for key, array in dump.items()}
    both |= {f"2/{key}": array for key, array in dump.items()} | {"2/dg": dump["di"]}
    found = locate(LSTM, both)
    point, first = found.first
    assert (point.dump.number, first.key, found.points[0].broken) == (2, "dg", ())


# --- the command ------------------------------------------------------------------------------------------------------


def run(*args: str):
    return CliRunner().invoke(app, ["locate", *args])


def test_the_command_says_what_breaks_where_and_why(dump, tmp_path):
    path = tmp_path / "dump.npz"
    dc_next = dump["dc_next"].copy()
    dc_next[3] = 0
    few = {key: array for key, array in dump.items() if key not in ("a_f", "dW_xf")}
    np.savez(path, **few | {"dc_next": dc_next, "mine": dump["x"]})
    answer = run("lstm", str(path), "--width", "400", "--verbose")
    assert answer.exit_code == 1
    for said in (
        "Long short-term memory: dc_next is the first that breaks at t = 4",
        "dc_next[3, ",
        "], which is t = 4: ",
        "0.0 is given",
        "dc at t = T: the cotangent of the final state is ignored",
        "Right, each on the dump's own inputs: h_prev, c_prev, f, a_i,",
        "Not in the dump, and computed on the way: a_f, dW_xf.",
        "Not names of the cell, and not looked at: mine.",
        "Measured in float64",
    ):
        assert said in answer.stdout, said
    record = json.loads(run("lstm", str(path), "--format", "json").stdout)
    assert (record["schema"], record["wrong"], record["points"][0]["unknown"]) == (
        "derivations/locate/1",
        True,
        ["mine"],
    )
    first = record["first"]
    assert (first["quantity"], first["step"], first["steps"], first["given"]) == ("dc_next", 4, [4], 0.0)
    assert first["right"] == dump["dc_final"][tuple(first["index"])]
    assert first["mistakes"] == ["dc at t = T: the cotangent of the final state is ignored"]
    assert api.locate("lstm", str(path)).data == record


def test_golden_numbers_themselves_are_right_at_every_point(tmp_path):
    for name, dtype in (("golden.npz", "float64"), ("golden.json", "float32")):
        path = tmp_path / name
        api.vectors("gru", path, dtype=dtype)
        answer = run("gru", str(path))
        assert answer.exit_code == 0, answer.output
        assert "every number follows from its inputs" in answer.stdout
        assert "Points 1, 2, 3" in answer.stdout
        assert f"Measured in {dtype}" in answer.stdout


def test_arrays_are_taken_as_they_are_in_python(dump):
    shown = api.locate("lstm", dump)
    assert shown["wrong"] is False
    assert "every number follows from its inputs" in repr(shown)
    wrong = api.locate("lstm", dump | {"di": -dump["di"]})
    assert wrong["first"]["mistakes"] == ["di: the sign of the term through c is flipped"]
    with pytest.raises(DumpError, match="h holds integers"):
        api.locate("lstm", dump | {"h": [1, 2]})
