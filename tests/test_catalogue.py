"""Cells and walkthroughs are found by their file names, and a path to one's own file does as well."""

import os

import pytest

from derivations.catalogue import CELLS, WALKTHROUGHS, cell_names, read_cell, walkthrough_names
from derivations.cell import Cell, CellError
from derivations.walkthrough import read_walkthrough
from tests.samples import cell_text

GOOD = cell_text("h = tanh(W @ x + h_prev)")


def test_the_catalogue_is_what_lies_in_its_folders():
    assert set(cell_names()) == {path.stem for path in CELLS.iterdir()}
    assert set(walkthrough_names()) == {path.stem for path in WALKTHROUGHS.iterdir()}
    assert {"gru", "lnlstm", "lstm", "rnn"} <= set(cell_names())
    assert list(cell_names()) == sorted(cell_names())


@pytest.mark.parametrize("name", cell_names())
def test_every_cell_of_the_catalogue_reads(name):
    cell = read_cell(name)
    assert cell.name == name
    assert cell.title
    assert cell.comment
    assert all(equation.label for equation in cell.written if not equation.block)


@pytest.mark.parametrize("name", walkthrough_names())
def test_every_walkthrough_of_the_catalogue_reads(name):
    assert read_walkthrough(name).name == name


def test_a_cell_of_ones_own_is_read_from_its_path(tmp_path):
    (tmp_path / "mine.cell").write_text(GOOD)
    assert isinstance(read_cell(str(tmp_path / "mine.cell")), Cell)


def test_a_file_beside_does_not_hide_the_catalogue(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lstm.cell").write_text(GOOD)
    assert read_cell("lstm").title == "Long short-term memory"
    assert read_cell("lstm.cell").name == "sample"


def test_an_error_in_a_file_names_the_file(tmp_path):
    (tmp_path / "bad.cell").write_text("cell a\ninput x\nstate h\nh = %")
    with pytest.raises(CellError) as wrong:
        read_cell(str(tmp_path / "bad.cell"))
    assert str(wrong.value) == f"{tmp_path}/bad.cell: line 4, column 5: '%' is not part of the cell language"


KNOWN = ", ".join(cell_names())
ONES_OWN = "(a file of your own ends in .cell)"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lstn", f"there is no cell 'lstn'; did you mean lstm? {ONES_OWN}"),
        ("LSTM", f"there is no cell 'LSTM'; did you mean lstm? {ONES_OWN}"),
        ("transformer", f"there is no cell 'transformer'; known are {KNOWN} {ONES_OWN}"),
        ("", f"there is no cell ''; known are {KNOWN} {ONES_OWN}"),
        ("../etc/nothing", "there is no file ../etc/nothing; a cell of your own is a file that ends in .cell"),
        ("nothing.txt", "there is no file nothing.txt; a cell of your own is a file that ends in .cell"),
        ("notes.txt", "notes.txt does not end in .cell; a file that does is read as a cell: rename it"),
        ("notes", "notes does not end in .cell; a file that does is read as a cell: rename it"),
        ("folder", "folder is a folder; give a .cell file in it"),
        (".", ". is a folder; give a .cell file in it"),
        ("x" * 300, f"there is no cell '{'x' * 197}...'; known are {KNOWN} {ONES_OWN}"),
        ("a\0b", "a\\x00b is not a file name"),
        ("a\ud800.cell", "a\\ud800.cell is not a file name"),
        ("a\x1b[2J\u202e", f"there is no cell 'a\\x1b[2J\\u202e'; known are {KNOWN} {ONES_OWN}"),
        ("mine.py", "cannot read mine.py: No such file or directory"),
        ("mine.py:cell", "cannot read mine.py: No such file or directory"),
        ("mine.ipynb:cell", "cannot read mine.ipynb: No such file or directory"),
        ("missing.cell", "cannot read missing.cell: No such file or directory"),
        ("x" * 300 + ".cell", "cannot read " + "x" * 197 + "...: File name too long"),
    ],
)
def test_what_is_not_there_is_said(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for file in ("notes", "notes.txt"):
        (tmp_path / file).write_text(GOOD)
    with pytest.raises(CellError) as wrong:
        read_cell(name)
    assert str(wrong.value) == message


def test_what_cannot_be_text_is_said(tmp_path):
    (tmp_path / "folder.cell").mkdir()
    (tmp_path / "binary.cell").write_bytes(b"cell \xff\xfe")
    (tmp_path / "long.cell").write_text("#" * 200_001)
    (tmp_path / "circle.cell").symlink_to(tmp_path / "circle.cell")
    for name, message in [
        ("folder", f"{tmp_path}/folder.cell is a folder; give a .cell file in it"),
        ("binary", f"{tmp_path}/binary.cell is not UTF-8 text (byte 5, on line 1); save it as UTF-8"),
        ("long", f"{tmp_path}/long.cell is longer than 200 kB"),
        ("circle", f"cannot read {tmp_path}/circle.cell: Too many levels of symbolic links"),
    ]:
        with pytest.raises(CellError) as wrong:
            read_cell(str(tmp_path / f"{name}.cell"))
        assert str(wrong.value) == message


def test_a_file_without_an_end_is_not_read_to_the_end(tmp_path):
    (tmp_path / "endless.cell").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.cell")
    for name in ("endless.cell", "pipe.cell"):
        with pytest.raises(CellError, match=rf"{name} is not a plain file; copy what it gives to one"):
            read_cell(str(tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said(tmp_path):
    (tmp_path / "secret.cell").write_text(GOOD)
    (tmp_path / "secret.cell").chmod(0)
    with pytest.raises(CellError, match="Permission denied"):
        read_cell(str(tmp_path / "secret.cell"))
