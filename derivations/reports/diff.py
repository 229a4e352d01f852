"""What `derive diff` says: one derivative as a sum over paths, each path the product of its local partials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.document import Block, Document, Heading, Paragraph, Table, Text, joined
from derivations.expression import ZERO, Expr, Name
from derivations.notation import Notation
from derivations.paths import Path, TotalDerivative
from derivations.plain import Style, math_style, text
from derivations.reports.checks import Checked, check_records, verdict
from derivations.timed import Node, at_step
from derivations.typeset import to_latex


@dataclass(frozen=True)
class Difference:
    """One derivative with all that is known of it.

    Attributes:
        closed: in leaf names only, or why it is not written out.
        proof: "proved", "refuted" or what a proof said; None where none was tried.
        where: the walkthrough whose numbers stand in it, if any.
        digits: to how many digits each backend agrees with the truth.
        values: of every name at every step, where numbers were given.
    """

    derivation: Derivation
    total: TotalDerivative
    closed: Expr | str | None
    proof: str | None
    where: str
    checked: Checked
    digits: Mapping[str, int]
    values: Sequence[Mapping[str, float]] = ()

    @property
    def wrong(self) -> bool:
        """Whether anything says that it is wrong; a point that says nothing does not."""
        return self.proof == "refuted" or any(verdict(check) == "FAIL" for check in self.checked.checks)


def record(found: Difference, notation: Notation) -> dict[str, Any]:
    """The derivative for programs."""
    total = found.total
    whole = {
        "expression": None if total.expression is None else text(total.expression, Style()),
        "closed": text(found.closed, Style()) if isinstance(found.closed, Expr) else found.closed,
        "latex": None if total.expression is None else to_latex(total.expression, notation),
        "value": total.value,
        "log10": total.log10,
    }
    return {
        "schema": "derivations/diff/1",
        "cell": found.derivation.cell.name,
        "at": found.where or None,
        "of": total.of.id,
        "wrt": total.wrt.id,
        "step": total.step,
        "through_time": total.through_time,
        "count": total.count,
        "paths": [
            {
                "nodes": [node.id for node in path.nodes],
                "factors": [
                    {
                        "of": factor.of.id,
                        "wrt": factor.wrt.id,
                        "expression": text(factor.expression, Style()),
                        "value": factor.value,
                    }
                    for factor in path.factors
                ],
                "expression": text(path.expression, Style()),
                "value": path.value,
            }
            for path in total.paths
        ],
        "rest": None if total.rest is None else {"count": total.rest.count, "value": total.rest.value},
        "immediate": {"expression": text(total.immediate, Style()), "value": total.immediate_value},
        "total": whole,
        **check_records(found.checked),
        "proved": None if found.proof is None else found.proof == "proved",
    }


def document(found: Difference, notation: Notation, *, most: int = 20, verbose: bool = False) -> Document:
    """The derivative for readers."""
    total, cell = found.total, found.derivation.cell
    style = math_style(notation)
    held = [] if total.through_time else [text_of(p, style) for p in cell.previous if p != total.wrt.name]
    span = (
        f"through time, steps 1 to {total.step}"
        if total.through_time
        else f"within step {total.step if total.step and total.value is not None else 't'}"
        + (f" ({', '.join(held)} held fixed)" if held else "")
    )
    blocks: list[Block] = []
    if not total.count:
        blocks.append(
            Paragraph(
                (f"No path leads from {said(total.wrt, style)} to {said(total.of, style)}: the derivative is 0.",)
            )
        )
    for number, path in enumerate(total.paths[:most], 1):
        blocks += _path(path, number, total, cell, style)
    if total.rest:
        rest = total.rest
        value: Text = () if rest.value is None else (" add up to ", rest.value)
        blocks.append(
            Paragraph(
                (f"The other {rest.count:,} paths", *value, ".")
                if value
                else (f"and {rest.count:,} other paths, not listed",)
            )
        )
    if len(total.paths) > 1 or total.rest:
        whole: list[Text] = [] if total.expression is None else [(total.expression,)]
        whole += [] if total.value is None else [(total.value,)]
        if whole:
            blocks.append(Paragraph(("Sum of all paths: ", *joined(whole, " = "))))
    immediate: Text = ("Immediate partial, everything between held fixed: ", total.immediate)
    if total.immediate_value is not None and total.immediate != ZERO:
        immediate = (*immediate, " = ", total.immediate_value)
    if len(total.paths) != 1 or len(total.paths[0].factors) != 1:
        blocks.append(Paragraph(immediate, "quiet"))
    if isinstance(found.closed, Expr):
        blocks += [Heading("Closed form, in leaf names"), Paragraph((found.closed,))]
    elif found.closed:
        blocks.append(Paragraph((found.closed,), "quiet"))
    blocks += _check(found, verbose)
    title = f"d{said(total.of, style)}/d{said(total.wrt, style)}"
    where = f"{cell.title or cell.name}, scalar, {span}"
    if found.where:
        where += f", at {found.where}"
    return Document(title, notation, tuple(blocks), where)


def said(node: Node, style: Style) -> str:
    return text_of(node.id, style)


def text_of(name: str, style: Style) -> str:
    return text(Name(name), style)


def _path(path: Path, number: int, total: TotalDerivative, cell: Cell, style: Style) -> list[Block]:
    nodes = " -> ".join(said(node, style) for node in path.nodes)
    rows: list[tuple[Text, ...]] = []
    for factor in path.factors:
        expr = factor.expression if factor.of.step is None else at_step(factor.expression, cell, factor.of.step)
        row: tuple[Text, ...] = ((f"d{said(factor.of, style)}/d{said(factor.wrt, style)}",), (expr,))
        rows.append(row if factor.value is None else (*row, (factor.value,)))
    numbers = path.value is not None
    header: tuple[Text, ...] = ((),) * (3 if numbers else 2)
    product: Text = ("product  ", path.expression)
    if path.value is not None:
        product = (*product, " = ", path.value)
    return [
        Heading(f"Path {number} of {total.count:,}: {nodes}"),
        Table(header, tuple(rows), "llr" if numbers else "ll"),
        Paragraph(product),
    ]


def _check(found: Difference, verbose: bool) -> list[Block]:
    sentences = [found.proof] if found.proof else []
    by_digits: dict[int, list[str]] = {}
    for backend, count in found.digits.items():
        by_digits.setdefault(count, []).append(backend)
    for count, backends in sorted(by_digits.items(), reverse=True):
        names = " and ".join([", ".join(backends[:-1]), backends[-1]] if len(backends) > 1 else backends)
        verb = "agree" if len(backends) > 1 else "agrees"
        sentences.append(f"{names} {verb} with the truth to {count} digits")
    silent = [c.backend.partition(",")[0] for c in found.checked.checks if verdict(c) == "NO INFORMATION"]
    wrong = [c for c in found.checked.checks if verdict(c) == "FAIL"]
    if silent:
        sentences.append(f"at this point a float64 result says nothing of it ({', '.join(dict.fromkeys(silent))})")
    blocks: list[Block] = []
    if sentences:
        blocks.append(Paragraph(("check  " + "; ".join(sentences),), "good"))
    for check in wrong:
        blocks.append(Paragraph((f"FAIL on {check.backend} ({check.dtype}): E = {check.error:.3g}",), "bad"))
    for check in found.checked.checks if verbose else ():
        blocks.append(
            Paragraph((f"{check.backend} ({check.dtype}): E = {check.error:.3g}, {verdict(check)}",), "quiet")
        )
    for name, command in found.checked.missing:
        blocks.append(Paragraph((f"{name} is not installed, and was not checked: {command}",), "quiet"))
    return blocks
