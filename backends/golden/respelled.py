"""A dump whose program computes a gate's complement the other way."""

from dataclasses import replace

from backends.golden.dumped import Ready
from backends.golden.layout import layout
from backends.spellings import respelled
from derivations.derive import derive
from derivations.program import Backward, backward_program


def otherwise(program: Backward, dump: Ready) -> list[tuple[Backward, Ready]]:
    """The derivation of each other spelling of a cell, and what the dump has of its names."""
    found = []
    for cell in respelled(program.cell):
        known = layout(cell)
        own = {key: array for key, array in dump.own.items() if key in known}
        found.append((backward_program(derive(cell)), replace(dump, point=replace(dump.point, cell=cell), own=own)))
    return found
