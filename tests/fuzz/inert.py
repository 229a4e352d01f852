"""Whether a document says what a person wrote without doing it: no command, no markup, no control character."""

import csv
import io
import re

from markdown_it import MarkdownIt

# Every command that our documents themselves use; a text that brings another one in has broken out.
_COMMANDS = """
documentclass usepackage hypersetup allowdisplaybreaks setlength mathindent jot emergencystretch parindent parskip
AtBeginDocument abovedisplayskip belowdisplayskip begin end LARGE large par medskip textit text textbf section item
itemsep small itshape raggedright arraybackslash textwidth toprule midrule bottomrule hspace quad notag rlap parbox
textbackslash textasciicircum textasciitilde ensuremath allowbreak ss ae AE oe OE o O l L dots times to le mathbb
mathcal mathrm mathbf mathit mathop operatorname partial odot circ sigma tanh exp log max min top bar tilde hat dot
ddot vec frac sum mathsf left right bigl bigr lvert rvert ell cdot infty sqrt delta displaystyle cdots alpha beta
gamma epsilon zeta eta theta iota ge kappa lambda mu nu xi pi rho tau upsilon phi chi psi omega Gamma Delta Theta
Lambda Xi Pi Sigma Upsilon Phi Psi Omega thinspace cr lt gt vert varepsilon i j u r H v d c b prod langle rangle
boldsymbol bullet dim mid top intercal operatorname* ne neq limits nolimits widetilde widehat overline prime ldots
baselineskip vspace noindent mathdollar
"""
COMMANDS = frozenset(_COMMANDS.split())
_ACCENTS = set("`'^~=.\"")
_SYMBOLS = set("\\{}$&#%_,;:! []()|")
_MATH = re.compile(r"((?:[^\\$]|\\.)*?)(\$\$|\$)((?:[^\\$]|\\.)*?)\2", re.DOTALL)
MARKDOWN = MarkdownIt("commonmark").enable("table")
INERT_TOKENS = {
    "paragraph_open", "paragraph_close", "inline", "heading_open", "heading_close", "table_open", "table_close",
    "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open",
    "td_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "text", "softbreak",
    "text_special", "entity",
}  # fmt: skip


def text_faults(text: str) -> list[str]:
    """What a terminal would obey, or not show."""
    return [f"{one!a} is not printable" for one in dict.fromkeys(text) if one != "\n" and not one.isprintable()]


def latex_faults(text: str) -> list[str]:
    """Commands that are not ours, braces that do not match, comments that hide what follows."""
    found = [] if text.isascii() else ["not ASCII"]
    found += text_faults(text)
    code = "\n".join(re.sub(r"^((?:[^\\%]|\\.)*)%.*", r"\1", line) for line in text.split("\n"))
    for command in re.finditer(r"\\([A-Za-z]+\*?|.)", code, re.DOTALL):
        name = command[1]
        if (
            name not in COMMANDS
            and name.rstrip("*") not in COMMANDS
            and name not in _SYMBOLS
            and name not in _ACCENTS
            and name != "\n"
        ):
            found.append(f"the command {command[0]!a}")
    if "^^" in code:
        found.append("^^")
    depth = 0
    for sign in re.findall(r"\\.|[{}]", code, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            break
    if depth:
        found.append("braces do not match")
    found += [f"{one[0]!r}: an argument" for one in re.finditer(r"(\\item|\\\\)\s*[\[*]", code)]
    found += [
        f"{code.count(one)} times {one}" for one in (r"\begin{document}", r"\end{document}") if code.count(one) > 1
    ]
    return found


def markdown_faults(text: str) -> list[str]:
    """What Markdown would make of it beside headings, paragraphs, lists, tables and mathematics."""
    found = text_faults(text)
    for formula in _MATH.finditer(text):
        found += [f"{one!r} in a formula" for one in "<>" if one in formula[3]]
    return found + _markup(_MATH.sub(lambda match: match[1] + "MATH", text), INERT_TOKENS)


def markdown_with_code_faults(text: str) -> list[str]:
    """The same of Markdown that has bold words and code in it, and no mathematics."""
    return text_faults(text) + _markup(text, INERT_TOKENS | {"code_inline", "strong_open", "strong_close"})


def _markup(text: str, inert: set[str]) -> list[str]:
    """What is no inert part, mathematics or an address within the words."""
    found, waiting = [], MARKDOWN.parse(text)
    while waiting:
        token = waiting.pop()
        if token.type not in inert:
            found.append(f"{token.type}: {token.content or token.info!r:.80}")
        if token.type == "inline":
            said = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", token.content)
            found += [f"a bare address: {one!r}" for one in re.findall(r"://|(?<!\w)www\.\w", said)]
            found += [f"a formula: {said!r:.80}"] if re.search(r"(?<!\\)\$", said) else []
        waiting += token.children or []
    return found


def csv_faults(text: str) -> list[str]:
    """Cells that a spreadsheet would take for formulas, and what a terminal would obey."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    found = [f"a formula: {cell[:40]!a}" for row in rows for cell in row if cell.lstrip()[:1] in set("=+-@")]
    return found + text_faults("".join(cell for row in rows for cell in row))
