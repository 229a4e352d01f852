"""Writes and runs `docs/walkthrough.ipynb`: `python docs/notebook.py`. Needs nbclient and ipykernel.

The cells stand here, as text that a change can be read in; the notebook holds them with what they gave.
"""

from pathlib import Path
from textwrap import dedent
from typing import Any

FILE = Path(__file__).with_name("walkthrough.ipynb")

CELLS: tuple[tuple[str, str], ...] = (
    (
        "markdown",
        """
        # A scalar LSTM in four steps, and its derivatives

        A teaching notebook walks an LSTM whose every quantity is one number through the inputs 1, 5, 7, 4, gate by
        gate. This one follows it with the same numbers, in plain Python, and goes on where it stops: to every
        derivative, where each comes from, and why so little of it arrives.
        """,
    ),
    (
        "code",
        """
        from math import exp, tanh


        def sigmoid(a):
            return 1 / (1 + exp(-a))


        # The numbers of the walkthrough, under its own names. The forget gate multiplies x by W_xh = -10.
        W_xh, W_hf, b_f = -10.0, 0.5, 0.5
        W_xi, W_hi, b_i = 0.5, 0.5, 0.5
        W_xc, W_hc, b_c = 0.5, 0.5, 0.5
        W_ho, W_hh, b_o = 0.5, 10.0, 0.5
        W_hy, b_y = 4.0, 5.0

        h, c = -1.0, 0.0
        for t, x in enumerate([1.0, 5.0, 7.0, 4.0], 1):
            f = sigmoid(W_xh * x + W_hf * h + b_f)  # what stays of the memory
            i = sigmoid(W_xi * x + W_hi * h + b_i)  # how much is added
            c_tilde = tanh(W_xc * x + W_hc * h + b_c)  # what is added
            o = sigmoid(W_ho * x + W_hh * h + b_o)  # how much is shown
            c = c * f + i * c_tilde
            h = o * tanh(c)
            print(f"t = {t}   f = {f:.3e}   i = {i:.4f}   o = {o:.4f}   c = {c:.6f}   h = {h:.6f}")
        print("y =", sigmoid(W_hy * h + b_y))
        """,
    ),
    (
        "markdown",
        """
        The forget gate is shut at every step: 1e-5 at the first, 1e-30 at the third. Nothing is remembered, and the
        prediction is the last input's alone. What does that do to the gradient?

        ## The same cell as a text

        A cell is written as it stands on paper. The package reads it and derives it; nothing is substituted.
        """,
    ),
    (
        "code",
        """
        from derivations import cells, derive, diff, explore, flow, read

        lstm = derive("lstm")
        cells["lstm"]
        """,
    ),
    ("markdown", "An adjoint is the gradient of the loss by one quantity, summed over all that read it:"),
    ("code", 'lstm.adjoint_of["c"]'),
    ("code", 'lstm.adjoint_of["a_f"]'),
    (
        "markdown",
        """
        ## One derivative, path by path

        How does h at step 4 depend on the weight of the forget gate, with all that came before held fixed? There is
        one path within the step, and each of its factors has a number. The product is nearly nothing, and one factor is
        to blame: the slope of a gate that is shut.
        """,
    ),
    ("code", 'within = diff("lstm", "h", wrt="W_xh", at="notebook", step=4, check=False)\nwithin'),
    (
        "markdown",
        """
        Through time there are many more paths. They are counted, the largest are listed, and the rest is one sum.
        """,
    ),
    (
        "code",
        """
        through = diff("lstm", "h", wrt="c_0", at="notebook", step=4, through_time=True, most=3, check=False)
        through
        """,
    ),
    (
        "markdown",
        """
        Of the memory at the start, 7.65e-14 arrives in h. Here the same number is held against torch, JAX and NumPy:
        """,
    ),
    (
        "code",
        """
        checked = diff("lstm", "h", wrt="c_0", at="notebook", step=4, through_time=True)
        sorted({(check["backend"], check["verdict"]) for check in checked["checks"]})
        """,
    ),
    (
        "markdown",
        """
        ## Why gates

        The gradient of the last state by every earlier one, over forty steps: the simple network loses half of it at
        each step. An LSTM whose forget gate is open keeps it; `derive flow` draws this.
        """,
    ),
    ("code", 'flow("rnn", "lstm", steps=12)'),
    (
        "markdown",
        """
        ## A cell of one's own

        Any cell that can be written can be derived. Here the forget gate is one minus the input gate.
        """,
    ),
    (
        "code",
        '''
        mine = read("""
        cell coupled "LSTM with coupled gates"
        input x
        state h, c

        input gate:    i = sigmoid(W_xi @ x + W_hi @ h_prev + b_i)
        candidate:     g = tanh(W_xg @ x + W_hg @ h_prev + b_g)
        output gate:   o = sigmoid(W_xo @ x + W_ho @ h_prev + b_o)
        cell state:    c = (1 - i) * c_prev + i * g
        hidden state:  h = o * tanh(c)
        """)
        derive(mine).adjoint_of["i"]
        ''',
    ),
    (
        "markdown",
        """
        ## To walk through

        The explorer is one page. Choose a node: its equation, its gradient as a sum over its consumers, its value at
        every step. Move a slider: all of it follows.
        """,
    ),
    ("code", 'explore("lstm", "rnn")'),
)


def made() -> Any:
    """The notebook before it has run."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    make = {"code": new_code_cell, "markdown": new_markdown_cell}
    found = [make[kind](dedent(text).strip(), id=f"cell-{k}") for k, (kind, text) in enumerate(CELLS, 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=found, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def executed(notebook: Any) -> Any:
    """The notebook with what its cells gave: output only, no times."""
    from nbclient import NotebookClient

    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(FILE.parent.parent)}},
    ).execute()
    return notebook


def main() -> None:
    import nbformat

    nbformat.write(executed(made()), FILE)


if __name__ == "__main__":
    main()
