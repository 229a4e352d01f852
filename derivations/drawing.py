"""The layout of a step in points: boxes for quantities and curves for wires, lying or standing.

One geometry serves the static picture and the page; on a narrow screen the page takes the standing one.
"""

from dataclasses import dataclass
from functools import partial

from derivations.layout import Layout, Wire

SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)  # of a bend, where a number can stand, best first
ROUNDS = 6  # of placing each number anew among the others
MARK = (36.0, 15.0)  # width and height of a number in points


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes in points: from column to column, from lane to lane, and of the box of a quantity."""

    column: float = 116.0
    lane: float = 62.0
    width: float = 66.0
    height: float = 44.0
    margin: float = 12.0
    standing: bool = False

    def centre(self, column: float, lane: float) -> tuple[float, float]:
        """The middle of a place on the page, from the upper left corner."""
        along, across = self.margin + column * self.column, self.margin + lane * self.lane
        if self.standing:
            return across + self.width / 2, along + self.height / 2
        return along + self.width / 2, across + self.height / 2

    def size(self, drawn: Layout) -> tuple[float, float]:
        """Width and height of the whole."""
        x, y = self.centre(drawn.columns, drawn.lanes)
        return x + self.width / 2 + self.margin, y + self.height / 2 + self.margin

    def curve(self, wire: Wire) -> str:
        """A wire as the path of an SVG: out of one box, straight past other columns, into the other box."""
        half = (self.height if self.standing else self.width) / 2
        points: list[tuple[float, float]] = []  # along and across
        last = len(wire.points) - 1
        for k, place in enumerate(wire.points):
            x, y = self.centre(*place)
            along, across = (y, x) if self.standing else (x, y)
            if k:
                points.append((along - half, across))
            if k < last:
                points.append((along + half, across))
        path = f"M{self._at(points[0])}"
        for k in range(0, len(points) - 1, 2):
            (a, p), (b, q) = points[k], points[k + 1]
            if k:
                path += f"L{self._at((a, p))}"
            middle = (a + b) / 2
            path += f"C{self._at((middle, p))} {self._at((middle, q))} {self._at((b, q))}"
        return path

    def marks(self, drawn: Layout) -> tuple[tuple[float, float], ...]:
        """Where a number on each wire can stand: on its last bend, each as far from the others as that allows."""
        places = [[self._along(wire, share) for share in SHARES] for wire in drawn.wires]
        found: list[tuple[float, float]] = [possible[0] for possible in places]
        for _ in range(ROUNDS):
            for k, possible in enumerate(places):
                found[k] = max(possible, key=partial(_room, taken=found[:k] + found[k + 1 :]))
        return tuple(found)

    def _along(self, wire: Wire, share: float) -> tuple[float, float]:
        """A point of the wire's last bend, from its beginning (0) to its end (1)."""
        (x, y), (u, v) = self.centre(*wire.points[-2]), self.centre(*wire.points[-1])
        half = (self.height if self.standing else self.width) / 2
        a, b, p, q = (y + half, v - half, x, u) if self.standing else (x + half, u - half, y, v)
        rest = 1 - share
        along = a + (b - a) * (1.5 * share * rest * rest + 1.5 * share * share * rest + share**3)
        across = p + (q - p) * (3 * share * share * rest + share**3)
        return (across, along) if self.standing else (along, across)

    def _at(self, point: tuple[float, float]) -> str:
        along, across = point
        x, y = (across, along) if self.standing else (along, across)
        return f"{x:g} {y:g}"


def _room(place: tuple[float, float], taken: list[tuple[float, float]]) -> float:
    """How far a number is from the nearest other one, in numbers; beyond one it makes no difference."""
    return min([1.0, *(max(abs(place[0] - x) / MARK[0], abs(place[1] - y) / MARK[1]) for x, y in taken)])


LYING = Geometry()
STANDING = Geometry(column=92.0, lane=63.0, width=58.0, margin=6.0, standing=True)
