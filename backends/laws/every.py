"""Laws that every right gradient obeys, whatever the cell: they need no other gradient to be held against.

A law runs one computation of the gradients twice, on points that are related, and says how the two results must be
related. Where both sides of a law are gradients of one and the same thing, each may be as far off as a right program
may be there, and no further.
"""

from backends.laws.law import Law
from backends.laws.of_cells import permuted, tied_apart, tied_unfit, units, units_unfit
from backends.laws.of_runs import idle, linear, mapped, one_by_one, split
from backends.laws.of_slopes import directional, still, without_curl

LAWS = (
    Law(
        "split in time",
        "A run cut in two gives the same gradients, when the first part ends with the cotangent that the second part"
        " sends back to its initial state.",
        split,
    ),
    Law(
        "an idle step",
        "One step more, of which the loss reads nothing, changes no gradient, and its own input has none.",
        idle,
    ),
    Law(
        "one by one",
        "A batch gives what its sequences give one at a time: parameter gradients add, all others stay.",
        one_by_one,
    ),
    Law(
        "vmap",
        "The library's own vmap over a program for one sequence gives what the batch gives.",
        mapped,
        needs="mapped",
    ),
    Law(
        "linearity",
        "The gradient is linear in the cotangents: of 2 w - 3 v it is twice that of w less three times that of v.",
        linear,
    ),
    Law(
        "permutation",
        "Units that change places, in every row and column that they own, take their gradients along.",
        permuted,
    ),
    Law(
        "units",
        "An input in other units, its matrices scaled back, changes nothing but the units of their gradients.",
        units,
        units_unfit,
    ),
    Law(
        "tied weights",
        "Two weights made one get the sum of the gradients that they had apart.",
        tied_apart,
        tied_unfit,
    ),
    Law(
        "direction",
        "The slope along a direction, found by forward mode, is the gradient projected on it.",
        directional,
        still,
        needs="slope",
    ),
    Law(
        "no curl",
        "How much one slope changes along another direction does not hang on which comes first: a gradient is one of"
        " something.",
        without_curl,
        still,
        needs="turning",
    ),
)
