"""The walkthroughs written by hand, as one more way to compute every gradient at a point.

Their files share no code with the derivation; this one only carries a point's numbers to them and their answers back.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from backends.points import Array, Point
from derivations.cell import Cell

# walkthrough -> who computed it, the backend whose package that takes, and the file in backends/walkthrough
BY_HAND: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "notebook": (
        ("Python, by hand", "python", "plain"),
        ("torch, by hand", "torch", "with_torch"),
        ("jax, by hand", "jax", "with_jax"),
    ),
    "rnn-notebook": (
        ("Python, by hand", "python", "rnn_plain"),
        ("torch, by hand", "torch", "rnn_torch"),
        ("jax, by hand", "jax", "rnn_jax"),
    ),
}


def by_hand(cell: Cell, file: str) -> Callable[[Point, str], dict[str, Array]]:
    """The gradients of a point by one of the files, as a backend gives them.

    The files know one sequence and one target for all its steps, so the batch is a loop, and a point's target must be
    the same at every step.
    """
    module = import_module(f"backends.walkthrough.{file}")
    target = cell.targets[0]

    def one(point: Point, b: int, dtype: str) -> Mapping[str, float]:
        targets = np.ravel(point.inputs[target][:, b])
        if not (targets == targets[0]).all():
            raise ValueError("the walkthroughs written by hand take one target for all steps")
        cotangents: dict[str, Any] = {
            name: [float(x) for x in np.ravel(point.cotangents[name][:, b])]
            for name in cell.seeded
            if name != cell.loss
        }
        cotangents["loss"] = [float(x) for x in np.ravel(point.cotangents[cell.loss or ""][:, b])]
        cotangents |= {f"{state}_T": float(np.ravel(point.final[state][b])[0]) for state in cell.states}
        arguments = (
            {name: float(np.ravel(value)[0]) for name, value in point.parameters.items()},
            [float(x) for x in np.ravel(point.inputs["x"][:, b])],
            *(float(np.ravel(point.initial[state][b])[0]) for state in cell.states),
            float(targets[0]),
            cotangents,
        )
        plain = file.endswith("plain")
        found: Mapping[str, float] = module.pullback(*arguments) if plain else module.pullback(*arguments, dtype)
        return found

    def every(point: Point, dtype: str) -> dict[str, Array]:
        batch = point.inputs["x"].shape[1]
        found = [one(point, b, dtype) for b in range(batch)]
        result: dict[str, Array] = {}
        for name in found[0]:
            if name in point.parameters:
                summed = np.sum([each[name] for each in found], dtype=dtype)
                result[name] = np.reshape(summed, point.parameters[name].shape)
            else:
                inner = point.initial[cell.states[0]].shape[1:]
                result[name] = np.reshape(np.array([each[name] for each in found], dtype=dtype), (batch, *inner))
        return result

    return every
