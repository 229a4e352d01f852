"""Input that means harm, beyond the records of `bad_inputs.json`: more equations and walkthroughs, files that are none,
and free text, which goes wherever a person may write and comes out in every format as text and no more.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from derivations.__main__ import app
from derivations.catalogue import WALKTHROUGHS, read_cell
from derivations.cell import CellError
from derivations.derive import derive
from derivations.formats import load
from derivations.formats._latex_document import notebook
from derivations.formats._latex_document import render as latex_document
from derivations.formats._markdown_document import render as markdown_document
from derivations.formats._text_document import pieces
from derivations.heatmap import drawn
from derivations.language import MOST_WORDS, read
from derivations.reports import walkthrough as report
from derivations.reports.checks import Checked
from derivations.reports.flow import flows
from derivations.terminal import Terminal
from derivations.visible import one_line
from derivations.walkthrough import Walkthrough, parse, replay
from tests.fuzz.fuzz_toml import SMALL
from tests.fuzz.inert import latex_faults, markdown_faults, text_faults
from tests.fuzz.mutation import NASTY
from tests.patience import in_time
from tests.test_output import OLD

HEAD = "cell bad\ninput x\nstate h, c\n"
NOTEBOOK = (WALKTHROUGHS / "notebook.toml").read_text(encoding="utf-8")
PATIENCE = 0.5  # seconds of processor time

REJECTED = {
    "a large power": "c = x\nh = x**99",
    "brackets beyond the depth": "c = x\nh = " + "(" * 10_000 + "x" + ")" * 10_000,
    "a chain of divisions": "c = x\nh = x" + "/x" * 3000,
    "a chain of maps": "c = x\nh = " + "W @ " * 3000 + "x",
    "a stack without end": "c = x\nh = W @ [" + "x; " * 4000 + "x]",
    "a long literal": "c = x\nh = 0." + "1" * 30,
    "a name defined twice": "c = x\nc = x\nh = c",
    "an adjoint's name": "df = x\nf = x\nc = f\nh = df",
    "the time step": "t = x\nc = t\nh = c",
    "a state at a step": "c = x * h_0\nh = c",
    "our preactivation's name": "c = x\nh = a_h + sigmoid(x + c)",
    "a slip in a name": "c = x\nh = c_prv + c",
    "the previous value of no state": "f = x\nc = f_prev\nh = c",
    "a product of mixed kinds": "c = x\nh = c * W @ x",
    "a map of two vectors": "c = x\nh = c @ x",
    "a state without an equation": "c = x",
    # What would take longer than half a second to read is refused before it is read.
    "a sum without end": "c = x\nh = x" + "+x" * 90_000,
    "products without end": "c = x\nh = x" + " + x*c" * 30_000,
    "functions without end": "c = x\nh = " + " + ".join(["sigmoid(x*2)"] * 12_000),
    "parameters without end": "c = x\nh = x" + "".join(f"+p{k}" for k in range(25_000)),
    "declarations without end": "param " + ", ".join(f"p{k}" for k in range(25_000)) + "\nc = x\nh = c",
    "long equations without end": "".join(f"v{k} = x{'+x*c_prev' * 40}\n" for k in range(498)) + "c = x\nh = c",
}
NAMES = ["int", "NaN", "sigmoid", "_x", "x_", "dt"]
ACCEPTED_NAMES = ["S", "I", "beta", "T", "lamb", "fun_1"]


def shown(folder: Path, text: str, *args: str) -> Result:
    """`derive show` of a text, which must leave nothing behind and take half a second at most."""
    path = folder / "bad.cell"
    path.write_text(text, encoding="utf-8")
    return run(folder, "show", str(path), "--no-prove", *args)


def run(folder: Path, *args: str) -> Result:
    before = sorted(folder.iterdir())
    result = in_time(PATIENCE, lambda: CliRunner().invoke(app, args))
    assert sorted(folder.iterdir()) == before
    return result


def rejected(result: Result) -> str:
    assert result.exit_code == 2, (result.stdout, result.exception)
    assert not result.stdout
    message = result.stderr.removesuffix("\n")
    assert message.startswith("error: ")
    assert message.isprintable()
    assert "Traceback" not in message
    assert len(message) < 400
    return message


@pytest.fixture(autouse=True, scope="module")
def warm() -> None:
    """The grammar is built once a process; its time is not the input's."""
    CliRunner().invoke(app, ["show", "rnn", "--no-prove"])
    CliRunner().invoke(app, ["walkthrough", "rnn-notebook", "--no-check"])


# --- equations and names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", REJECTED)
def test_equations_are_rejected(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert re.search(r"bad\.cell: line \d+(, column \d+)?: \S", rejected(shown(tmp_path, HEAD + REJECTED[case])))


@pytest.mark.parametrize("name", NAMES)
def test_names_are_rejected(name: str, tmp_path: Path) -> None:
    rejected(shown(tmp_path, f"{HEAD}c = x * {name}\nh = c"))


@pytest.mark.parametrize("name", ACCEPTED_NAMES)
def test_ordinary_names_are_accepted(name: str, tmp_path: Path) -> None:
    result = shown(tmp_path, f"{HEAD}c = x * {name}\nh = c")
    assert result.exit_code == 0
    assert name in result.stdout


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}c = x\nh = x" + "+x" * ((MOST_WORDS - 22) // 2),
        f"{HEAD}c = x\nh = " + " + ".join(f"W{k} @ x" for k in range((MOST_WORDS - 30) // 4)),
        HEAD + "".join(f"v{k} = x*c_prev + tanh(x)*2\n" for k in range(498)) + "c = x\nh = c",
        f"{HEAD}c = x\nh = c" + "\n" * 190_000,
        f"{HEAD}c = x\nh = (" + "\n" * 190_000 + "c)",
        f"# {'a' * 190_000}\n{HEAD}c = x\nh = c",
        HEAD + "".join(f"{'a' * 190}: v{k} = x\n" for k in range(498)) + "c = x\nh = c",
    ],
)
def test_the_longest_texts_are_read_within_the_half_second(text: str) -> None:
    in_time(PATIENCE, lambda: read(text))


def test_a_text_with_one_word_more_than_is_read_is_refused() -> None:
    sum_ = "+x" * ((MOST_WORDS - 22) // 2)
    assert read(f"{HEAD}c = x\nh = x{sum_}").states == ("h", "c")
    with pytest.raises(CellError, match=f"line 5: more than {MOST_WORDS} names, numbers and signs"):
        read(f"{HEAD}c = x\nh = x{sum_}{'+x' * 20}")


# --- walkthroughs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("W_xi = 0.5", "W_xi = nan"),
        ("W_xi = 0.5", "W_xi = true"),
        ("W_xi = 0.5", "W_xi = 1e400"),
        ("W_xi = 0.5", "W_xi = [1, 2]"),
        ("W_xi = 0.5", ""),
        ("W_xi = 0.5", "W_xi = 0.5\nW_zz = 1"),
        ("W_xi = 0.5", "W_xi = " + "9" * 100_000),
        ("W_xi = 0.5", "W_xi = 0x" + "f" * 100_000),
        ("W_xi = 0.5", "W_xi = 1e-999999999"),
        ("x = [1.0, 5.0, 7.0, 4.0]", "x = []"),
        ("x = [1.0, 5.0, 7.0, 4.0]", "x = [" + "1.0, " * 300 + "]"),
        ("loss_steps = [4]", "loss_steps = [5]"),
        ("loss_steps = [4]", "loss_steps = [1.5]"),
        ('cell = "lstm"', 'cell = "lstn"'),
        ('cell = "lstm"', "cell = 3"),
        ('cell = "lstm"', 'cell = "lstm\\u001b[2J"'),
        ('cell = "lstm"', f'cell = "{"x" * 5000}"'),
        ('schema = "derivations/walkthrough/1"', 'schema = "other"'),
        ('W_xf = "W_xh"', 'W_xf = "\\\\write18{x}"'),
        ('W_xf = "W_xh"', 'W_xf = "W_hf"'),
        ('W_xf = "W_xh"', f'{"9" * 5000} = "W_xh"'),
        ('W_xf = "W_xh"', '"W_xf\\u202e" = "W_xh"'),
        ('text = "sigmoid(W_xh * x + W_hh * h_prev)"', 'text = "open(x)"'),
        ('of = "h"', 'of = "h\\u2029"'),
        ('value = "0.7355"', 'value = "--0.5"'),
        ('value = "0.7355"', 'value = "1/2"'),
        ('value = "0.7355"', 'value = "1_0"'),
        ('value = "0.7355"', 'value = "\\u0661"'),
        ('value = "0.7355"', 'value = "1e400"'),
        ("[parameters]", "[parameters"),
        ("[parameters]", "a = " + "[" * 10_000 + "]" * 10_000 + "\n[parameters]"),
        ("[parameters]", "a." * 10_000 + "b = 1\n[parameters]"),
    ],
)
def test_a_walkthrough_is_rejected(old: str, new: str, tmp_path: Path) -> None:
    assert old in NOTEBOOK
    path = tmp_path / "bad.toml"
    path.write_text(NOTEBOOK.replace(old, new, 1))
    assert "bad.toml" in rejected(run(tmp_path, "walkthrough", str(path), "--no-check"))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, 1e30, 5e-324])
def test_what_was_printed_is_held_against_any_value(value: float) -> None:
    assert not report.agrees("0.5", value)
    assert report.agrees("-0.5", -0.5)
    assert report.agrees("1e30", 1e30)


def test_an_error_in_the_cell_of_a_walkthrough_names_the_cells_file_and_line(tmp_path: Path) -> None:
    cell, path = tmp_path / "mine.cell", tmp_path / "bad.toml"
    cell.write_text("cell mine\ninput x\nstate h\nh = x +")
    path.write_text(NOTEBOOK.replace('cell = "lstm"', f'cell = "{cell}"'))
    said = rejected(run(tmp_path, "walkthrough", str(path)))
    assert said.startswith(f"error: {path}: cell: {cell}: line 4, column 8: the end of the line ")


# --- files that are none, to read and to write --------------------------------------------------------------------


@pytest.mark.parametrize("command", ["show", "check", "flow"])
def test_what_is_no_file_to_read_is_said(command: str, tmp_path: Path) -> None:
    (tmp_path / "folder.cell").mkdir()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.cell")
    (tmp_path / "binary.cell").write_bytes(b"cell a\ninput \xff")
    (tmp_path / "notes.txt").write_text("cell a\ninput x\nstate h\nh = x")
    (tmp_path / "endless.cell").symlink_to("/dev/zero")
    for name, said in {
        "folder.cell": "is a folder; give a .cell file in it",
        "folder": "is a folder; give a .cell file in it",
        "pipe.cell": "is not a plain file; copy what it gives to one",
        "endless.cell": "is not a plain file; copy what it gives to one",
        "binary.cell": "is not UTF-8 text (byte 13, on line 2); save it as UTF-8",
        "notes.txt": "does not end in .cell; a file that does is read as a cell: rename it",
    }.items():
        assert rejected(run(tmp_path, command, str(tmp_path / name))) == f"error: {tmp_path / name} {said}"
    missing = f"error: there is no file {tmp_path}/missing.txt; a cell of your own is a file that ends in .cell"
    assert rejected(run(tmp_path, command, str(tmp_path / "missing.txt"))) == missing


OUTPUTS = [
    ("show", "rnn", "--no-prove"),
    ("diff", "rnn", "h", "--wrt", "x", "--no-check"),
    ("same", "rnn", "rnn"),
    ("flow", "rnn", "--steps", "3"),
    ("walkthrough", "rnn-notebook", "--no-check"),
]


@pytest.mark.parametrize("args", OUTPUTS, ids=lambda args: args[0])
def test_what_is_no_file_to_write_is_said_and_kept(args: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "folder.tex").mkdir()
    os.mkfifo(tmp_path / "pipe.tex")
    (tmp_path / "thesis.tex").write_bytes(b"years of work")
    (tmp_path / "fixed.tex").write_bytes(OLD)
    (tmp_path / "fixed.tex").chmod(0o444)
    (tmp_path / "link.tex").symlink_to("thesis.tex")
    (tmp_path / "loop.tex").symlink_to("loop.tex")
    for name, said in {
        "folder.tex": "{} is a folder; give a file name",
        "pipe.tex": "{} is not a file; leave -o out and redirect the output",
        "thesis.tex": "{} exists and was not written by this tool; give another name, or --force",
        "fixed.tex": "{} is read-only; make it writable, or give another name",
        "link.tex": "{} is a link to thesis.tex; give the name of the file itself",
        "loop.tex": "{} is a link to loop.tex; give the name of the file itself",
        "none/x.tex": "cannot write {}: No such file or directory; make the folder first",
    }.items():
        assert rejected(run(tmp_path, *args, "-o", str(tmp_path / name))) == f"error: {said.format(tmp_path / name)}"
    assert (tmp_path / "thesis.tex").read_bytes() == b"years of work"
    assert (tmp_path / "fixed.tex").read_bytes() == OLD


# --- free text ----------------------------------------------------------------------------------------------------

FREE = st.lists(
    st.one_of(st.sampled_from(NASTY), st.text(max_size=8), st.sampled_from("ab _^~$%&#{}\\<>|*`[]()!\"'-+.:/@=;")),
    max_size=6,
)
FREE_TEXT = FREE.map("".join).map(lambda text: text.encode("utf-8", "replace").decode())
SHOWN: dict[str, Callable[[str], list[str]]] = {"text": text_faults, "latex": latex_faults, "markdown": markdown_faults}
PATIENT = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def with_free_text(title: str, comment: str, label: str) -> str:
    return (
        f'# {comment}\ncell good "{title}"\ninput x\nstate h\n{label}: f = max(x, h_prev)\nhidden: h = f * h_prev + x'
    )


@settings(PATIENT, max_examples=60)
@given(
    FREE_TEXT,
    FREE_TEXT,
    st.one_of(st.just("gate"), st.from_regex(r"[A-Za-z][A-Za-z0-9 ()'/.,-]{0,30}", fullmatch=True), FREE_TEXT),
)
@example("\\write18{touch HARMED}", "}\\end{document}", "a/b (c)")
@example("x | y", "1. - # <b> $x$ [a](b) `c` https://example.com", "a's, b. -- c")
@example("-", "=", "x")
@example("\u202eevil\u2066", "\u200b\ufeff\u00ad", "a")
def test_titles_remarks_and_labels_of_a_cell_are_text(title: str, comment: str, label: str) -> None:
    try:
        cell = read(with_free_text(title, comment, label))
    except CellError as error:
        assert str(error).isprintable()
        return
    derivation = derive(cell)
    for fragment in (False, True):
        for format_, faults in SHOWN.items():
            assert faults(load(format_).render(derivation, fragment=fragment)) == [], format_
        record = json.loads(load("json").render(derivation, fragment=fragment))
        assert record["title"] == cell.title
    assert latex_faults(derivation._repr_latex_()) == []


def walkthrough_with(title: str, note: str, name: str, remark: str) -> Walkthrough | None:
    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

    text = SMALL.replace('"Small"', quoted(title)).replace('"a note on W_xh"', quoted(note))
    text = text.replace('name = "q"', f"name = {quoted(name)}").replace('"nothing reads it"', quoted(remark))
    text = text.replace('"beside the run"', quoted(remark)).replace('about = ["h"]', f"about = [{quoted(name)}]")
    text = text.replace('name = "a"', f"name = {quoted(name)}")
    try:
        return parse(text, "free")
    except CellError as error:
        assert str(error).isprintable()
        return None


def documents(found: Walkthrough) -> dict[str, str]:
    told = report.document(replay(found), Checked())
    return {
        "text": "".join(text for _, text in pieces(told)),
        "latex": latex_document(told),
        "fragment": latex_document(told, fragment=True),
        "notebook": notebook(told),
        "markdown": markdown_document(told),
    }


@settings(PATIENT, max_examples=30)
@given(FREE_TEXT, FREE_TEXT, FREE_TEXT, FREE_TEXT)
@example("A title\nall checks PASS", "a\n\n# heading", "\\write18", "- [x] <img>\n```")
@example("1e5", "h_4 is dh_4/dx", "W_hh", "-1.5e-7 <= x >= 2 -- 'a'")
def test_titles_notes_and_names_of_a_walkthrough_are_text(title: str, note: str, name: str, remark: str) -> None:
    found = walkthrough_with(title, note, name, remark)
    if found is None:
        return
    written = documents(found)
    for format_, text in written.items():
        assert SHOWN.get(format_, latex_faults)(text) == [], format_
    assert written["text"].split("\n")[0] == one_line(title)  # nothing that follows it is the title's doing
    record = report.record(replay(found), Checked())
    assert json.loads(json.dumps(record))["title"] == found.title


@settings(PATIENT, max_examples=25)
@given(FREE_TEXT, FREE_TEXT)
@example("b_h", "\x1b[2J")
@example("b_h\u202e", "x")
def test_what_is_typed_after_rename_comes_back_as_text(old: str, new: str) -> None:
    result = CliRunner().invoke(app, ["show", "rnn", "--no-prove", "--rename", f"{old}={new}"])
    assert result.exit_code in (0, 2)
    assert text_faults(result.output) == []


@pytest.mark.parametrize("nasty", ["\x1b[31mred", "\x1b]0;title\x07", "\u202ecod", "a\u200bb", "\x9b2J", "a\rb"])
def test_what_would_move_a_cursor_is_written_out_in_errors(nasty: str, tmp_path: Path) -> None:
    for args in (("show", nasty), ("show", f"{nasty}.cell"), ("show", "rnn", "--rename", nasty), ("walkthrough", nasty),
                 ("show", "rnn", "--closed", nasty), ("diff", "rnn", nasty, "--wrt", "x"), ("show", "rnn", "--only", nasty),
                 ("diff", "rnn", "h", "--wrt", nasty), ("show", "rnn", "-o", nasty), ("flow", nasty)):  # fmt: skip
        rejected(run(tmp_path, *args))


@pytest.mark.parametrize(
    "args", [("show", "rnn", "\x1b[2J"), ("\x1b[2J",), ("show", "--\x1b[2J"), ("show", "rnn", "--format", "\u202ex")]
)
def test_what_would_move_a_cursor_is_written_out_where_usage_is_wrong(args: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 2
    assert text_faults(result.output) == []
    assert "x1b" in result.output or "u202e" in result.output


def test_a_terminal_is_sent_nothing_that_it_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(sys.stdout).write([("plain", "a\x1b[2Jb\u202e\n"), ("title", "two\nlines\tand é\n")])
    assert capsys.readouterr().out == "a\\x1b[2Jb\\u202e\ntwo\nlines\\tand é\n"


def test_free_text_compiles_in_latex_and_runs_nothing(tmp_path: Path, needs_tool: Callable[[str], str]) -> None:
    pdflatex = needs_tool("pdflatex")
    titles = [one for one in NASTY if walkthrough_with("Small", one, "q", "r") and '"' not in one and "\n" not in one]
    assert len(titles) > 80
    everything = " ".join(titles)
    notes = "".join(f"[[notes]]\nabout = []\ntext = {json.dumps(one, ensure_ascii=False)}\n" for one in titles)
    found = parse(SMALL.replace('"Small"', json.dumps(everything[:150], ensure_ascii=False)) + notes, "nasty")
    (tmp_path / "walkthrough.tex").write_text(documents(found)["latex"], encoding="ascii")
    cell = read(with_free_text(everything[:190], everything, "a/b's (c), d-e. f"))
    (tmp_path / "show.tex").write_text(load("latex").render(derive(cell)), encoding="ascii")
    before = {"walkthrough.tex", "show.tex"}
    for name in ("walkthrough", "show"):
        compiled = subprocess.run(
            [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", f"{name}.tex"],
            cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        assert compiled.returncode == 0, compiled.stdout[-2000:]
        assert "Missing character" not in (tmp_path / f"{name}.log").read_text(errors="replace")
    made = {f"{name}.{end}" for name in ("walkthrough", "show") for end in ("aux", "log", "pdf", "out")}
    assert {path.name for path in tmp_path.iterdir()} <= before | made


# --- pictures -----------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "--><script>alert(1)</script>",
        "&x; ]]> $\\frac$ $$",
        "$",
        "\u202e\U0001f600\u210e",
        "a_b^c {",
        "</svg>",
    ],
)
def test_a_title_in_a_picture_is_drawn_and_no_more(title: str, tmp_path: Path, needs: Callable[[str], object]) -> None:
    needs("matplotlib")
    path = tmp_path / "hostile.cell"
    path.write_text(f'cell hostile "{title}"\ninput x\nstate h\nh = tanh(x + h_prev)', encoding="utf-8")
    tree = ElementTree.fromstring(drawn(flows([str(path)], steps=3), ".svg"))
    tags = {one.tag for one in tree.iter() if one.tag.startswith(SVG)}
    assert tags <= {
        SVG + tag
        for tag in ("svg", "metadata", "defs", "style", "g", "path", "use", "image", "clipPath", "rect", "title")
    }
    assert not [name for one in tree.iter() for name in one.attrib if name.lower().startswith("on")]
    links = [value for one in tree.iter() for name, value in one.attrib.items() if name.endswith("href")]
    assert all(link.startswith(("#", "data:image/png")) for link in links)
    assert text_faults(CliRunner().invoke(app, ["flow", str(path), "--steps", "3"]).output) == []


# --- the looks at documents can fail ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "text"),
    [
        (text_faults, "a\x1b[2J"), (text_faults, "\u202e"), (text_faults, "a\u200bb"), (text_faults, "a\tb"), (text_faults, "a\rb"),
        (latex_faults, r"\write18{x}"), (latex_faults, r"\input{x}"), (latex_faults, r"\catcode"), (latex_faults, "{"), (latex_faults, "}{"),
        (latex_faults, "^^5c"), (latex_faults, "é"), (latex_faults, "{ % }"), (latex_faults, r"\end{document}\end{document}"),
        (markdown_faults, "<img src=x>"), (markdown_faults, "<!-- x -->"), (markdown_faults, "[a](b)"), (markdown_faults, "![a](b)"),
        (markdown_faults, "`a`"), (markdown_faults, "```\nx\n```"), (markdown_faults, "    code"), (markdown_faults, "*a*"),
        (markdown_faults, "https://example.com"), (markdown_faults, "see www.example.com"), (markdown_faults, "<https://a.b>"),
        (markdown_faults, "> a"), (markdown_faults, "---"), (markdown_faults, "1. a"), (markdown_faults, "$a<b$"),
    ],
)  # fmt: skip
def test_a_document_that_does_something_is_found_out(faults: Callable[[str], list[str]], text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn", "lnlstm"])
def test_an_innocent_document_has_no_fault(name: str) -> None:
    derivation = derive(read_cell(name))
    for format_, faults in SHOWN.items():
        assert faults(load(format_).render(derivation)) == []
