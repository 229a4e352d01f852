"""`assert_agrees` on steps of torch and JAX: right ones pass, and of a wrong one it names what is wrong first."""

import re
from functools import partial
from types import SimpleNamespace

import pytest

from backends import calling, testing
from backends.backend import Unavailable
from backends.points import draw
from backends.testing import assert_agrees
from derivations.cell import CellError
from derivations.language import read

GATES = "ifgo"  # in the order of torch's rows
AGREES = partial(assert_agrees, points=1)


@pytest.fixture
def torch(needs):
    return needs("torch")


@pytest.fixture
def jax(needs):
    return needs("jax")


def lstm(library, x, h_prev, c_prev, weights, *, last=None, gates="figo"):
    """An LSTM step in a library that has sigmoid and tanh; `last` stands for the last tanh."""
    a = {k: x @ weights[f"W_x{k}"].T + h_prev @ weights[f"W_h{k}"].T + weights[f"b_{k}"] for k in gates}
    f, i, g, o = (
        library.sigmoid(a[gates[0]]),
        library.sigmoid(a[gates[1]]),
        library.tanh(a["g"]),
        library.sigmoid(a["o"]),
    )
    c = f * c_prev + i * g
    return o * (last or library.tanh)(c), c


@pytest.fixture
def packed(torch):
    """torch.nn.LSTMCell on our weights."""
    cell = torch.nn.LSTMCell(1, 1, device="meta")

    def step(x, h_prev, c_prev, **weights):
        bias = torch.cat([weights[f"b_{gate}"] for gate in GATES])
        packed = {
            "weight_ih": torch.cat([weights[f"W_x{gate}"] for gate in GATES]),
            "weight_hh": torch.cat([weights[f"W_h{gate}"] for gate in GATES]),
            "bias_ih": bias,
            "bias_hh": torch.zeros_like(bias),
        }
        return torch.func.functional_call(cell, packed, (x, (h_prev, c_prev)))

    return step


class Jnp:
    """jnp with a sigmoid."""

    def __init__(self, jax):
        self.sigmoid, self.tanh = jax.nn.sigmoid, jax.numpy.tanh


# --- right ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_lstm_of_torch_agrees(packed, dtype):
    assert_agrees("lstm", packed, dtype=dtype)


def gru(torch, out, x, h_prev, sigmoid=None, **w):
    a = {k: x @ w[f"W_x{k}"].T + h_prev @ w[f"W_h{k}"].T + w[f"b_{k}"] for k in "rz"}
    r, z = map(sigmoid or torch.sigmoid, a.values())
    n = torch.tanh(x @ w["W_xn"].T + r * (h_prev @ w["W_hn"].T + w["b_hn"]) + w["b_n"])
    return out(z, n, h_prev, a["z"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "spelled",
    [
        lambda torch: lambda z, n, h, a: n + z * (h - n),
        lambda torch: lambda z, n, h, a: torch.lerp(n, h, z),
        lambda torch: lambda z, n, h, a: n - z * n + z * h,
        lambda torch: lambda z, n, h, a: torch.addcmul(z * h, 1 - z, n),
        lambda torch: lambda z, n, h, a: torch.sigmoid(-a) * n + z * h,
    ],
    ids=["n + z(h - n)", "lerp", "n - zn + zh", "addcmul", "sigmoid(-a)"],
)
def test_a_gru_may_mix_its_states_as_it_likes(torch, spelled, dtype):
    assert_agrees("gru", partial(gru, torch, spelled(torch)), dtype=dtype)


def test_the_gru_of_torch_agrees(torch):
    def step(x, h_prev, b_hn, **w):
        stacked = [torch.cat([w[f"W_{of}{k}"] for k in "rzn"]) for of in "xh"]
        biases = [torch.cat([w["b_r"], w["b_z"], w["b_n"]]), torch.cat([0 * b_hn, 0 * b_hn, b_hn])]
        return torch.gru_cell(x, h_prev, *stacked, *biases)

    assert_agrees("gru", step)


def test_a_layer_may_be_normalised_by_a_reciprocal_root(torch):
    text = "cell normed\ninput x\nstate h\nscalar eps\npositive eps\na = W @ x + h_prev\nm = a - mean(a)\n"

    def step(x, h_prev, W, eps):
        a = x @ W.T + h_prev
        m = a - a.mean(-1, keepdim=True)
        return m * torch.rsqrt(a.var(-1, keepdim=True, unbiased=False) + eps)

    assert_agrees(read(text + "h = m / sqrt(mean(m**2) + eps)\n"), step, dtype="float32")


def test_an_lstm_in_jnp_agrees(jax):
    def step(x, h_prev, c_prev, **weights):
        return lstm(Jnp(jax), x, h_prev, c_prev, weights)

    assert_agrees("lstm", step)
    assert_agrees("lstm", jax.jit(step), dtype="float32", backend="jax")


def test_a_step_of_single_vectors_agrees(torch, jax):
    def step(tanh, x, h_prev, W_xh, W_hh, b_h):
        assert x.ndim == h_prev.ndim == b_h.ndim == 1
        return tanh(W_xh @ x + W_hh @ h_prev + b_h)

    AGREES("rnn", partial(step, torch.tanh), batched=False)
    AGREES("rnn", partial(step, jax.numpy.tanh), batched=False)
    with pytest.raises(TypeError, match="step runs on none of jax, torch; say which with backend="):
        AGREES("rnn", partial(step, torch.tanh))


def test_other_names_a_dictionary_and_outputs(torch, tmp_path):
    text = """cell reader
input x
state h
h = tanh(W @ x + U @ h_prev)
readout
    y = sigmoid(V @ h + b)
loss
    L = sum((y - goal)**2)
target goal
"""

    def step(inputs, hidden_prev, U, V, A, b, factor=1):  # U and V are exchanged, W is A
        hidden = factor * torch.tanh(inputs @ A.T + hidden_prev @ V.T)
        return {"prediction": torch.sigmoid(hidden @ U.T + b), "hidden": hidden, "more": None}

    names = {"x": "inputs", "h": "hidden", "U": "V", "V": "U", "W": "A", "y": "prediction"}
    AGREES(read(text), step, names, outputs=["y"])
    (tmp_path / "reader.cell").write_text(text)
    AGREES(
        str(tmp_path / "reader.cell"),
        step,
        names,
        outputs=["y"],
        steps=2,
        batch=5,
        sizes={"n": 3, "m": 1, "p": 2},
    )
    with pytest.raises(AssertionError, match=r"wrong is h \(the step's hidden\) at step 1"):
        AGREES(read(text), partial(step, factor=2), names, outputs=["y"])

    def only_the_state(x, h_prev, W, U):  # what it returns does not depend on the rest
        return torch.tanh(x @ W.T + h_prev @ U.T)

    AGREES(read(text), only_the_state)


# --- wrong ------------------------------------------------------------------------------------------------------


def complaint(cell, step, **options) -> str:
    with pytest.raises(AssertionError) as caught:
        AGREES(cell, step, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("mistake", "first", "right"),
    [
        ("c for tanh(c)", "h at step 1", "c at step 1"),
        ("f and i exchanged", "c at step 1", None),
        ("h not carried back", "the gradient of the initial h over one step", "the initial c"),
        ("c not carried back", "the gradient of the initial c over one step", "the initial h"),
        ("slope of f", "the gradient of W_xf over one step", "W_xi"),
        ("cut at step 4", "the gradient of x at step 3 over 4 steps", "x at step 4"),
    ],
)
def test_the_first_wrong_quantity_is_named_in_torch(torch, mistake, first, right):
    calls = []

    class Steep(torch.autograd.Function):
        """sigmoid with s for s(1 - s)."""

        @staticmethod
        def forward(ctx, a):
            s = torch.sigmoid(a)
            ctx.save_for_backward(s)
            return s

        @staticmethod
        def backward(ctx, ds):
            return ds * ctx.saved_tensors[0]

    class Library:
        tanh = staticmethod(torch.tanh)

        @staticmethod
        def sigmoid(a):
            calls.append(a)
            steep = mistake == "slope of f" and len(calls) % 3 == 1
            return Steep.apply(a) if steep else torch.sigmoid(a)

    def step(x, h_prev, c_prev, **weights):
        cut = mistake == "cut at step 4" and len(calls) == 3 * 3
        if mistake == "h not carried back" or cut:
            h_prev = h_prev.detach()
        if mistake == "c not carried back" or cut:
            c_prev = c_prev.detach()
        gates = "ifgo" if mistake == "f and i exchanged" else "figo"
        last = (lambda c: c) if mistake == "c for tanh(c)" else None
        return lstm(Library, x, h_prev, c_prev, weights, last=last, gates=gates)

    said = complaint("lstm", step, backend="torch")
    assert said.startswith(f"step is not lstm: the first quantity that is wrong is {first}\n  seed 1, entry [")
    assert re.search(r"it gives \S+ where \S+ is right;\n  E = \S+, and rounding explains no E above 1", said)
    assert right is None or right in said.partition("not wrong: ")[2]
    assert ("is something detached" in said) == ("not carried" in mistake)


def test_the_first_wrong_quantity_is_named_in_jax(jax):
    def step(x, h_prev, c_prev, mistake="", **weights):
        if mistake == "h not carried back":
            h_prev = jax.lax.stop_gradient(h_prev)
        last = (lambda c: c) if mistake == "c for tanh(c)" else None
        return lstm(Jnp(jax), x, h_prev, c_prev, weights, last=last)

    said = complaint("lstm", partial(step, mistake="h not carried back"))
    assert said.startswith("step is not lstm: the first quantity that is wrong is the gradient of the initial h over")
    said = complaint("lstm", partial(step, mistake="c for tanh(c)"), backend="jax")
    assert said.startswith("step is not lstm: the first quantity that is wrong is h at step 1")


class Changed:
    """What passes unchanged, and whose gradient does not."""

    def __new__(cls, torch, x, rule):
        class Function(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x.clone()

            @staticmethod
            def backward(ctx, sent):
                return rule(ctx.saved_tensors[0], sent.clone())

        return Function.apply(x)


def barely(x, sent):
    sent[0, 0] *= 1 + 1e-10
    return sent


def last_sequence(x, sent):
    sent[2] *= 1 + 1e-9
    return sent


@pytest.mark.parametrize(
    "rule",
    [
        barely,
        last_sequence,
        lambda x, sent: sent.float().double(),
        lambda x, sent: sent.where(x >= 0, 1.001 * sent),
        lambda x, sent: sent.clamp(-10, 10),
        lambda x, sent: sent[[1, 0, 2]],
    ],
    ids=["1e-10 in one entry", "the last sequence", "through float32", "x < 0", "clipped at 10", "sequences swapped"],
)
def test_a_gradient_that_is_changed_somewhere_is_found(torch, rule):
    def step(x, h_prev, W_xh, W_hh, b_h):
        return torch.tanh(x @ W_xh.T + Changed(torch, h_prev, rule) @ W_hh.T + b_h)

    with pytest.raises(AssertionError, match="the first quantity that is wrong is the gradient of"):
        assert_agrees("rnn", step, backend="torch")


def test_a_sigmoid_that_loses_digits_is_wrong_where_a_gate_is_nearly_closed(torch):
    """(1 + tanh(a/2))/2 is off by a unit of 1, and not of its own value."""

    def step(x, h_prev, c_prev, **weights):
        return lstm(by_tanh, x, h_prev, c_prev, weights)

    by_tanh = SimpleNamespace(tanh=torch.tanh, sigmoid=lambda a: (1 + torch.tanh(a / 2)) / 2)
    with pytest.raises(AssertionError, match="the first quantity that is wrong is c at step 1"):
        assert_agrees("lstm", step, backend="torch")


def test_what_cannot_be_compared_is_said(torch):
    def step(x, h_prev, W_xh, W_hh, b_h, change):
        return change(torch.tanh(x @ W_xh.T + h_prev @ W_hh.T + b_h))

    def said(change) -> str:
        return complaint("rnn", partial(step, change=change), backend="torch")

    assert said(lambda h: h.T) == "step is not rnn: h at step 1 has shape (2, 3) where (3, 2) is due"
    assert said(lambda h: h.float()) == "step is not rnn: h at step 1 is torch.float32; it was given float64"
    assert "it gives nan where" in said(lambda h: h * float("nan"))
    assert "E = inf" in said(lambda h: h * float("nan"))
    assert "the gradient of W_xh over one step" in said(lambda h: h.detach())
    for change, complaint_ in (
        (lambda h: (h, h), "step returns 2 values where 1 are due: h"),
        (lambda h: 1.0, "step returns a float where h is due, an array"),
        (lambda h: h.detach().numpy(), "h at step 1 is a numpy.ndarray where torch has its own arrays"),
        (lambda h: {"hidden": h}, "step returns hidden, and not h"),
    ):
        with pytest.raises(TypeError, match=re.escape(complaint_)):
            AGREES("rnn", partial(step, change=change), backend="torch")


def test_a_point_that_says_nothing_is_followed_by_others(torch, monkeypatch):
    """Where h has saturated, 1 - h**2 is all rounding."""
    cell = read("cell steep\ninput x\nstate h\nh = tanh(20 * w * x + h_prev)\n")
    seeds = []

    def recorded(*args, **options):
        seeds.append(args[1])
        return draw(*args, **options)

    monkeypatch.setattr(testing, "draw", recorded)
    AGREES(cell, lambda x, h_prev, w: torch.tanh(20 * w * x + h_prev), dtype="float32", sizes={"n": 1}, steps=1)
    assert 1 < len(seeds) < 16


def test_a_quantity_that_never_says_anything_is_no_pass(torch):
    """Of one entry, centring leaves zero: rounding is all that there is."""
    cell = read("cell centred\ninput x\nstate h\na = W @ x + b\nh = tanh(a - mean(a) + h_prev)\n")

    def step(x, h_prev, W, b):
        a = x @ W.T + b
        return torch.tanh(a - a.mean(-1, keepdim=True) + h_prev)

    AGREES(cell, step)
    with pytest.raises(AssertionError, match=r"at none of 16 points is rounding small enough beside .*W over one step"):
        AGREES(cell, step, sizes={"n": 1, "m": 2}, steps=1)


# --- how a step is called ---------------------------------------------------------------------------------------


def test_a_step_that_cannot_be_called_so(torch):
    def step(x, h_prev, W, U, b_h):
        raise AssertionError("never called")

    with pytest.raises(TypeError) as caught:
        AGREES("rnn", step)
    assert str(caught.value) == (
        "the step cannot be called: it does not take W_xh, W_hh by name; it asks for W, U, which rnn does not have. "
        "Say what it calls a quantity, as in names={'W_xh': 'W'}"
    )
    with pytest.raises(ValueError, match=r"rnn has no W_hx; did you mean W_xh\?"):
        AGREES("rnn", step, {"W_hx": "W"})
    with pytest.raises(ValueError, match="rnn has no y; there are a_h, h"):
        AGREES("rnn", step, outputs=["y"])
    with pytest.raises(ValueError, match="W_xh and W_hh would both be given as W"):
        AGREES("rnn", step, {"W_xh": "W", "W_hh": "W"})
    with pytest.raises(CellError, match="there is no cell 'rn'; did you mean rnn"):
        AGREES("rn", step)


def test_the_library_is_found_or_asked_for(torch, jax, monkeypatch):
    def step(x, h_prev, W_xh, W_hh, b_h):
        return torch.tanh(x @ W_xh.T + h_prev @ W_hh.T + b_h)

    with pytest.raises(TypeError, match="numpy does not differentiate anyone's function"):
        AGREES("rnn", step, backend="numpy")
    with pytest.raises(Unavailable, match="no backend pytorch; did you mean torch"):
        AGREES("rnn", step, backend="pytorch")

    def broken(x, h_prev, W_xh, W_hh, b_h):
        raise RuntimeError("out of order")

    with pytest.raises(TypeError, match=r"(?s)broken runs on none of .*on torch: RuntimeError: out of order"):
        AGREES("rnn", broken)
    monkeypatch.setattr(calling, "find", dict)
    with pytest.raises(TypeError, match="step is of no library that is imported; say which with backend="):
        AGREES("rnn", step)


def test_errors_of_the_step_are_its_own(torch):
    def step(x, h_prev, W_xh, W_hh, b_h):
        raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        AGREES("rnn", step, backend="torch")
