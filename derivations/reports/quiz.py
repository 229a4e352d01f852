"""A quiz as a sheet to hand out, and its key. Both are written so that `derive mark` reads the sheet as it is."""

from typing import Any

from derivations.document import Document, Paragraph, Table
from derivations.formats._escape import latex_text, markdown_text
from derivations.marking.quiz import Question, Quiz
from derivations.notation import for_names
from derivations.plain import Style, code, text
from derivations.typeset import to_latex

BLANK, LATEX_BLANK = "____", r"\underline{\hspace{4cm}}"


def record(quiz: Quiz) -> dict[str, Any]:
    """The quiz and its key for programs."""
    return {
        "schema": "derivations/quiz/1",
        "cell": quiz.cell.name,
        "seed": quiz.seed,
        "lines": [
            {
                "quantity": f"d{question.step.wrt}",
                "shown": None if question.shown is None else code(question.shown),
                "right": code(question.step.rhs),
                "mistake": question.mistake or None,
            }
            for question in quiz.questions
        ],
    }


def document(quiz: Quiz) -> Document:
    """The sheet for readers."""
    notation = for_names(quiz.cell.parameters, quiz.cell.shapes, view="vector")
    rows = tuple(((f"d{q.step.wrt}",), (BLANK if q.shown is None else code(q.shown),)) for q in quiz.questions)
    blocks = (Paragraph((_task(quiz),)), Table((("quantity",), ("is",)), rows, "ll"))
    return Document(_title(quiz), notation, blocks)


def markdown(quiz: Quiz) -> str:
    """The sheet in Markdown: the lines stand in one block, to be filled in as plain text."""
    lines = [f"# {markdown_text(_title(quiz))}", "", _task(quiz), "", *(f"> {line}" for line in _cell(quiz)), ""]
    lines += [_from_outside(quiz), "", "```text"]
    lines += [f"d{q.step.wrt} = {BLANK if q.shown is None else code(q.shown)}" for q in quiz.questions]
    return "\n".join([*lines, "```", ""])


def latex(quiz: Quiz) -> str:
    """The sheet as a LaTeX document."""
    notation = for_names(quiz.cell.parameters, quiz.cell.shapes, view="vector")

    def row(question: Question) -> str:
        shown = LATEX_BLANK if question.shown is None else to_latex(question.shown, notation)
        return f"{to_latex(question.step.lhs, notation)} &= {shown}"

    rows = (" \\\\\n").join(map(row, quiz.questions))
    cell = "\n".join(_cell(quiz))
    return (
        "\\documentclass{article}\n\\usepackage{amsmath}\n\\allowdisplaybreaks\n\\begin{document}\n"
        f"\\section*{{{latex_text(_title(quiz))}}}\n{_task(quiz)}\n\\begin{{verbatim}}\n{cell}\n\\end{{verbatim}}\n"
        "$\\ell_t$ is the loss of step $t$, $\\mathcal{L}_{>t}$ that of the steps after it, $\\mathcal{L}$ all of it.\n"
        f"\\begin{{align*}}\n{rows}\n\\end{{align*}}\n\\end{{document}}\n"
    )


def key(quiz: Quiz) -> str:
    """What is right, in Markdown: only the lines that were asked for."""
    lines = [f"# Key: {markdown_text(_title(quiz))}", "", f"Seed {quiz.seed}.", ""]
    for question in quiz.questions:
        if question.asked:
            said = f" ({markdown_text(question.mistake)})" if question.mistake else ""
            lines.append(f"- `d{question.step.wrt} = {code(question.step.rhs)}`{said}")
    return "\n".join([*lines, ""])


def _title(quiz: Quiz) -> str:
    return f"The backward pass: {quiz.cell.title or quiz.cell.name}"


def _task(quiz: Quiz) -> str:
    count = sum(question.asked for question in quiz.questions)
    if any(question.shown is None for question in quiz.questions):
        return f"Fill in the {count} blanks."
    return f"Find and correct the {count} mistakes."


def _from_outside(quiz: Quiz) -> str:
    """What the names mean that a student cannot guess."""
    sent = ", ".join(f"`d{name}_out`" for name in quiz.cell.outputs)
    back = ", ".join(f"`d{name}_next`" for name in quiz.cell.states)
    return f"What the loss of this step sends: {sent}. What comes back from step t+1: {back}."


def _cell(quiz: Quiz) -> list[str]:
    return [f"{e.target} = {text(e.rhs, Style())}" for e in quiz.cell.written]
