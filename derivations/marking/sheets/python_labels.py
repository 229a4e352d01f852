"""What things are called on a sheet that a file calls otherwise: entries, carried errors, cotangents, doubled letters.

`grads["Wf"]` is `dWf`, `dW["f"]` is `dW_f`; `carry_c` is `dc_next`; `grads_out[t]` is `dh_out`; `nn` is `n`.
"""

import ast
import re
from collections.abc import Iterable, Iterator

_GRADIENTS = re.compile(
    r"d|g|gw|gp|gs|grads?|gradients?|acc|accum|dparams?|d_params|deltas?|derivs?|dtheta|dw|out|res\w*|G|D"
)
_OF_GATES = re.compile(r"(?:d|g|grad_?)_?(?:[WUVRKwbB]\w{0,2}|weights?|bias|kernel)")
_PARAMETER = re.compile(r"d?_?[WUVRKwbB](?:_?[a-z]{1,2})?|(?:weights?|bias(?:es)?|kernel)(?:_\w{1,2})?")
_ERRORS = re.compile(r"(?:d|g)[A-Za-z_]|(?:grad|delta|err|eps)|[A-Za-z]\w*_d$")
_GRADIENT = re.compile(r"(?:d|g|grad_?|d_)_?[WUVRKbBw]|[WUVRb]\w*_(?:d|grad)$")
_BACK = r"carry|carried|carryover|future|from_future|from_next|from_later|back|later|incoming|bptt|recur|flow"
_CARRIED = re.compile(
    rf"(?:(?:d|grad|g|delta|err|e)_?)?(?:{_BACK})_?(?:grad_?|d_?)?(?P<after>h|c|hidden|cell|state|mem)?"
    rf"|(?:(?:d|grad|g|delta)_)?(?P<before>h|c|hidden|cell|state)_?(?:{_BACK})|(?:grad|delta|g|err)_next_?(?P<last>h|c)?"
    rf"|(?:grad|delta|g|err)_(?P<mid>h|c)_next"
)
_DIRECT = re.compile(
    r"d?outs?|d_outs?|d?[yY]s?|dLd[hy]s?|dl?oss_?d?[hy]s?|dL_?d?_?[hy]s?|(?:errors?|errs?|es|e|deltas_out|gs_out)"
    r"|(?:grads?|gradients?|g|d)_?(?:of_)?(?:outs?|outputs?|ys?|hs|hidden_states?|loss|above|top|up|upstream|H|Y)"
    r"|(?:d|g|grad_?)(?:hs|Hs|H|h_?outs?|hs_?out|h_?top|h_?ext|h_?above|h_?loss|h_?direct|h_?in)"
    r"|(?:target|output|out|upstream|top|loss|external|step|above|direct|incoming|seed)_?(?:grads?|errors?|diffs?|deltas?)"
    r"|grads?|gradients?|cotangents?|seeds?|upstreams?"
)
_DOUBLED = re.compile(
    r"(?P<head>(?:d_?|grad_?|delta_?|g_)?)(?P<letter>[fgionzr])(?P=letter)(?P<tail>(?:_raw|_pre|_in)?)"
)
_OF_STATE = r"(?:d|grad|g|delta)_?(?:h|hidden)(?:_?(?:next|nxt|t|new))?|next_?(?:d|grad)_?h"
_AGE = re.compile(
    r"(?:(?P<old>old|last|prev|previous)|new|current|cur)_(?P<state>hidden|cell)(?:_state)?"
    r"|(?P<owner>hidden|cell)(?:_state)?_(?:(?P<before>old|last|prev|previous)|new|current|cur)"
)
_COMES_IN = re.compile(  # the errors that one step is given
    r"(?:ct|cot|cotangent)_?(?:(?P<h>h)|c)|(?:d|grad|g|delta)_?c_?(?:in|incoming|ext|later|up|after|from_next|tp1)"
)
_NEW = re.compile(r"(?P<state>[hcs])_?(?:new|cur|now|out|curr|current|nxt)|(?:new|cur|curr)_?(?P<other>[hcs])")

_OF_LOSS = r"d|g|grad|delta|gr|ct|cot|cotangent|err|up|upstream|bar|dL_?d|dE_?d|dJ_?d"
_STATES = r"h|c|hidden|cell|hidden_state|cell_state|H|C"
_LAST = r"last|final|end|fin|T|n|N|TT"
_HERE = r"t|next|nxt|new|out|in|ext|above|after|later|tp1|incoming|cur|now"
GIVEN_ERROR = re.compile(
    rf"(?:{_OF_LOSS})_?(?P<state>{_STATES})s?(?:_?(?:(?P<last>{_LAST})|{_HERE}))?"
    rf"|(?:{_OF_LOSS})_?(?:(?P<late>last|final)|next|new|out)_?(?P<of>{_STATES})"
    rf"|(?P<first>{_STATES})_?(?:(?P<end>{_LAST})_?)?(?:grad|bar|ct|cotangent)"
)
_ERROR_OF_STATE = re.compile(rf"(?:{_OF_LOSS})_?(?:prev_?)?(?P<state>{_STATES})(?:_?prev|_?tot\w*)?")


def entry_label(owner: str, key: str) -> str:
    """What an entry of a dictionary of gradients is."""
    if _OF_GATES.fullmatch(owner) and len(key) <= 2:
        return f"{re.sub('^(?:grad_?|g_?)', 'd', owner)}_{key}"
    if re.fullmatch(r"d_?(?:a|z|pre|net|raw|act|s|gates?)s?", owner) and len(key) <= 2:
        return f"{'da' if 'gate' in owner else owner.rstrip('s')}_{key}"
    if _GRADIENTS.fullmatch(owner) and not re.match(r"d[A-Za-z_]|grad", key):
        return f"d{key}"
    return key


def keyed(owner: str, key: str) -> str:
    """The name of an entry of a dictionary from outside: `Wh["f"]` is `Wh_f`, `params["Wf"]` is `Wf`."""
    return f"{owner}_{key}" if len(key) <= 2 and key.islower() and _PARAMETER.fullmatch(owner) else key


def owner_label(owner: ast.expr) -> str:
    """What an array is called of which an entry is assigned: of `d["o"][t]`, `do`."""
    match owner:
        case ast.Name(name):
            return name
        case ast.Attribute(_, name):
            return name
        case ast.Subscript(inner, ast.Constant(str() as key)):
            return entry_label(owner_label(inner), key)
        case ast.Subscript(inner):
            return owner_label(inner)
    return ""


def is_error(name: str) -> bool:
    """Whether a name looks like that of a derivative of the loss."""
    return bool(_ERRORS.match(name))


def is_gradient(name: str) -> bool:
    """Whether a name looks like that of the gradient by a parameter."""
    return bool(_GRADIENT.match(name))


def carried(name: str) -> str:
    """What a name is that says that something comes back from the step after, in plain words; empty otherwise."""
    match = _CARRIED.fullmatch(name)
    if not match:
        return ""
    state = next((found for found in match.groups() if found), "h")
    return "dc_next" if state in ("c", "cell", "mem") else "dh_next"


def state_of(name: str) -> str:
    """The state whose error a name stands for, `h` or `c`; empty where it does not look like one."""
    if found := carried(name):
        return found[1]
    match = GIVEN_ERROR.fullmatch(name) or _ERROR_OF_STATE.fullmatch(name)
    found = next((match[k] for k in ("state", "of", "first") if match and match.groupdict().get(k)), "")
    return found[:1].lower()


def of_error(name: str, uses: Iterable[str]) -> str:
    """What a name of a preactivation is that holds an error: `pre_f = dc * c_prev * ...` is `da_f`."""
    match = re.fullmatch(r"(?:pre|net|raw|act|a)_?(?P<gate>[fiogzrnuc])", name)
    errors = any(is_error(base) and len(base) > 1 for base in (one.partition("#")[0].partition("@")[0] for one in uses))
    return f"da_{match['gate']}" if match and errors else name


def comes_in(array: str) -> bool:
    """Whether an array over time from outside is the loss's own derivatives by the outputs."""
    return bool(_DIRECT.fullmatch(array))


def plainly(name: str) -> str:
    """What a name from outside is in plain words: `old_cell` is `c_prev`, `WLSTM` is `W`, `nn` is `n`."""
    if match := _AGE.fullmatch(name):
        state = {"h": "h", "c": "c"}[(match["state"] or match["owner"])[0]]
        return f"{state}_prev" if (match["old"] or match["before"]) else state
    if re.fullmatch(r"candidate_?(?:cell|gate|state|hidden)", name):
        return "candidate"
    if re.fullmatch(r"[WUVR]_?(?:lstm|gru|rnn|all|gates?|ifog|ifgo|fiog)", name, re.IGNORECASE):
        return name[0]
    return carried(name) or doubled(name)


def doubled(name: str) -> str:
    """A name whose letter is doubled so that it is none of a size: `nn` is `n`, `dnn` is `dn`."""
    match = _DOUBLED.fullmatch(name)
    return f"{match['head']}{match['letter']}{match['tail']}" if match else name


class Labels:
    """What one file's own names are called on a sheet.

    Attributes:
        added_to: the names that statements add to.
    """

    def __init__(self, tree: ast.AST) -> None:
        assigned = {
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self._g = any(re.match(r"g_?[WU]\w*$", name) for name in assigned)  # gWf, gWi: gradients start with g
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        # another error of the state comes in beside the loss's own: from the step after, or as a whole
        self.hears_later = any(carried(name) == "dh_next" or re.fullmatch(_OF_STATE, name) for name in read)
        self._sizes = {name for name in assigned if len(name) == 1}
        self._new = dict(_renewed(tree))
        self._fresh = dict(_beside_old(tree))
        forwards = any(re.fullmatch(r"d_?prev(?:_?h)?|d_?h_?prev", name) for name in assigned)
        self._new |= {"dnext": "dnext_h", "d_next": "dnext_h"} if forwards else {}  # next is this step's beside prev
        self.joined = frozenset(_joined(tree))  # what stands for [h_prev; x] and is not made here
        self.added_to = {
            node.target.id for node in ast.walk(tree)
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
        }  # fmt: skip
        self._handed: dict[tuple[str, int], str] = {}  # by the name and the line of its last assignment
        self.aliases: dict[str, str] = {}  # what an entry of an array is called for short: nn of N[t]

    def target(self, name: str, line: int = 0) -> str:
        """What a name that is assigned in a line is called."""
        if (name, line) in self._handed:
            return self._handed[name, line]
        if name in self._new:
            return self._new[name]
        if found := carried(name):
            return found
        by_g = re.fullmatch(r"g_?(?P<of>[A-Za-z]\w*)", name) if self._g and not name.startswith("grad") else None
        if match := by_g or re.fullmatch(r"(?P<of>[WUVRb]\w*)_d", name):
            name = f"d{match['of']}"
        if name[:1] == "d" and (core := self.aliases.get(name[1:].lstrip("_"))):
            return f"d{core}"
        return doubled(name)

    def plain(self, name: str) -> str:
        """What a name from outside is in plain words."""
        if match := _COMES_IN.fullmatch(name):
            return "dh" if match["h"] else "dc_next"
        if re.fullmatch("[hc]p", name):
            return f"{name[0]}_prev"
        return self._fresh.get(name) or plainly(name)

    def carry(self, name: str, once: bool) -> str:
        """What a name that a loop hands on is; it is called so from here on, where it is assigned once in a round."""
        found = carried(name)
        if not found and re.search(r"next|nxt|prev_?[hcas]|[hcas]_?prev|plus", name):
            return name
        found = found or ("dc_next" if re.search(r"(?:^|_|^[dg])c(?:_|$)|cell|mem", name) else "dh_next")
        if once:
            self._new.setdefault(name, found)
        return found

    def hands_on(self, name: str, line: int) -> None:
        """The last assignment of a round gives the error that the loop hands on: `dh = W.T @ da`."""
        self._handed[name, line] = self.carry(name, False)

    def alias(self, name: str, array: str) -> None:
        """A longer name for an entry of an array that has one letter."""
        core = array.rstrip("s").rstrip("_").lower()
        if len(core) == 1 and len(name) > 1 and "prev" not in name and name not in ("xt", "ht", "ct"):
            self.aliases[name] = core


def _beside_old(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """States of this step that are called new ones: `c_new` beside `c_old`, where no `c` is told from both."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for name in names:
        match = _NEW.fullmatch(name)
        state = (match["state"] or match["other"]) if match else ""
        old = rf"{state}_?(?:old|prev\w*|last|before|tm1|pm)|(?:old|prev|previous|last)_?{state}"
        if state and state not in names and any(re.fullmatch(old, other) for other in names):
            yield name, state


def _joined(tree: ast.AST) -> Iterator[str]:
    """Arrays over time of the state before and the input in one, told by what their error is cut into: `dz[:H]`."""
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(cut := node.value, ast.Subscript):
            target, first = (
                node.targets[0],
                cut.slice.elts[0] if isinstance(cut.slice, ast.Tuple) and cut.slice.elts else cut.slice,
            )
            match target, cut.value, first:
                case ast.Name(name), ast.Name(error), ast.Slice(None, ast.expr(), None) if (
                    re.search(r"h", name) and re.match(r"d[a-z]", error) and error[1:] not in stored
                ):
                    yield from (f"{error[1:]}{tail}" for tail in ("s", "_s", "_list", "_all"))


def _renewed(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """States that are worked out under a name of their own first: `h = h_new`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        pairs = zip(target.elts, value.elts, strict=False) if both else ((target, value),)  # type: ignore[attr-defined]  # both are tuples
        for one, other in pairs:
            if isinstance(one, ast.Name | ast.Subscript) and isinstance(other, ast.Name):
                match = _NEW.fullmatch(other.id)
                state = (match["state"] or match["other"]) if match else ""
                name = one.id if isinstance(one, ast.Name) else owner_label(one.value)
                if state and re.fullmatch(rf"{state}s?|{state}_?prev|prev_?{state}", name):
                    yield other.id, state


def row(names: list[str]) -> list[str]:
    """What the members of a step's row are: where only one state is in it, and gates, that is the one before."""
    before = any(re.search(r"h.*(?:prev|old|last|before|pre|tm1)|(?:prev|old|last)_?h", name) for name in names)
    gates = sum(bool(re.fullmatch(r"[fiogzrnuq]{1,2}|[fiogzrn]_?t?", name)) for name in names)
    if before or names.count("h") != 1 or gates < 2 or not any(name[:1] == "x" for name in names):
        return names
    if any(name in ("c", "c_prev", "cprev", "c_new") for name in names):
        return names
    return ["h_prev" if name == "h" else name for name in names]
