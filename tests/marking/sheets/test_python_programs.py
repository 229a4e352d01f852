"""Whole backward programs in the styles that people write: right ones come out right, a planted mistake is found."""

from pathlib import Path

import pytest

from derivations.cell import CellError
from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.marking.marks import marked, marks
from tests.patience import in_time

PROGRAMS = Path(__file__).parent / "programs"
# of each program, how many of its lines are proved right
RIGHT = {
    "gru_enumerated": 16,
    "gru_rows": 10,
    "gru_stored_dictionaries": 18,
    "gru_torch": 10,
    "lstm_arrays": 12,
    "lstm_class": 20,
    "lstm_coursera": 15,
    "lstm_lists": 8,
    "lstm_nested": 10,
    "lstm_two_levels": 16,
    "rnn_all_states": 5,
    "rnn_batch_class": 8,
    "rnn_dictionaries_of_steps": 6,
    "rnn_while": 7,
}
PLANTED = [
    ("gru_enumerated", "dUn += np.outer(dhn, h_prev)", "dUn += np.outer(dan, h_prev)"),
    ("gru_enumerated", "h_prev = hs[t - 1]\n        dh", "h_prev = hs[t]\n        dh"),
    ("gru_enumerated", "dh_carry = z * dh", "dh_carry = (1 - z) * dh"),
    ("gru_stored_dictionaries", "dz = dh * (h_prev - n)", "dz = dh * (n - h_prev)"),
    ("gru_stored_dictionaries", 'grads["Whn"] += np.outer(dq, h_prev)', 'grads["Whn"] += np.outer(da_n, h_prev)'),
    ("gru_torch", "d_gi.t() @ xs[t]", "d_gi.t() @ h_prev"),
    ("lstm_arrays", "dA[t, n:2 * n] = dc * G[t]", "dA[t, n:2 * n] = dc * C[t]"),
    ("lstm_arrays", "dc_next = dc * F[t]", "dc_next = dc * I[t]"),
    ("lstm_coursera", "c_prev * ft * (1 - ft)", "c_next * ft * (1 - ft)"),
    ("lstm_lists", "dW += np.outer(d_a, x)", "dW += np.outer(x, d_a)"),
    ("lstm_lists", "db += d_a", "db -= d_a"),
    ("lstm_nested", 'da["i"] = dc * g * dsigmoid(i)', 'da["i"] = dc * g * dsigmoid(g)'),
    ("lstm_nested", "dc_next = dc * f", "dc_next = dc"),
    ("lstm_two_levels", "dc = dnext_c + dnext_h * o", "dc = dnext_c + dnext_h * i"),
    ("lstm_two_levels", "da @ Wh.T, dc * f", "da @ Wh.T, dc * i"),
    ("rnn_all_states", "(1 - h * h)", "(1 - h_prev * h_prev)"),
    ("rnn_batch_class", "self.hs[t - 1].T @ da", "self.hs[t].T @ da"),
    ("rnn_dictionaries_of_steps", "dh = dh_out + dhnext", "dh = dh_out"),
    ("rnn_while", "carry = W_hh.T.dot(da)", "carry = W_hh.dot(da)"),
    ("rnn_while", "db_h += da", "db_h += dh"),
]


def text_of(name):
    return (PROGRAMS / f"{name}.txt").read_text(encoding="utf-8")


def marks_of(name, text):
    return marks(name.partition("_")[0], text, "python")


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_has_no_wrong_line(name):
    found = marks_of(name, text_of(name))
    assert [(m.line, m.mistake) for m in found if m.verdict is Verdict.WRONG] == []
    assert sum(m.verdict is Verdict.RIGHT for m in found) >= RIGHT[name]


@pytest.mark.parametrize(("name", "old", "new"), PLANTED)
def test_a_planted_mistake_is_found_where_it_is_and_nowhere_else(name, old, new):
    text = text_of(name)
    assert text.count(old) == 1
    found = [m.line for m in marks_of(name, text.replace(old, new)) if m.verdict is Verdict.WRONG]
    assert found == [text[: text.index(old)].count("\n") + 1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("dz = q[-2:]", "rows -2:"),
        ("dz = np.einsum('i,j->ij', da, h)", "outer(da, h)"),
        ("dz = np.einsum('ji,j->i', W, da)", "W.T @ da"),
        ("dz = np.where(h > 0, h, 0) * dc", "relu(h)*dc"),
        ("da, db = (dc * k for k in (a, b))", "dc*a"),
    ],
)
def test_an_expression_is_read_as_numpy_means_it(line, said):
    from derivations.plain import code

    (first, *_) = read_sheet(f"import numpy as np\n{line}\n", "python").lines
    assert said in code(first.rhs)


def lines_of(text):
    return [(one.step, one.target) for one in read_sheet(text, "python").lines if one.rhs is not None]


def test_a_loop_over_what_is_stored_walks_its_steps_from_the_last_one():
    text = "for (x, h), g in zip(saved[::-1], grads[::-1]):\n    da = g * h\n"
    assert lines_of(text) == [(3, "da"), (2, "da"), (1, "da")]


def test_what_a_forward_pass_has_stored_is_what_its_backward_pass_reads():
    text = (
        "def forward(xs, h):\n    tape = []\n    for x in xs:\n        k = np.tanh(W @ x)\n        tape.append((x, k))\n"
        "    return tape\n\ndef backward(dhs, tape):\n    for t in reversed(range(3)):\n        y, n = tape[t]\n"
        "        da = dhs[t] * n\n"
    )
    (*_, last) = read_sheet(text, "python").lines
    assert (last.target, last.step) == ("da", 1)
    assert any(name.startswith("k#") for name in last.uses)


def test_what_cannot_be_read_does_not_spoil_what_does_not_depend_on_it():
    text = "import numpy as np\ndq = np.fft.fft(dc)\nda = dc * f\n"
    first, second = read_sheet(text, "python").lines
    assert first.rhs is None
    assert second.target == "da"
    assert "fft" in first.why


GROWING = {
    "a list": "x = [1]\n" + "x = x + x\nx += x\n" * 60,
    "a tuple": "x = (1, 2)\n" + "x = (*x, *x)\n" * 60,
    "a text": "x = 'a'\n" + "x = f'{x}{x}'\n" * 60,
    "a join": "import numpy as np\ndef f(x):\n    return np.hstack([x, x])\ndc = " + "f(" * 30 + "x" + ")" * 30,
    "a product": "def f(x):\n    return x*x*x*x\ndc = " + "f(" * 30 + "x" + ")" * 30,
    "a loop": "t = 5\nwhile t < 10:\n    x = x*2\n    t = t - 1\n    t = t + 1\n",
    "loops": "".join(f"{'  ' * k}while t{k} < 9:\n" for k in range(8)) + "  " * 8 + "x = x*x\n",
    "calls": "def f(a):\n    g(a)\n    g(a)\n    b = 1\n    return a, b\ndef g(a):\n    f(a)\n    f(a)\n    return a, a\n"
    + "f(1)\n" * 200,
    "an empty index": "for t in range(T):\n    x[()] = h[()]\n",
}


@pytest.mark.parametrize("what", GROWING)
def test_what_grows_without_end_is_read_in_half_a_second(what):
    def read():
        try:
            return read_sheet(GROWING[what], "python")
        except CellError:
            return None

    found = in_time(0.5, read)
    assert found is None or len(found.lines) < 2_000


def test_a_sum_over_time_without_the_last_step_is_charged_at_its_loop_and_does_not_crash():
    right = """
for t in range(T - 1, -1, -1):
    dh = dh_out[t] + dh_next
    dc = dc_next + dh * o[t] * (1 - np.tanh(c[t]) ** 2)
    da_i = dc * g[t] * i[t] * (1 - i[t])
    da_f = dc * c[t - 1] * f[t] * (1 - f[t])
    da_g = dc * i[t] * (1 - g[t] ** 2)
    da_o = dh * np.tanh(c[t]) * o[t] * (1 - o[t])
    da = np.concatenate([da_i, da_f, da_g, da_o])
    dW_x += np.outer(da, x[t])
    dW_h += np.outer(da, h[t - 1])
    dh_next = W_h.T @ da
    dc_next = dc * f[t]
"""
    head = "dW_x, dW_h, dh_next, dc_next = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(H), np.zeros(H)"
    of = {text: marked(head + text, "lstm", "python")
          for text in (right, right.replace("range(T - 1", "range(T - 2"))}  # fmt: skip
    good, bad = of.values()
    assert not [m.line for m in good.marks if m.verdict is Verdict.WRONG]
    charged = [(m.line, m.mistake) for m in bad.marks if m.verdict is Verdict.WRONG]
    assert [line for line, _ in charged] == [2]
    assert "the last step is left out" in charged[0][1]
