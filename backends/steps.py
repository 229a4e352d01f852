"""A backward pass as two functions of one step, so that a library which compiles has one step to compile, and not T."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from backends.arrays import ArrayArithmetic, Library
from derivations.program import Backward, run_backward, run_forward

if TYPE_CHECKING:
    from backends.points import Arguments

Values = dict[str, Any]
Functions = Callable[[Library[Any]], Mapping[str, Callable[..., Any]]]


@dataclass(frozen=True)
class Steps:
    """The gradients by the equations of a derivation (`arrays.Run`), step by step.

    Attributes:
        program: as `backward_program` gives it. The gradient of an initial state is what step 1 would carry on, so that
            every step is the same function.
        functions: the table of functions, where it is not the library's own.
    """

    program: Backward
    functions: Functions | None = None

    def __post_init__(self) -> None:
        program = self.program
        joined = (program.summed, program.late, program.horizon, program.averaged, program.onward)
        if any(joined) or program.initial != program.carry:
            raise ValueError("the steps of this program are joined in a way of its own")

    def __call__(self, library: Library[Any], arguments: "Arguments[Any]") -> Values:
        def forward(*given: Any) -> Values:
            return self.forward(library, *given)

        def backward(*given: Any) -> Values:
            return self.backward(library, *given)

        return self.over(arguments, forward, backward)

    def forward(self, library: Library[Any], parameters: Values, inputs: Values, states: Values) -> Values:
        """What the cell defines at one step, from the states before it."""
        cell, given = self.program.cell, {name: [x] for name, x in inputs.items()}
        (values,) = run_forward(cell, parameters, given, states, self._on(library))
        return {name: values[name] for name in cell.defined}

    def backward(
        self, library: Library[Any], values: Values, cotangents: Values, carried: Values, gathered: Values
    ) -> Values:
        """The gradients of one step: by state (`h_0`) what is carried on, by input `x_1`, and by parameter the sum.

        Args:
            values: all that the adjoint equations read of this step.
            gathered: the sums so far, of the later steps.
        """
        given = {name: [cotangent] for name, cotangent in cotangents.items()}
        found, _ = run_backward(self.program, [values], given, carried, self._on(library))
        return {key: gathered[key] + slope if key in gathered else slope for key, slope in found.items()}

    def over(
        self, arguments: "Arguments[Any]", forward: Callable[..., Values], backward: Callable[..., Values]
    ) -> Values:
        """Every gradient over all steps, from the two functions of one step."""
        cell = self.program.cell
        states, trace = dict(arguments.initial), []
        for t in range(len(next(iter(arguments.inputs.values())))):
            inputs = {name: series[t] for name, series in arguments.inputs.items()}
            before = dict(zip(cell.previous, (states[state] for state in cell.states), strict=True))
            defined = forward(arguments.parameters, inputs, states)
            states = {state: defined[state] for state in cell.states}
            trace.append({**arguments.parameters, **inputs, **before, **defined})

        carried = dict(arguments.final)
        gathered = {name: parameter * 0 for name, parameter in arguments.parameters.items()}
        found: Values = {}
        for t, values in reversed(list(enumerate(trace))):
            cotangents = {name: series[t] for name, series in arguments.cotangents.items()}
            slopes = backward(values, cotangents, carried, gathered)
            carried = {state: slopes[f"{state}_0"] for state in cell.states}
            gathered = {name: slopes[name] for name in cell.parameters}
            found |= {f"{name}_{t + 1}": slopes[f"{name}_1"] for name in cell.inputs}
        return {**gathered, **{f"{state}_0": slope for state, slope in carried.items()}, **found}

    def _on(self, library: Library[Any]) -> ArrayArithmetic[Any]:
        return ArrayArithmetic(
            library if self.functions is None else replace(library, functions=self.functions(library))
        )
