"""What stands around a name on a sheet: a mark for another step, and what makes it a derivative of the loss."""

import re
from collections.abc import Iterator

AGO, NEXT = (
    "prev|previous|old|last|tm1|tminus1|t_minus_1|tm_1|minus1|prv|before|t_1",
    "next|tp1|tplus1|t_plus_1|nxt|plus1",
)
_AGO = re.compile(rf"(?:^|_)(?:{AGO})(?=_|$)")
_NEXT = re.compile(rf"(?:^|_)(?:{NEXT})(?=_|$)")
_FIXED = re.compile(r"_?\[?(?:(?<=[A-Za-z_\[])(0)|(?<=[_\[])T([+-]\d)?)\]?$")
_AT = re.compile(r"(?<=.)(?:\[(?:t[+-]\d|0|T(?:[+-]\d)?)\]|_[0T])$")
_BESIDE_T = re.compile(r"(\w*?[A-Za-z])t(?:(_?m1|_1|_?minus_?1)|_?p1|1|_?plus_?1)")
_SHORT_AGO = re.compile(r"([hc])_?(?:p|pr|m|minus)")  # hp, c_m
_WHOLE = re.compile(r"(?<=[A-Za-z])_?(?:total|tot|full|all|sum|cur|curr|current|now)$")
_GLUED = re.compile(r"^(d?)(prev|next)([A-Za-z]\w*)$|^(\w*?[A-Za-z])_?(prev|next)(t?)$")
_ERROR = (  # what stands around a name to say "the derivative of the loss by it"
    re.compile(r"^d(?:L|J|E|loss|cost|l)?_?(?:over_)?_?d_?(?P<rest>\w.*)$", re.IGNORECASE),
    re.compile(r"^d_?(?P<rest>\w.*)$"),
    re.compile(
        r"^(?:top_diff|bottom_diff|diff|delta|del|grad|gradient|g|nabla|adj|adjoint|bar|e|err|error|eps|epsilon|D"
        r"|varepsilon|zeta|dhat|hat_delta|delta_hat|deltahat|partial|up|upstream)_(?P<rest>\w.*)$"
    ),
    re.compile(r"^(?:delta|grad|Delta)(?P<rest>[A-Za-z]\w*)$"),
    re.compile(r"^(?P<rest>\w*?)_?(?:grad|gradient|bar|delta|diff|adj|adjoint|err|error|_d|dot)$"),
)
DIRECT = re.compile(
    r"d[yY]s?|e|g|gh|gy|dout|d[hH]s?_?(?:out|top|up|above|ext|loss|in)|dout_h|e_h|d?[hH]out|Delta|grad_y|ys?_grad"
    r"|grad_?(?:out|output|hy|h_?out)|gout|top_?grad|upstream\w*"
)
_WITHIN = re.compile(r"(\w+?)_(?:bar|grad|delta|adj|dot)_(\w+)")
_BY_G = re.compile(r"g(?P<rest>[A-Za-z]\w*)")  # gx, gc: it is a gate's name as well
_BARE = ("delta", "Delta", "error", "err", "epsilon", "varepsilon", "delta_hat", "delta_hat", "delta_bar")
LOSSES = ("L", "J", "E", "loss", "Loss", "cost", "l", "ell", "objective", "err", "C", "LL", "total_loss")


def canonical(name: str) -> str:
    """A name without what people set or leave out at will."""
    return name.replace("_", "").replace("{", "").replace("}", "").lower()


def bare(name: str) -> str:
    """A name without the step that it is at."""
    return _AT.sub("", name)


def at_argument(name: str) -> bool:
    """Whether a name is of the kind that stands for the error at a preactivation: delta_f."""
    return bool(re.match(r"(?:delta|Delta|epsilon|eps|err|error)", name)) or name.endswith("_delta")


def timed(name: str) -> Iterator[tuple[str, int, float]]:
    """A name without its time mark, and the step that the mark says."""
    if match := re.search(r"\[t([+-]\d)\]$", name):
        yield name[: match.start()], int(match[1]), 0
        return
    if match := _FIXED.search(name):  # h_0 is the state before a step, h_T and h_{T-1} are of the last one
        yield name[: match.start()], -1 if match[1] == "0" else int(match[2] or 0), 0.5
        return
    yield name, 0, 0
    for pattern, by in ((_AGO, -1), (_NEXT, 1)):
        if match := pattern.search(name):
            rest = (name[: match.start()] + name[match.end() :]).strip("_")
            if rest:
                yield rest, by, 0
    if match := _BESIDE_T.fullmatch(name):  # ct_1, htm1, ft1
        yield match[1], -1 if match[2] else 1, 0.3 if match[2] else 0.6
    if match := _SHORT_AGO.fullmatch(name):
        yield match[1], -1, 0.3
    if match := _WHOLE.search(name):
        yield name[: match.start()], 0, 0.1
    if match := _GLUED.match(name):
        if match[3]:
            yield match[1] + match[3], -1 if match[2] == "prev" else 1, 0
        else:
            yield match[4], -1 if match[5] == "prev" else 1, 0


def of_loss(name: str, output: str) -> Iterator[tuple[str, float]]:
    """What a name says that the loss is differentiated by."""
    if match := re.fullmatch(r"d_?(?P<of>[^/]+)/d_?(?P<wrt>[^/]+)", name):
        if match["of"].split("[")[0].strip("_{}0123456789") in LOSSES:
            yield match["wrt"], 0
        return
    head, _, tail = name.partition("[")
    if head in _BARE:
        yield f"{output}[{tail}" if tail else output, 0.1
        return
    tail = f"[{tail}" if tail else ""
    if not tail and (match := re.fullmatch(rf"(?P<inner>\w+_bar|\w+_grad|\w+_delta)_(?P<mark>{AGO}|{NEXT})", head)):
        for rest, cost in of_loss(match["inner"], output):
            yield f"{rest}_{match['mark']}", cost
    for k, pattern in enumerate(_ERROR):
        if match := pattern.match(head):
            yield match["rest"] + tail, k / 20
    if match := _WITHIN.fullmatch(head):  # \bar W_{hh}
        yield f"{match[1]}_{match[2]}{tail}", 0.2
    if match := _BY_G.fullmatch(head):
        yield match["rest"] + tail, 1.95
    if match := re.match(r"^(?P<mark>prev|next)_(?P<rest>d.*)$", head):
        yield f"{match['mark']}_{match['rest'][1:]}", 0.1


def by_g(name: str) -> bool:
    """Whether a name is one of those that say an error by a g: gW, gx."""
    return bool(_BY_G.fullmatch(name))


def speaks_of_next(name: str) -> bool:
    """Whether a name says the step after."""
    return bool(_NEXT.search(name) or re.search(r"next|\[t\+", name))
