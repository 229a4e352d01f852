"""Five ways to ask whether a backward pass is right, each as its users ask: what is compared, and within what.

A checker is made for one point, and then asked about one program after another. A program is a backward pass over the
whole run, wrapped for torch in an `autograd.Function` and for JAX in a `custom_vjp`: from all parameters, initial states
and inputs to one number, the sum of every output, and of the final states, each times its cotangent.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backends import on_jax, on_numpy, on_torch
from backends.arrays import ArrayArithmetic, Library, given, leaves, objective
from backends.check import Verdict, judge_all
from backends.points import Point, rounded
from backends.truth import truth
from derivations.program import Backward, run_backward, run_forward

PASS, FAIL, SILENT = "pass", "fail", "says nothing"
Answer = Callable[[Backward | None], str]  # of a program; of None, the library's own differentiation


@dataclass(frozen=True)
class Checker:
    """A tool with its settings.

    Attributes:
        settings: what was asked of it, in a line.
        at: of the right program, a point and a dtype, to what it answers there about any program.
    """

    tool: str
    settings: str
    dtype: str
    at: Callable[[Backward, Point, str], Answer]

    @property
    def name(self) -> str:
        return f"{self.tool}, {self.settings}, {self.dtype}"


def _ours(right: Backward, point: Point, dtype: str) -> Answer:
    """It passes if every gradient does, fails if one does; otherwise the point says nothing, and another is drawn."""
    known = truth(right, point, dtype, "numpy")
    torch_ = truth(right, point, dtype, "torch")

    def answer(program: Backward | None) -> str:
        if program is None:
            got, entry = on_torch.BACKEND.autograd(right.cell, torch_.point, dtype), torch_
        else:
            got, entry = on_numpy.BACKEND.gradients(program, known.point, dtype), known
        verdicts = {check.verdict for check in judge_all(got, entry, "numpy")}
        return FAIL if Verdict.FAIL in verdicts else PASS if verdicts == {Verdict.PASS} else SILENT

    return answer


def _yes(passes: bool) -> str:
    return PASS if passes else FAIL


def _close(close: Callable[[Any, Any], bool]) -> Callable[[Backward, Point, str], Answer]:
    """A program's gradients on NumPy beside those of torch's autograd, in the same dtype."""

    def at(right: Backward, point: Point, dtype: str) -> Answer:
        here = rounded(point, dtype)
        reference = on_torch.BACKEND.autograd(right.cell, here, dtype)
        jax_own = on_jax.BACKEND.autograd(right.cell, here, dtype)

        def answer(program: Backward | None) -> str:
            if program is None:
                got: Mapping[str, Any] = jax_own
            else:
                got = on_numpy.BACKEND.gradients(program, here, dtype)
            return _yes(all(close(got[name], value) for name, value in reference.items()))

        return answer

    return at


def _raises_nothing(check: Callable[[Any, Any], None]) -> Callable[[Any, Any], bool]:
    def close(got: Any, due: Any) -> bool:
        try:
            check(got, due)
        except AssertionError:
            return False
        return True

    return close


def _torch_close(got: Any, due: Any) -> None:
    import torch

    torch.testing.assert_close(torch.from_numpy(np.array(got)), torch.from_numpy(np.array(due)))


def _gradcheck(**settings: float) -> Callable[[Backward, Point, str], Answer]:
    def at(right: Backward, point: Point, dtype: str) -> Answer:
        import torch

        with on_torch.library(dtype) as on:
            arguments = given(on, rounded(point, dtype))
        start = leaves(right.cell, arguments)
        names = list(start)

        def plain(*values: Any) -> Any:
            return objective(on, right.cell, dict(zip(names, values, strict=True)), arguments)

        def wrapped(program: Backward) -> Callable[..., Any]:
            class Objective(torch.autograd.Function):
                @staticmethod
                def forward(ctx: Any, *values: Any) -> Any:
                    ctx.save_for_backward(*values)
                    return plain(*values)

                @staticmethod
                def backward(ctx: Any, cotangent: Any) -> Any:
                    found = _backward(on, program, dict(zip(names, ctx.saved_tensors, strict=True)), arguments)
                    return tuple(cotangent * found[name] for name in names)

            return lambda *values: Objective.apply(*values)

        def answer(program: Backward | None) -> str:
            at_ = [value.clone().requires_grad_() for value in start.values()]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # float32 is asked for on purpose, and torch says that it is not meant
                function = plain if program is None else wrapped(program)
                return _yes(torch.autograd.gradcheck(function, at_, raise_exception=False, **settings))

        return answer

    return at


def _check_grads(**settings: float) -> Callable[[Backward, Point, str], Answer]:
    def at(right: Backward, point: Point, dtype: str) -> Answer:
        import jax
        from jax.test_util import check_grads

        with on_jax.library(dtype) as on:
            arguments = given(on, rounded(point, dtype))
        start = leaves(right.cell, arguments)

        def plain(values: dict[str, Any]) -> Any:
            return objective(on, right.cell, values, arguments)

        def wrapped(program: Backward) -> Callable[..., Any]:
            function = jax.custom_vjp(plain)

            def backward(values: dict[str, Any], cotangent: Any) -> tuple[dict[str, Any]]:
                found = _backward(on, program, values, arguments)
                return ({name: cotangent * found[name] for name in values},)

            function.defvjp(lambda values: (plain(values), values), backward)
            return function

        def answer(program: Backward | None) -> str:
            with on_jax.library(dtype):
                try:
                    check_grads(plain if program is None else wrapped(program), (start,), 1, ("rev",), **settings)
                except AssertionError:
                    return FAIL
            return PASS

        return answer

    return at


def _backward(on: Library[Any], program: Backward, values: Mapping[str, Any], arguments: Any) -> dict[str, Any]:
    """A program's gradients at these leaves, as the library's arrays."""
    cell, arithmetic = program.cell, ArrayArithmetic(on)
    inputs = {
        name: [values.get(f"{name}_{t}", x) for t, x in enumerate(series, 1)]
        for name, series in arguments.inputs.items()
    }
    parameters = {name: values[name] for name in cell.parameters}
    initial = {state: values[f"{state}_0"] for state in cell.states}
    trace = run_forward(cell, parameters, inputs, initial, arithmetic)
    found = run_backward(program, trace, arguments.cotangents, arguments.final, arithmetic)[0]
    return {name: on.broadcast(found[name], tuple(value.shape)) for name, value in values.items()}


CHECKERS = (
    Checker("derive check", "one point", "float64", _ours),
    Checker("derive check", "one point", "float32", _ours),
    Checker("numpy.allclose", "defaults", "float64", _close(np.allclose)),
    Checker("numpy.allclose", "defaults", "float32", _close(np.allclose)),
    Checker(
        "numpy.testing.assert_allclose", "defaults", "float64", _close(_raises_nothing(np.testing.assert_allclose))
    ),
    Checker("torch.testing.assert_close", "defaults", "float32", _close(_raises_nothing(_torch_close))),
    Checker("torch.autograd.gradcheck", "defaults", "float64", _gradcheck()),
    Checker("torch.autograd.gradcheck", "defaults", "float32", _gradcheck()),
    Checker("torch.autograd.gradcheck", "atol=1e-8, rtol=1e-6", "float64", _gradcheck(atol=1e-8, rtol=1e-6)),
    Checker(
        "torch.autograd.gradcheck",
        "eps=1e-2, atol=1e-2, rtol=1e-2",
        "float32",
        _gradcheck(eps=1e-2, atol=1e-2, rtol=1e-2),
    ),
    Checker("jax.test_util.check_grads", "defaults", "float64", _check_grads()),
    Checker("jax.test_util.check_grads", "defaults", "float32", _check_grads()),
    Checker(
        "jax.test_util.check_grads",
        "eps=1e-5, atol=rtol=1e-8",
        "float64",
        _check_grads(eps=1e-5, atol=1e-8, rtol=1e-8),
    ),
    Checker(
        "jax.test_util.check_grads",
        "eps=1e-2, atol=rtol=1e-2",
        "float32",
        _check_grads(eps=1e-2, atol=1e-2, rtol=1e-2),
    ),
)
