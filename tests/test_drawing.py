"""The drawing of a step: where things stand, and that wires go around what they do not touch."""

import re
from itertools import combinations, pairwise

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive, uses
from derivations.drawing import LYING, STANDING
from derivations.formats.svg import render, text
from derivations.language import read
from derivations.layout import layout
from derivations.notation import Notation, name_box
from derivations.walkthrough import read_walkthrough
from tests.samples import EVERYTHING, cell_text

CELLS = {name: read_cell(name) for name in cell_names()}
CELLS |= {"notebook": read_walkthrough("notebook").cell, "everything": read(EVERYTHING)}
CELLS |= {"alone": read(cell_text("g = sigmoid(p)\nh = tanh(sigmoid(q))"))}  # what no wire touches
CELLS |= {"one": read(cell_text("h = x")), "late": read(cell_text("a = x\nb = a\nh = b + x + h_prev"))}


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
