"""Sentences that say of which derivative a letter stands: `g_t is dL/dh_t, k_t is the direct gradient`.

`d_f, d_i, d_o = gradients w.r.t. pre-activations` says it of several, `delta_x mean dL/da_x` of a family. Such names
are put as what they stand for, wherever they are.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from derivations.marking.sheets.phrases import at_argument

DIRECT = "dout"
_STEP = r"(?:_\{?t\}?|\(t\)|\[t\]|\^t|_t)?"
_LETTER = rf"[^\W\d][\w~^']{{0,12}}?[.*\u00b7]?{_STEP}"
_N = rf"(?<![\w/.*+\[{{-])(?P<name>{_LETTER})(?![\w~^'])"
_BE = r"\s*(?::=|=|:|is|are|be|denotes?|means?|mean|stands?\s+for|for)(?![\w=])\s*"
_SAYS = r"\s+(?:is|are|be|denotes?|means?|mean|stands?\s+for)\s+"
_TOTAL = r"(?:(?:the|its|total|full|whole|overall|error|gradient|derivative|loss|our|just|then|of|and|,)\s+)*"
_D = r"[d\u2202]_?"
_WRT = r"\([^()\n]{0,60}\)(?!\w)|[^\W\d][\w~^']*(?:[\[({][^\])}\n]{0,20}[\])}])?|[.*\u00b7]"
_DERIVATIVE = rf"(?P<of>{_D}[A-Za-z][\w\[\](){{}}]{{0,12}}?)\s?/\s?{_D}(?P<wrt>{_WRT})(?:\[t\]|\(t\))?"
_ENDS = r"(?=\s*(?:[,;:.)(]|$)|\s+(?:in|the|where|with|and|of|for|from|i\.e|total|coming|at)\b)"
_SAID = re.compile(rf"{_N}{_SAYS}{_TOTAL}{_DERIVATIVE}{_ENDS}", re.MULTILINE)
_SET = re.compile(rf"{_N}\s*:?=\s*{_TOTAL}{_DERIVATIVE}{_ENDS}", re.MULTILINE)
_FROM_LOSS = re.compile(
    r"\b(?:direct(?:ly)?|immediate|upstream|external|from\s+(?:above|outside)|from\s+(?:the\s+)?(?:loss|output|readout)"
    r"|loss\s+(?:itself\s+)?(?:sends|gives|contributes|puts))\b"
)
_ERRING = re.compile(rf"\b(?:gradient|error|derivative|part|sends|gives|contributes|puts|signal|{_D}L|{_D}E|{_D}J)")
_MORE = re.compile(r"\b(?:total|incl\w*|recurr\w*|later|plus|and|partial|Jacobian|path|through)\b|t\s*\+\s*1")
_DIRECTLY = re.compile(
    rf"{_N}(?:\s*:?=|\s*:|\s+(?:is|denotes?|means?|be)\b|\s+(?=the\b))\s*(?P<words>(?:(?!\.\s)[^=;\n,])*)"
)
_COMES_BACK = re.compile(
    r"\s*,?\s*(?:coming|incoming|arriving|that comes|from)\b[^,;\n]*(?:t\s*\+\s*1|next|later|future)"
)
_LIST = rf"{_LETTER}(?:\s*(?:,|and|&)\s*(?:and\s+)?{_LETTER}){{0,11}}"
_ERRORS = r"(?:grad(?:ient)?s?|errors?|derivatives?|deltas?|sensitivit\w*|dL)"
_ARGUMENT = (
    r"(?:pre-?\s?act(?:ivation)?s?|net[\s-]+inputs?|(?:before|w\.?r\.?t\.?\s+the\s+inputs?\s+of|inside)\s+(?:the\s+)?(?:\w+\s+)?"
    r"(?:non-?\s?linearit\w+|activations?|sigmoids?|squash\w*|functions?))"
)
_AT_ARGUMENTS = re.compile(
    rf"(?<![\w/.*+(\[{{-])(?P<names>{_LIST})(?![\w~^']){_BE}(?:[a-z-]+\s+|w\.?r\.?t\.?\s+|\(?dL/d\s*){{0,6}}?"
    rf"(?:{_ERRORS}[^=;\n]{{0,80}}?{_ARGUMENT}|{_ARGUMENT}[^=;\n,]{{0,80}}?{_ERRORS})"
)
_MARK = re.compile(r"(?:d_?|D_?|e_?|g_?|delta_?|\u03b4_?|eps_?|err_?|grad_?)(?P<base>[a-zA-Z]|[a-z]_?tilde)")
_REMARKED = re.compile(
    rf"^[ \t]*{_N}\s*=[^=\n]{{0,300}}?[(\[](?P<said>[^()\[\]\n]{{0,80}}\b{_ARGUMENT}[^()\[\]\n]{{0,80}})[)\]]",
    re.MULTILINE,
)
_SOONER = re.compile(r"before|inside")  # which may speak of the order of steps
_OTHERS = re.compile(r"following|below|others?\b|all\b|rest|likewise|same|etc|too\b")
_AND_SO_ON = re.compile(
    rf"(?<![\w/])(?P<mark>d_?|e_?|delta_?|\u03b4_?|D_?)[a-z](?:\.\.+|\u2026|_?\*|\s*,?\s*etc\.?)\s*{_BE}(?:[a-z-]+\s+){{0,4}}?"
    rf"(?:{_ERRORS}[^=;\n]{{0,80}}?{_ARGUMENT}|{_ARGUMENT}[^=;\n,]{{0,80}}?{_ERRORS})"
)
_GATES = "(?P<hole>[fiogrzn])"  # no letters of states
_AND_ANOTHER = re.compile(rf"\s*(?:,|and|&)\s*(?:and\s+)?{_D}[A-Za-z]\w*\s?/\s?{_D}")
_OF_STEP = re.compile(r"(?:_\{?t\}?|\(t\)|\[t\])$")  # the loss of one step, L_t
_OF_ALL = re.compile(rf"(?<![\w]){_D}[LEJ]\s?/|\b[LEJ]\s*=\s*(?:sum|\u2211|\u03a3)")  # that of all steps
_LOSSES = {"L", "E", "J", "C", "loss", "Loss"}
_TOTAL_SAID = re.compile(r"[^,;\n]{0,20}\b(?:total|recursive|full)")
_WEIGHTS = re.compile(r"d_?[WUVRKbwu](?:_?\w{0,3})$")


@dataclass(frozen=True)
class Meant:
    """What names of a sheet stand for.

    Attributes:
        names: a name, without a step, and the derivative that it is.
        families: names with a hole, and what they are.
    """

    names: Mapping[str, str]
    families: tuple[tuple[re.Pattern[str], str], ...] = ()

    def of(self, name: str) -> str:
        """The name that a name in normal form stands for, at its step."""
        base, bracket, step = name.partition("[")
        stem, mark, number = base.rpartition("_")
        if (
            base not in self.names
            and mark
            and re.fullmatch(r"\d|T", number)
            and self.names.get(stem, "").startswith("d")
        ):
            return f"{self.names[stem]}_{number}{bracket}{step}"
        meant = self.names.get(base)
        if meant is None:
            for pattern, template in self.families:
                if match := pattern.fullmatch(base):
                    meant = template.replace("\0", match["hole"])
                    break
        return name if meant is None else meant + bracket + step


def meanings(text: str, normal: Callable[[str], str]) -> Meant:
    """What the sentences of a text say of its names; `normal` puts a name in normal form."""
    names: dict[str, str] = {}
    families: list[tuple[re.Pattern[str], str]] = []
    for pattern in (_SAID, _SET):
        for match in pattern.finditer(text):
            theirs, of, wrt = normal(match["name"]), normal(match["of"][1:].lstrip("_")), match["wrt"]
            if _OF_STEP.search(match["of"]) and _OF_ALL.search(text) and normal(wrt)[:1] in ("h", "s", "y"):
                names[theirs] = DIRECT
                continue
            behind = text[match.end() :]
            if _AND_ANOTHER.match(behind):
                continue  # "a, b are dL/df and dL/di": one each
            if wrt.startswith("("):
                if not re.search(_ARGUMENT, wrt):
                    continue
                wrt = "a"
            wrt = normal(wrt)
            hole, named = _hole(theirs, wrt, text[match.start() : match.end() + 90].partition("\n")[0])
            if hole:
                pattern_of = re.escape(theirs.removesuffix(hole)) + (
                    r"_?(?P<hole>[A-Za-z]\w*)" if named else r"(?P<hole>\d)"
                )
                families.append((re.compile(pattern_of), f"d{of}/d{wrt.removesuffix(hole)}\0"))
            elif of not in _LOSSES and _TOTAL_SAID.match(behind):
                continue  # what goes through all steps before is no derivative within one
            elif _is_letter(theirs, of, wrt, pattern is _SAID):
                if _COMES_BACK.match(behind):
                    again = re.findall(rf"(?<![\w/]){re.escape(match['name'])}\s*[+:]?=", text)
                    names |= {theirs: f"d{wrt}_next"} if len(again) < 2 else {}
                else:
                    names[theirs] = f"d{of}/d{wrt}"
    for match in _DIRECTLY.finditer(text):
        words = match["words"]
        if _FROM_LOSS.search(words) and _ERRING.search(words) and not _MORE.search(words):
            names[normal(match["name"])] = DIRECT
    for name, meant in _at_arguments(text, normal):
        names.setdefault(name, meant)
    for match in _REMARKED.finditer(text):
        theirs = normal(match["name"])
        if (marked := _MARK.fullmatch(theirs)) and not _SOONER.search(match["said"]):
            names.setdefault(theirs, at_argument(marked["base"]))
            if _OTHERS.search(match["said"]):
                families.append(_of_gates(theirs.removesuffix(marked["base"])))
    families += (_of_gates(normal(match["mark"])) for match in _AND_SO_ON.finditer(text))
    return Meant(names, tuple(families))


def _of_gates(mark: str) -> tuple[re.Pattern[str], str]:
    return re.compile(re.escape(mark.rstrip("_")) + "_?" + _GATES), at_argument("\0")


def _is_letter(theirs: str, of: str, wrt: str, said: bool) -> bool:
    """Whether a name is one of the sheet's own for a derivative, and no claim about another one."""
    if _WEIGHTS.match(theirs) or "/" in theirs or len(wrt) > 12:
        return False
    marked = re.match(r"d_?(?=[A-Za-z])(?!elta|[A-Z]$)|d_?(?=[HCXFIOGZNS]$)", theirs)
    return said or not marked or wrt.endswith(theirs[marked.end() :])


def _hole(theirs: str, wrt: str, sentence: str) -> tuple[str, bool]:
    """What stands for any name, in a name and in what it is: `x` in `delta_x = dL/da_x for each gate x`.

    It may stand for numbers alone, as in `e_k = dL/dh_k`.
    """
    last = wrt[-1]
    if not theirs.endswith(last) or len(theirs) < 2:
        return "", False
    if last in ".*\u00b7":
        return last, True
    named = re.search(rf"\b(?:for|gate|each|every|any|where|all)\b[^\n]*(?<![A-Za-z]){last}(?![\w(])", sentence)
    if last in "xkjgvuyqnX" and named:
        return last, True
    return (last if theirs[-2:] == f"_{last}" and last in "kjn" else ""), False


def _at_arguments(text: str, normal: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    for match in _AT_ARGUMENTS.finditer(text):
        for name in re.split(r"\s*(?:,|&|\band\b)\s*", match["names"]):
            theirs = normal(name) if name else ""
            if marked := _MARK.fullmatch(theirs):
                yield theirs, at_argument(marked["base"])
