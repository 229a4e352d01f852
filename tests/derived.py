"""The derivation of every cell, a step of one by its rule, and a mistake that every expression can have."""

from fractions import Fraction

from derivations.catalogue import cell_names, read_cell
from derivations.derive import Derivation, Rule, Step, derive
from derivations.expression import Expr, Num
from derivations.language import read
from tests.samples import EVERYTHING, EVERYTHING_BUT_STACKS

DERIVED = {name: derive(read_cell(name)) for name in cell_names()}
DERIVED |= {"everything": derive(read(EVERYTHING)), "nearly": derive(read(EVERYTHING_BUT_STACKS))}
LSTM = DERIVED["lstm"]


def step(derivation: Derivation, rule: Rule, wrt: str, of: str = "") -> Step:
    (found,) = [s for s in derivation.steps if s.rule is rule and s.wrt == wrt and (not of or s.of == of)]
    return found


def scaled(expr: Expr) -> Expr:
    return Num(1 + Fraction(1, 10**10)) * expr
