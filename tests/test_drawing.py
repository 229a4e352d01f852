"""The drawing of a step: where things stand, and that wires go around what they do not touch."""

import re
from itertools import combinations, pairwise

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive, uses
from derivations.drawing import LYING, SHARES, STANDING
from derivations.formats.svg import render, text
from derivations.language import read
from derivations.layout import Wire, layout
from derivations.notation import Notation, name_box
from derivations.walkthrough import read_walkthrough
from tests.samples import EVERYTHING, cell_text

CELLS = {name: read_cell(name) for name in cell_names()}
CELLS |= {"notebook": read_walkthrough("notebook").cell, "everything": read(EVERYTHING)}
CELLS |= {"alone": read(cell_text("g = sigmoid(p)\nh = tanh(sigmoid(q))"))}  # what no wire touches
CELLS |= {"one": read(cell_text("h = x")), "late": read(cell_text("a = x\nb = a\nh = b + x + h_prev"))}


CROSSINGS = {"rnn": 0, "gru": 2, "lstm": 6, "lnlstm": 6, "notebook": 6, "late": 0}


@pytest.fixture(params=CELLS, scope="module")
def drawn(request):
    return CELLS[request.param], layout(CELLS[request.param])


def test_every_quantity_and_every_reading_is_drawn_once(drawn):
    cell, found = drawn
    read_names = {use.name for use in uses(cell)} - set(cell.parameters)
    assert sorted(place.name for place in found.places) == sorted({*cell.defined, *read_names})
    wires = [(wire.of, wire.wrt) for wire in found.wires]
    assert len(set(wires)) == len(wires)
    assert set(wires) == {(use.target, use.name) for use in uses(cell) if use.name not in cell.parameters}
    for place in found.places:
        own = {use.name for use in uses(cell) if use.target == place.name and use.name in cell.parameters}
        assert set(place.parameters) == own


def test_wires_run_forward_from_box_to_box(drawn):
    _, found = drawn
    for wire in found.wires:
        start, end = found.place[wire.wrt], found.place[wire.of]
        assert wire.points[0] == (start.column, start.lane)
        assert wire.points[-1] == (end.column, end.lane)
        assert [b[0] - a[0] for a, b in pairwise(wire.points)] == [1.0] * (len(wire.points) - 1)


def test_a_column_is_the_longest_way_from_what_is_given(drawn):
    cell, found = drawn
    column = {place.name: place.column for place in found.places}
    for name in cell.defined:
        sources = [use.name for use in uses(cell) if use.target == name and use.name in column]
        assert column[name] == 1 + max((column[source] for source in sources if source not in cell.targets), default=0)
    for name in (*cell.previous, *cell.inputs):
        assert column.get(name, 0) == 0
    for name in set(cell.targets) & set(column):
        assert column[name] == min(column[use.target] for use in uses(cell) if use.name == name) - 1
    assert found.columns == max(column.values())
    assert found.lanes == max(lane for place in (*found.wires, *found.places) for lane in lanes(place))


def lanes(drawn):
    return [lane for _, lane in drawn.points] if isinstance(drawn, Wire) else [drawn.lane]


def crossings(found):
    """Counted on the drawing: pairs of wires of which one begins above the other and ends below it."""
    pieces = [piece for wire in found.wires for piece in pairwise(wire.points)]
    return sum(a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0 for (a, b), (c, d) in combinations(pieces, 2))


def test_few_wires_cross():
    """The LSTM's six cannot be fewer: x and h_prev each reach the four preactivations of one column."""
    assert {name: crossings(layout(CELLS[name])) for name in CROSSINGS} == CROSSINGS


def test_nothing_stands_on_anything_else(drawn):
    _, found = drawn
    for a, b in combinations(found.places, 2):
        assert a.column != b.column or abs(a.lane - b.lane) > 0.99, (a, b)
    for wire in found.wires:
        for column, lane in wire.points[1:-1]:
            for place in found.places:
                assert place.column != column or abs(place.lane - lane) > 0.7, (wire, place)


def test_the_drawing_is_the_same_every_time(drawn):
    cell, found = drawn
    assert layout(cell) == found


def test_the_memory_is_the_rail_on_top():
    found = layout(CELLS["lstm"])
    rails = [wire for wire in found.wires if wire.rail]
    assert [(wire.of, wire.wrt) for wire in rails] == [("c", "c_prev")]
    assert {lane for _, lane in rails[0].points} == {0.0}
    assert all(place.lane >= 1 for place in found.places if place.name not in ("c", "c_prev"))
    assert not any(wire.rail for wire in layout(CELLS["rnn"]).wires)
    assert [wire.wrt for wire in layout(CELLS["gru"]).wires if wire.rail] == ["h_prev"]


def test_gates_keep_their_lanes():
    """A preactivation and its gate stand side by side, and the gates in the order of the equations."""
    found = layout(CELLS["lstm"])
    for gate in "figo":
        assert found.place[f"a_{gate}"].lane == found.place[gate].lane
    assert [found.place[gate].lane for gate in "figo"] == sorted(found.place[gate].lane for gate in "figo")


def test_kinds():
    kinds = {place.name: place.kind for place in layout(CELLS["notebook"]).places}
    assert kinds["h_prev"] == "previous"
    assert (kinds["x"], kinds["y_hat"], kinds["a_f"], kinds["f"]) == ("input", "target", "linear", "gate")
    assert (kinds["c"], kinds["y"], kinds["L"]) == ("state", "readout", "loss")


@pytest.mark.parametrize("geometry", [LYING, STANDING], ids=["lying", "standing"])
def test_everything_is_within_the_picture(drawn, geometry):
    _, found = drawn
    width, height = geometry.size(found)
    for place in found.places:
        x, y = geometry.centre(place.column, place.lane)
        assert geometry.width / 2 <= x <= width - geometry.width / 2
        assert geometry.height / 2 <= y <= height - geometry.height / 2
    for wire in found.wires:
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", geometry.curve(wire))]
        assert all(0 <= x <= width for x in numbers[::2])
        assert all(0 <= y <= height for y in numbers[1::2])


@pytest.mark.parametrize("geometry", [LYING, STANDING], ids=["lying", "standing"])
def test_one_margin_runs_all_around(geometry):
    found = layout(CELLS["lstm"])
    boxes = [geometry.centre(place.column, place.lane) for place in found.places]
    half, whole = (geometry.width / 2, geometry.height / 2), geometry.size(found)
    for k in range(2):
        assert min(box[k] for box in boxes) - half[k] == geometry.margin
        assert max(box[k] for box in boxes) + half[k] == pytest.approx(whole[k] - geometry.margin)


@pytest.mark.parametrize("geometry", [LYING, STANDING], ids=["lying", "standing"])
def test_a_wire_leaves_one_box_goes_straight_past_others_and_enters_another(drawn, geometry):
    _, found = drawn
    for wire in found.wires:
        pieces = [
            [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", piece)]
            for piece in re.findall(r"[MLC][^MLC]*", geometry.curve(wire))
        ]
        edge = (geometry.height if geometry.standing else geometry.width) / 2
        before = [shifted(geometry, geometry.centre(*point), edge) for point in wire.points]
        behind = [shifted(geometry, geometry.centre(*point), -edge) for point in wire.points]
        assert [len(piece) for piece in pieces] == [1, 3, *[1, 3] * (len(wire.points) - 2)]
        assert [piece[-1] for piece in pieces[::2]] == [pytest.approx(point, abs=1e-3) for point in before[:-1]]
        assert [piece[-1] for piece in pieces[1::2]] == [pytest.approx(point, abs=1e-3) for point in behind[1:]]
        for (start,), (first, second, end) in zip(pieces[::2], pieces[1::2], strict=True):
            along, across = (1, 0) if geometry.standing else (0, 1)
            assert first[along] == second[along] == pytest.approx((start[along] + end[along]) / 2, abs=1e-3)
            assert (first[across], second[across]) == (start[across], end[across])  # level where it meets a box


def shifted(geometry, point, by):
    return (point[0], point[1] + by) if geometry.standing else (point[0] + by, point[1])


@pytest.mark.parametrize("geometry", [LYING, STANDING], ids=["lying", "standing"])
def test_a_number_stands_on_the_last_bend_of_its_wire(drawn, geometry):
    """On the curve that is drawn, worked out from the picture's own path."""
    _, found = drawn
    for wire, mark in zip(found.wires, geometry.marks(found), strict=True):
        start, *bend = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", geometry.curve(wire))][
            -4:
        ]
        on_it = [casteljau([start, *bend], share) for share in SHARES]
        assert min(abs(x - mark[0]) + abs(y - mark[1]) for x, y in on_it) < 1e-2


def casteljau(points, share):
    while len(points) > 1:
        points = [tuple((1 - share) * u + share * v for u, v in zip(a, b, strict=True)) for a, b in pairwise(points)]
    return points[0]


@pytest.mark.parametrize("geometry", [LYING, STANDING], ids=["lying", "standing"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_no_number_of_a_wire_hides_another(geometry, name):
    marks = geometry.marks(layout(CELLS[name]))
    assert len(marks) == len(layout(CELLS[name]).wires)
    for (x, y), (u, v) in combinations(marks, 2):
        assert max(abs(x - u) / 28, abs(y - v) / 11) >= 1  # what four digits take


def test_a_phone_has_room_for_the_four_gates():
    assert STANDING.size(layout(CELLS["lstm"]))[0] <= 330


def test_the_picture_is_xml_with_a_box_for_every_quantity(drawn):
    from xml.etree import ElementTree

    cell, found = drawn
    picture = render(derive(cell))
    root = ElementTree.fromstring(picture)
    names = {"s": "http://www.w3.org/2000/svg"}
    assert len(root.findall("s:g", names)) == len(found.places)
    assert len(root.findall("s:path", names)) == len(found.wires)
    assert picture == render(derive(cell))


@pytest.mark.parametrize(
    ("name", "shown"),
    [("h_prev", "ht−1"), ("a_f", "af,t"), ("c_tilde", "c\u0303t"), ("theta_f", "θf,t"), ("a_c_tilde", "ac\u0303,t")],
)
def test_names_as_text(name, shown):
    assert re.sub(r"<[^>]*>|\u200b", "", text(name_box(name, Notation())[0])) == shown


def test_a_hostile_title_is_inert():
    picture = render(derive(read('cell a "</title><script>alert(1)</script>&"\ninput x\nstate h\nh = x')))
    assert "<script" not in picture
