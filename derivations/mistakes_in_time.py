"""Mistakes in how the steps of a backward pass are joined, and in what is done with the sums at the end."""

from collections.abc import Iterator
from dataclasses import replace

from derivations.cell import prev
from derivations.expression import ZERO, Adjoint, names, negative, product, substitute
from derivations.mistakes import neighbours
from derivations.program import Backward

Mistake = tuple[str, str, Backward]  # in words, the quantity in which it is made, the program that it leaves


def over_time(program: Backward) -> Iterator[Mistake]:
    """Every mistake that is not in one adjoint equation."""
    for state in program.cell.states:
        yield from _carried(program, state)
    for name in program.cell.inputs:
        if _is_read(program, name):
            yield (
                f"{name} of another step where that of step t is due",
                name,
                replace(program, late={name: slice(None)}),
            )
    for name in program.gradients:
        yield from _summed(program, name)
    yield from _throughout(program)


def _carried(program: Backward, state: str) -> Iterator[Mistake]:
    carried, id_ = program.carry[state], f"d{state}_next"
    for said, expr in (
        ("the carry from step t+1 is not carried", product(ZERO, carried)),
        ("the sign of the carry is flipped", negative(carried)),
    ):
        yield f"{id_}: {said}", id_, replace(program, carry={**program.carry, state: expr})
    yield (
        f"d{state} at t = T: the cotangent of the final state is ignored",
        id_,
        replace(program, final=program.final - {state}),
    )
    for said, expr in (
        ("the gradient of the initial state is returned as zero", product(ZERO, carried)),
        (f"the adjoint of {state}_1 where that of {state}_0 is due", Adjoint(state)),
    ):
        yield f"d{state}_0: {said}", f"{state}_0", replace(program, initial={**program.initial, state: expr})
    if _is_read(program, prev(state)):
        yield (
            f"{state}_1 where {state}_0 is due at the first step",
            prev(state),
            replace(program, late={prev(state): slice(0, 1)}),
        )


def _is_read(program: Backward, name: str) -> bool:
    return any(name in names(rhs) for _, rhs in program.adjoints)


def _summed(program: Backward, name: str) -> Iterator[Mistake]:
    own = program.gradients[name]
    for said, steps in (
        ("is overwritten at each step where it must accumulate", slice(0, 1)),
        ("leaves out the first step", slice(1, None)),
        ("leaves out the last step", slice(None, -1)),
    ):
        yield f"d{name}: the sum over time {said}", name, replace(program, summed={name: steps})
    yield (
        f"d{name}: divided by the batch size (a mean where the sum is due)",
        name,
        replace(program, averaged=frozenset({name})),
    )
    for other in neighbours(name, program.cell):
        wrong = substitute(own, {Adjoint(name): Adjoint(other)})
        alone = {**program.gradients, name: wrong}
        yield f"d{name}: the gradient of {other} is returned", name, replace(program, gradients=alone)
        order = program.cell.parameters
        if order.index(name) < order.index(other):
            back = substitute(program.gradients[other], {Adjoint(other): Adjoint(name)})
            yield (
                f"d{name} and d{other} are swapped",
                name,
                replace(program, gradients={**alone, other: back}),
            )


def _throughout(program: Backward) -> Iterator[Mistake]:
    every = frozenset(program.gradients)
    if len(every) > 1:
        flipped = {name: negative(expr) for name, expr in program.gradients.items()}
        said = "the gradients of all parameters have the wrong sign (ascent for descent)"
        yield said, "gradients", replace(program, gradients=flipped)
        said = "the gradients of all parameters are divided by the batch size (means where sums are due)"
        yield said, "gradients", replace(program, averaged=every)
    if len(program.cell.states) > 1:  # with one state, that is its carry, which is not carried
        said = "the carry is cut at every step (truncated backpropagation: immediate partials for totals)"
        yield said, "carry", replace(program, horizon=1)
    said = "the carry is cut at every second step (truncated backpropagation)"
    yield said, "carry", replace(program, horizon=2)
    said = "the steps are taken from 1 to T (the Jacobians are multiplied in forward order)"
    yield said, "carry", replace(program, onward=True)
