"""Which of a function's quantities are states, inputs and parameters, read off its arguments and what it returns.

A state is an argument whose new value is returned: by its place in a tuple (`hx, cx = state` ... `return h, (h, c)`),
by its name (`h_prev`, `h`, `new_h`), or as the only one of its kind. In a loop over time it is what one turn leaves to
the next. Of the other arguments those called as inputs are (`x`, `x_t`, `inputs`) are the inputs, and for a method all
of them; what is left over are parameters.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from derivations.cell import CellError
from derivations.expression import Expr, Name
from derivations.source.follow import Follower
from derivations.source.values import Given

INPUTS = re.compile(
    r"x|x_?t|xs?_?in|inputs?(_t)?|inp|in_t|input_\w*|u_?t|sequence|seq|xs|X|data|emb\w*|token\w*|feats?|features?|"
    r"signal"
)
STATES = re.compile(
    r"hx|cx|h|c|h_?t|c_?t|h_?0|c_?0|carry|states?|hiddens?|memory|hidden_?states?|cell_?states?|prev_?\w*|\w*_prev|"
    r"\w*_old|\w*_tm1|\w*_t_?1|h_?in|c_?in|old_\w*|last_\w*|\w*_last|hprev|cprev|ht_?1|ct_?1|htm1|ctm1|previous_\w*|"
    r"\w*_previous"
)
GENERIC = {"state", "states", "carry", "hidden", "hiddens", "init", "prev", "initial"}
ANY = {
    "out",
    "output",
    "outputs",
    "y",
    "new",
    "result",
    "res",
    "ret",
    "act",
    "activation",
    "state",
    "states",
    "carry",
    "next",
    "value",
}
PARAMETERS = re.compile(
    r"[WURVKPMAB]\w*|[wubvp]_\w+|[wbp]|kernel\w*|weights?\w*|bias\w*|gamma\w*|beta\w*|theta\w*|phi\w*|params?|alpha\w*|"
    r"eps\w*|scale\w*|recurrent_\w*|\w*_(kernel|weight|bias|ih|hh)|parameters"
)
_BEFORE = re.compile(r"^(prev|previous|old|last|new|next|cur|current|updated)_?(?=\w)|^n(?=ew)")
_AFTER = re.compile(
    r"(_prev|_previous|prev|_old|_last|_new|_next|_next_?|_tm1|tm1|_t_?1|_t_minus_1|_in|_out|_t|_0|0|_1|_)$"
)


@dataclass(frozen=True)
class State:
    """A state: its value before and after the step, and what the code calls them."""

    old: Given
    new: Expr


@dataclass(frozen=True)
class Roles:
    states: tuple[State, ...]
    inputs: tuple[Given, ...]
    others: tuple[Expr, ...]  # what is returned besides


def base(name: str) -> str:
    """A name without what it says of time: `h` of h_prev, h_t, new_h and hx."""
    before = ""
    while before != name and name:
        before = name
        name = _AFTER.sub("", _BEFORE.sub("", name)) or before
    if re.fullmatch(r"[a-z][txy]", name):  # ht, hx and hy
        return name[0]
    return name


def for_walk(follower: Follower) -> Roles:
    """The roles in a loop over time, once it has been followed."""
    assert follower.walked
    states: list[State] = []
    for name, old, new in follower.walked.carried:
        states += _pairs(follower, follower.given[old.id], new, name)
    news = [state.new for state in states]
    live = _reached(follower, news)
    inputs = tuple(one for one in follower.given.values() if one.origin == "step" and one.id in live)
    others = [one for one in _flat(follower.walked.outputs) if one not in news and one.id in follower.defined]
    return Roles(_changing(states), inputs, tuple(dict.fromkeys(others)))


def _pairs(follower: Follower, old: Given, new: Any, name: str) -> list[State]:
    if old.parts and isinstance(new, (list, tuple)):
        found = []
        for key, part in old.parts.items():
            if not isinstance(key, int) or key >= len(new):
                raise CellError(f"{name} is taken apart and carried in another form; carry names", *old.at)
            found += _pairs(follower, follower.given[part], new[key], name)
        return found
    if isinstance(new, (list, tuple)) and len(new) == 1 and not old.parts:
        new = new[0]
    if new is None or isinstance(new, (str, bool)):
        return []
    if not isinstance(new, Expr) or old.parts:
        raise CellError(f"what {name} carries to the next step is not read; carry quantities by names", *old.at)
    return [State(old, new)]


def _changing(states: Iterable[State]) -> tuple[State, ...]:
    return tuple(state for state in states if state.new != Name(state.old.id))


def for_function(
    follower: Follower,
    arguments: Sequence[Given],
    returned: Any,
    at: tuple[int, int],
    *,
    method: bool,
    changed: Sequence[State],
    called: str,
) -> Roles:
    """The roles in a function that is one step.

    Args:
        changed: the attributes of self that the step changes.
        called: the name of the function.

    Raises:
        CellError: no argument is a state, or it is not clear which.
    """
    values = _flat(returned)
    live = _reached(follower, [*values, *(state.new for state in changed)])
    computed = _reached(follower, [follower.defined[value.id].expr for value in values if value.id in follower.defined])
    for one in arguments:
        if one.parts and one.id in computed:
            raise CellError(f"{one.name} is read whole and in parts; read one of the two", *one.at)
    states = list(changed)
    if not changed:
        states += _by_place(follower, arguments, returned)
    taken = {id(state.old) for state in states}
    left = [one for one in arguments if id(one) not in taken and not _within(one, states, follower)]
    if not states:
        states += _by_name(follower, left, returned, values)
        if re.search(r"(?i)gate(?!d)", called) and len(values) == 1 and not names_of(follower, values[0]):
            raise CellError(
                f"{called} computes a gate, which is no new state; name the function or the loop that calls it", *at
            )
    if not any(state.old.id in live for state in states):
        given = ", ".join(one.name for one in arguments) or "nothing"
        message = f"no state is carried: the function takes {given} and returns no new value of one that it reads"
        raise CellError(f"{message}; call the previous state h_prev and return the new one", *at)
    news = [state.new for state in states]
    inputs = _inputs(follower, [one for one in arguments if one not in [s.old for s in states]], live, states, method)
    if not inputs:
        names = ", ".join(one.name for one in arguments)
        raise CellError(f"none of {names} looks like the input; call it x", *at)
    known = [follower.defined[new.id].expr for new in news if isinstance(new, Name) and new.id in follower.defined]
    besides = [value for value in values if value not in news and value.id in follower.defined]
    others = tuple(dict.fromkeys(value for value in besides if follower.defined[value.id].expr not in known))
    return Roles(_changing(states), inputs, others)


def _flat(value: Any) -> list[Name]:
    """The quantities in what is returned, in their order."""
    if isinstance(value, dict):
        return [one for item in value.values() for one in _flat(item)]
    if isinstance(value, (list, tuple)):
        return [one for item in value for one in _flat(item)]
    return [value] if isinstance(value, Name) else []


def _groups(value: Any) -> list[list[Any]]:
    """The tuples in what is returned, the inner ones first."""
    if not isinstance(value, (list, tuple)):
        return []
    return [group for item in value for group in _groups(item)] + [list(value)]


def _by_place(follower: Follower, arguments: Sequence[Given], returned: Any) -> list[State]:
    """A tuple that is taken apart and returned: its elements are states, by their places."""
    for one in arguments:
        keys = [key for key in one.parts if isinstance(key, int)]
        if not keys or (PARAMETERS.fullmatch(one.name) and not STATES.fullmatch(one.name)):
            continue
        count = max(keys) + 1
        for group in _groups(returned):
            if len(group) == count and all(isinstance(item, Name) for item in group):
                parts = [(follower.given[one.parts[key]], group[key]) for key in sorted(keys)]
                return [State(old, new) for old, new in parts]
    return []


def _by_name(follower: Follower, arguments: Sequence[Given], returned: Any, values: Sequence[Name]) -> list[State]:
    """Arguments whose new values are returned under their names; what is left over is paired by its place."""
    leaves = [leaf for one in arguments for leaf in _leaves(follower, one)]
    wanted = [one for one in leaves if any(STATES.fullmatch(name) for name in one.names())]
    found: dict[int, State] = {}
    used: set[str] = set()
    for one in leaves:
        own = {base(name) for name in one.names()}
        for value in values:
            said = {base(name) for name in names_of(follower, value)}
            strange = one not in wanted and not (said & own and not INPUTS.fullmatch(one.name))
            if said & own and value.id not in used and id(one) not in found and value.id != one.id and not strange:
                found[id(one)] = State(one, value)
                used.add(value.id)
    rest = [one for one in wanted if id(one) not in found]
    open_ = list(dict.fromkeys(value for value in values if value.id not in used and value.id not in follower.given))
    if len(rest) == 1 and len(open_) > 1:
        inner = [group[0] for group in _groups(returned) if len(group) == 1]
        open_ = [value for value in open_ if value in inner] or open_
    if rest and len(rest) == len(open_):
        for one, value in zip(rest, open_, strict=True):
            _agree(follower, one, value)
        found |= {id(one): State(one, value) for one, value in zip(rest, open_, strict=True)}
    elif rest and open_ and not found:
        names = ", ".join(one.name for one in rest)
        raise CellError(
            f"it is not clear which of the values returned are the new {names}; give them these names", *rest[0].at
        )
    return [found[id(one)] for one in leaves if id(one) in found]


def _agree(follower: Follower, one: Given, value: Name) -> None:
    """A value with a name of its own kind is no new state: a gate takes h and returns f."""
    old = {base(name) for name in one.names()}
    new = {base(name) for name in names_of(follower, value)}
    if new - ANY and old - GENERIC and not {name[0] for name in new} & {name[0] for name in old}:
        said = ", ".join(sorted(new))
        message = f"it is not clear that {said}, which is returned, is the new value of {one.name}: "
        message += "a step returns its new state"
        raise CellError(f"{message}; call it {base(one.name)}", *follower.defined[value.id].at)


def names_of(follower: Follower, value: Name) -> list[str]:
    if value.id in follower.defined:
        return [name for _, name in follower.defined[value.id].names]
    return list(follower.given[value.id].names())


def _leaves(follower: Follower, one: Given) -> list[Given]:
    if not one.parts:
        return [one]
    return [leaf for part in one.parts.values() for leaf in _leaves(follower, follower.given[part])]


def _within(one: Given, states: Sequence[State], follower: Follower) -> bool:
    return any(state.old in _leaves(follower, one) for state in states)


def _inputs(
    follower: Follower, arguments: Sequence[Given], live: set[str], states: Sequence[State], method: bool
) -> tuple[Given, ...]:
    held = {id(state.old) for state in states}
    leaves = [leaf for one in arguments for leaf in _leaves(follower, one) if leaf.id in live and id(leaf) not in held]
    if method:
        return tuple(leaves)
    called = [leaf for leaf in leaves if any(INPUTS.fullmatch(name) for name in leaf.names())]
    if not called:
        called = [leaf for leaf in leaves if not any(PARAMETERS.fullmatch(name) for name in leaf.names())][:1]
    return tuple(called)


def _reached(follower: Follower, values: Iterable[Expr]) -> set[str]:
    """The names from which values are computed."""
    from derivations.source.values import name_ids

    seen: set[str] = set()
    waiting = list(values)
    while waiting:
        for id_ in name_ids(waiting.pop()):
            if id_ not in seen:
                seen.add(id_)
                if id_ in follower.defined:
                    waiting.append(follower.defined[id_].expr)
    return seen
