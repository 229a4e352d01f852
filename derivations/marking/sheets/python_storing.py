"""What a sheet in Python stores: entries of arrays, lists and dictionaries, and parts of arrays."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Expr, Name, Stack, Transpose, names
from derivations.marking.sheets.python_assigning import adds_to, started
from derivations.marking.sheets.python_labels import entry_label, is_error, is_gradient, of_error, owner_label
from derivations.marking.sheets.python_sizes import members
from derivations.marking.sheets.walked import Items, Moment, Outside, below, side_by_side

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk


class Storing:
    """Stores for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        # what was put into an array of zeros, by where it starts, with where it ends
        self.pieces: dict[str, dict[int, tuple[int | None, Any]]] = {}

    def store(self, owner: ast.expr, index: ast.expr, value: Any, node: ast.stmt) -> None:
        """`hs[t] = ...`, `grads["dW"] = ...`, `da[:, :H] = ...`, `d["f"][t] = ...`"""
        key, slices = self.walk.numbers.index(index)
        held = self.walk.values.value(owner)
        name = owner_label(owner)
        if slices:
            if isinstance(held, Items) and key is not None:
                before = held.known.get(key, ZERO)
                found = self._part(f"{name}{key}", f"{name}[{ast.unparse(index)}]", before, slices, value, node)
                held.put(key, found, self.walk.time.step)
            elif isinstance(held, Expr) and (key is None or held == ZERO):
                shown = f"{name}[{', '.join(map(ast.unparse, members(index)))}]"
                found = self._part(name if key is None else f"{name}{key}", shown, held, slices, value, node)
                if key is not None:
                    items = Items(name, zeros=True)
                    items.put(key, found, self.walk.time.step)
                    self._keep(owner, items)
                else:
                    self._keep(owner, found)
            else:
                raise CellError("a part of an array is assigned that was not there before", node.lineno)
            return
        if key is None and isinstance(held, Expr | Outside):  # da[:] = ..., da[...] = ...
            self.walk.assigning.assign(owner, value, node)
            return
        if not isinstance(held, Items):
            held = Items(name, zeros=held == ZERO and name[:1] == "d")
            self._keep(owner, held)
        value = started(name, value)
        filled_later = isinstance(key, Moment) and name[:1] != "d" and self.walk.time.counted(key) > 0
        if value == ZERO and filled_later and not isinstance(value, int):
            return  # filled in later, by what is no formula: it comes from outside
        if isinstance(key, Moment) and value == ZERO and self.walk.time.step_of(name, key) == 0:
            self.walk.assigning.zero.add(f"{name}@0")
            held.put(key, Outside(name, 0, True), 0)
            return
        before_ = held.known.get(key)
        label = entry_label(held.name or name, key) if isinstance(key, str) else name
        if before_ is None and isinstance(node, ast.AugAssign) and isinstance(key, str) and not held.zeros:
            before_ = Name(label)
        if isinstance(key, str) and isinstance(value, Expr):
            said = of_error(f"{held.name or name}_{key}", names(value))
            label = said if label == key and is_error(said) else label
        starts = before_ in (None, ZERO, 0) and is_gradient(label) and adds_to(node)
        count = len(self.walk.assigning.lines)
        said = self.walk.assigning.line(label, value, node, before_.id if isinstance(before_, Name) else "")
        if starts and len(self.walk.assigning.lines) > count:
            self.walk.assigning.starts_sum()
        held.put(key, said, self.walk.time.step)

    def _keep(self, owner: ast.expr, value: Any) -> None:
        match owner:
            case ast.Name(name):
                self.walk.scope[name] = value
            case ast.Attribute(ast.Name(self_), name):
                self.walk.attributes[f"{self_}.{name}"] = value
            case ast.Subscript(inner, index):
                held = self.walk.values.value(inner)
                if not isinstance(held, Items):
                    held = Items(owner_label(inner))
                    self._keep(inner, held)
                held.put(self.walk.numbers.index(index)[0], value, self.walk.time.step)

    def _part(self, name: str, shown: str, held: Expr, slices: Sequence[Any], value: Any, node: ast.stmt) -> Expr:
        """Pieces that are put side by side into an array of zeros, one after another."""
        pieces = dict(self.pieces.get(name, {})) if held != ZERO else {}
        start, stop = slices[-1]
        bare = name.rstrip("0123456789")
        bare = bare if is_error(bare) else f"d{bare}"
        piece = f"{bare}[{start or 0}:{stop or ''}]"
        self.walk.assigning.shown.setdefault(piece, shown)
        if isinstance(value, Outside | int):
            value = self.walk.values.quantity(value)
        if isinstance(value, Expr):
            value = self.walk.assigning.line(piece, value, node, "", always=True)
        at = start or 0
        pieces[at + 1_000 * (at < 0)] = (stop, value)
        self.pieces = {**self.pieces, name: pieces}
        parts = [pieces[k][1] for k in sorted(pieces)]
        if not all(isinstance(p, Expr) for p in parts):
            raise CellError("what is put into this array is not known", node.lineno)
        return side_by_side(parts) if len(slices) > 1 else below(parts)

    def held_in(self, name: str, held: Expr, slices: Sequence[Any]) -> Expr | None:
        """What was put between two places of an array that is filled piece by piece; None where that is not known."""
        pieces = self.pieces.get(name, {})
        cuts = [cut for cut in slices if cut != (None, None)]
        if not isinstance(held, Stack | Transpose) or len(cuts) != 1:
            return None
        start, stop = cuts[0]
        found: list[Expr] = []
        at = start or 0
        while at in pieces:
            end, value = pieces[at]
            found.append(value)
            if end == stop:
                return found[0] if len(found) == 1 else side_by_side(found) if len(slices) > 1 else below(found)
            if end is None or end <= at:
                return None
            at = end
        return None
