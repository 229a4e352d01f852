"""A derivation as a LaTeX document that compiles as it is, or as equations to be pasted into a paper."""

from typing import Any

from derivations.boxes import latex
from derivations.derive import Derivation, Rule
from derivations.expression import Expr, Name, Neg, Num
from derivations.formats._columns import NEXT, ready, right_side, side_by_side, under_one_another
from derivations.formats._escape import comment_text, latex_text, pdf_text
from derivations.formats._shown import PARAMETERS, Options, Section, Shown, proof_summary, runs, shown
from derivations.formats._words import by_shape, meaning, space
from derivations.typeset import to_latex

SUFFIX = ".tex"
PAGE = 45.5  # the width of a page's text in ems
PASTED = 30.0  # of a right-hand side in the papers into which a fragment goes

DOCUMENT = r"""\documentclass[10pt,a4paper,fleqn]{article}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,amssymb,mathtools}
\usepackage{array,booktabs}
\usepackage{microtype}
\usepackage[hidelinks,bookmarks=false]{hyperref}
\hypersetup{pdftitle={%(pdftitle)s},pdfsubject={The derivation of its gradients}}
\allowdisplaybreaks
\setlength{\mathindent}{0pt}
\setlength{\jot}{5pt}
\setlength{\emergencystretch}{3em}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\AtBeginDocument{\setlength{\abovedisplayskip}{4pt}\setlength{\belowdisplayskip}{6pt}}

\begin{document}
%(body)s
\end{document}
"""


def render(derivation: Derivation, **options: Any) -> str:
    """The derivation as a document, or with `fragment` as equations to be pasted."""
    chosen = Options(**options)
    what = shown(derivation, chosen)
    if chosen.fragment:
        return fragment(what)
    sections = [equations_section(section, what) for section in what.sections if section.lines]
    parts = [title(what), quantities_table(what), explanation(what), *sections, summary(what)]
    body = "\n\n".join(filter(None, parts))
    return DOCUMENT % {"pdftitle": pdf_text(what.title), "body": body}


def title(what: Shown) -> str:
    """The title, and what the cell's file says about it."""
    lines = [
        rf"{{\LARGE {latex_text(what.title)}}}\par",
        r"{\large The derivation of its gradients}\par\medskip",
    ]
    if what.cell.comment:
        lines.append(rf"\textit{{{latex_text(what.cell.comment)}}}\par")
    if what.remark:
        lines.append(rf"{what.remark}\par")
    return "\n".join(lines)


def quantities_table(what: Shown) -> str:
    """The names by kind, in the vector view with their shapes."""
    rows, before = [], ""
    for kind, shape, names in by_shape(what):
        symbols = ", ".join(f"${to_latex(Name(name), what.notation)}$" for name in names)
        where = f" & ${space(shape)}$" if what.vector else ""
        plural = kind if len(names) == 1 or kind == before else f"{kind}s"
        rows.append(rf"{plural if kind != before else ''} & {symbols}{where} \\")
        before = kind
    columns = r"@{}l>{\raggedright\arraybackslash}p{0.64\textwidth}" + ("l" if what.vector else "") + "@{}"
    body = "\n".join(rows)
    table = f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{body}\n\\bottomrule\n\\end{{tabular}}"
    return f"\\medskip\n{table}\\par\\medskip"


def explanation(what: Shown) -> str:
    """How to read the equations."""
    return "\n\n".join(meaning(what, latex_text))


def equations_section(section: Section, what: Shown) -> str:
    """A section: what carries the argument in a column, what there is much of side by side."""
    n = what.notation
    beside = [line for line in section.lines if line.group == PARAMETERS or line.rule is Rule.PARTIAL]
    below = [line for line in section.lines if line not in beside]
    parts = [rf"\section*{{{section.heading}}}", r"\vspace*{-\baselineskip}"]
    if below:
        parts.append(under_one_another(below, n, PAGE))
    factors = [line for line in beside if line.rule is Rule.PARTIAL and single(line.rhs)]
    if 0 < len(factors) < len(beside):
        others = [line for line in beside if line not in factors]
        parts += [side_by_side(others, n, PAGE), r"\noindent The others are single factors:"]
        beside = factors
    if beside:
        parts.append(side_by_side(beside, n, PAGE))
    return "\n".join(parts)


def single(expr: Expr) -> bool:
    """Whether a partial can be read off its equation: a name or a number."""
    return isinstance(expr, Name | Num) or (isinstance(expr, Neg) and single(expr.arg))


def summary(what: Shown) -> str:
    """How much of it is proved."""
    said = proof_summary(what.sections)
    return rf"\medskip {said}" if said else ""


# --- to be pasted -------------------------------------------------------------------------------------------


def fragment(what: Shown) -> str:
    """The equations alone, each section in one environment; labels are comments."""
    head = [
        f"% {comment_text(what.title)}",
        r"% needs \usepackage{amsmath}, and \allowdisplaybreaks for long ones",
    ]
    sections = [pasted_section(section, what) for section in what.sections if section.lines]
    return "\n".join([*head, *sections]) + "\n"


def pasted_section(section: Section, what: Shown) -> str:
    groups = []
    for label, run in runs(section.lines):
        equations = [ready(line, what.notation, PASTED) for line in run]
        rows = NEXT.join(f"{latex(one.left)} &= {right_side(one, '&')}" for one in equations)
        groups.append((f"% {comment_text(label)}\n" if label else "") + rows)
    return f"% {section.heading}\n\\begin{{align}}\n{NEXT.join(groups)}\n\\end{{align}}"
