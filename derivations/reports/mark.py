"""What marking says: per line the verdict, the mistake and the right line; per class a table."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from derivations.cell import Cell
from derivations.document import Block, Document, Heading, Items, Paragraph, Table
from derivations.formats._escape import markdown_code, markdown_text
from derivations.marking.marked import Mark, Marked, Verdict
from derivations.notation import for_names
from derivations.visible import visible

MOST_LISTED = 12


@dataclass(frozen=True)
class Sheet:
    """A file and how it was marked, or why it was not."""

    file: str
    marked: Marked | None
    fault: str = ""


def record(cell: Cell, sheets: Sequence[Sheet], points: float | None = None) -> dict[str, Any]:
    """The marks for programs."""
    return {"schema": "derivations/mark/1", "cell": cell.name, "files": [_file(sheet, points) for sheet in sheets]}


def _file(sheet: Sheet, points: float | None) -> dict[str, Any]:
    marked = sheet.marked or Marked("", ())
    found: dict[str, Any] = {
        "file": sheet.file,
        "right": marked.right,
        "of": marked.of,
        "lines": [_line(mark) for mark in marked.marks],
        "not_given": list(marked.not_given),
        "reading": list(marked.reading),
        "doubt": marked.doubt or None,
        "notation": marked.notation or None,
        "error": sheet.fault or None,
    }
    if points is not None:
        found["points"] = points * marked.right
        found["points_of"] = points * marked.of
    return found


def _line(mark: Mark) -> dict[str, Any]:
    return {
        "line": mark.line,
        "column": mark.column,
        "text": mark.text,
        "quantity": mark.quantity or None,
        "verdict": mark.verdict.value,
        "mistake": mark.mistake or None,
        "correct": mark.correct or None,
        "example": mark.example or None,
    }


# --- for readers -----------------------------------------------------------------------------------------------


def document(cell: Cell, sheets: Sequence[Sheet], points: float | None = None) -> Document:
    """The marks for readers."""
    notation = for_names(cell.parameters, cell.shapes, view="vector")
    title = f"Marked against {cell.title or cell.name}"
    blocks: list[Block] = []
    if len(sheets) > 1:
        blocks += [_table(sheets, points)]
    for sheet in sheets:
        blocks += _blocks(sheet, points)
    return Document(title, notation, tuple(blocks))


def _table(sheets: Sequence[Sheet], points: float | None) -> Table:
    header = ["file", "right", "of", "wrong", "unsure", "unreadable", *(["points"] if points is not None else [])]
    rows = []
    for sheet in sheets:
        said: list[str | None] = [None] * (len(header) - 1)  # a file that could not be read has no numbers
        if sheet.marked is not None:
            wrong, _, unsure, unreadable = _counts(sheet.marked)
            said = list(map(str, (sheet.marked.right, sheet.marked.of, wrong, unsure, unreadable)))
            said += [f"{points * sheet.marked.right:g}"] if points is not None else []
        rows.append(((sheet.file,), *((one,) for one in said)))
    return Table(tuple((one,) for one in header), tuple(rows), "l" + "r" * (len(header) - 1))


def _counts(marked: Marked) -> list[int]:
    return [sum(mark.verdict is verdict for mark in marked.marks) for verdict in _COUNTED]


def _score(marked: Marked) -> str:
    """`3 of 7 right (1 of them truncated), 2 wrong, 2 unreadable`."""
    wrong, truncated, unsure, unreadable = _counts(marked)
    right = f"{marked.right} of {marked.of} right" + (f" ({truncated} of them truncated)" if truncated else "")
    others = {"wrong": wrong, "unsure": unsure, "unreadable": unreadable}
    return ", ".join([right, *(f"{count} {what}" for what, count in others.items() if count)])


def _blocks(sheet: Sheet, points: float | None) -> list[Block]:
    if sheet.marked is None:
        return [Heading(sheet.file), Paragraph((sheet.fault,), "bad")]
    marked = sheet.marked
    score = _score(marked)
    if points is not None:
        score += f": {points * marked.right:g} of {points * marked.of:g} points"
    blocks: list[Block] = [Heading(sheet.file), Paragraph((f"{score}.",), "bad" if marked.wrong else "good")]
    if marked.doubt:
        blocks.append(Paragraph((f"{_sentence(marked.doubt)} Is it marked against the right one?",), "bad"))
    if marked.reading:
        blocks.append(Paragraph((f"Read as: {'; '.join(marked.reading)}.",), "quiet"))
    lines = tuple(((str(mark.line),), (mark.verdict.value,), (mark.quantity,), (mark.text,)) for mark in marked.marks)
    if lines:
        blocks.append(Table((("line",), ("verdict",), ("quantity",), ("it says",)), lines, "rlll"))
    said = [(words,) for mark in marked.marks if mark.mistake for words in _said(mark)]
    if said:
        blocks += [Heading("What is wrong or unclear, and why"), Items(tuple(said))]
    if marked.not_given:
        left = marked.not_given
        more = f" and {len(left) - MOST_LISTED} more" if len(left) > MOST_LISTED else ""
        blocks.append(Paragraph((f"Not given: {', '.join(left[:MOST_LISTED])}{more}.",), "quiet"))
    return blocks


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _said(mark: Mark) -> Iterator[str]:
    """What is said of a line, and on a line of its own what is right: formulas are not to be broken."""
    yield f"line {mark.line}: {'; '.join(filter(None, [mark.mistake, mark.example]))}."
    if mark.correct:
        yield f"line {mark.line}, right: {mark.correct}"


# --- for classes -----------------------------------------------------------------------------------------------


def feedback(sheet: Sheet, points: float | None = None) -> str:
    """What one person gets, in Markdown."""
    if sheet.marked is None:
        return f"# {markdown_text(sheet.file)}\n\nThis could not be read: {markdown_text(sheet.fault)}\n"
    marked = sheet.marked
    score = f"**{_score(marked)}**"
    if points is not None:
        score += f" ({points * marked.right:g} of {points * marked.of:g} points)"
    lines = [f"# {markdown_text(sheet.file)}", "", score, ""]
    if marked.doubt:
        lines += [markdown_text(_sentence(marked.doubt)), ""]
    if marked.reading:
        lines += [f"Read as: {'; '.join(map(markdown_code, marked.reading))}.", ""]
    for mark in marked.marks:
        sign = {"RIGHT": "✓", "WRONG": "✗", "TRUNCATED": "✓"}.get(mark.verdict.value, "?")
        if mark.verdict is Verdict.OTHER:
            continue
        lines.append(f"- {sign} line {mark.line}, **{mark.verdict.value}**: {markdown_code(mark.text)}")
        if mark.mistake:
            lines.append(f"  - {markdown_text('; '.join(filter(None, [mark.mistake, mark.example])))}")
        if mark.correct:
            lines.append(f"  - right is {markdown_code(mark.correct)}")
    if marked.not_given:
        lines += ["", f"Not given: {', '.join(map(markdown_code, marked.not_given))}."]
    return "\n".join(lines) + "\n"


def table(sheets: Sequence[Sheet], points: float | None = None) -> str:
    """One row per file, as CSV; what a spreadsheet would take for a formula is made text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["file", "right", "of", "wrong", "truncated", "unsure", "unreadable", "points", "mistakes", "error"]
    )
    for sheet in sheets:
        marked = sheet.marked or Marked("", ())
        said = "; ".join(f"line {m.line}: {m.mistake}" for m in marked.marks if m.verdict is Verdict.WRONG)
        earned = "" if points is None else f"{points * marked.right:g}"
        writer.writerow(
            [
                _cell(sheet.file),
                marked.right,
                marked.of,
                *_counts(marked),
                earned,
                _cell(said),
                _cell(sheet.fault or marked.doubt),
            ]
        )
    return out.getvalue()


_COUNTED = (Verdict.WRONG, Verdict.TRUNCATED, Verdict.UNSURE, Verdict.UNREADABLE)


def _cell(text: str) -> str:
    shown = visible(text)
    return f"'{shown}" if shown.lstrip()[:1] in ("=", "+", "-", "@") else shown


def gradescope(sheet: Sheet, points: float = 1.0) -> dict[str, Any]:
    """`results.json` as Gradescope's autograder reads it: one test a line."""
    if sheet.marked is None:
        return {"score": 0, "output": visible(sheet.fault), "tests": []}
    counted = [mark for mark in sheet.marked.marks if mark.verdict is not Verdict.OTHER]
    tests = []
    for mark in counted:
        right = mark.verdict in (Verdict.RIGHT, Verdict.TRUNCATED)
        said = [mark.mistake, mark.example, f"right is {mark.correct}" if mark.correct else ""]
        tests.append(
            {
                "name": visible(f"line {mark.line}: {mark.text}")[:200],
                "score": points if right else 0,
                "max_score": points,
                "status": "passed" if right else "failed",
                "output": "\n".join(map(visible, filter(None, [mark.verdict.value, *said]))),
            }
        )
    return {
        "schema": "derivations/gradescope/1",
        "score": points * sheet.marked.right,
        "output": "\n".join(filter(None, [visible(sheet.marked.doubt), _score(sheet.marked)])),
        "tests": tests,
    }
