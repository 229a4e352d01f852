"""In which order the gates are packed, as the forward pass of a program says it, or a comment.

`i, f, g, o = np.split(a, 4)`, `f = sigmoid(a[:, H:2*H])`, `W = np.vstack([Wi, Wf, Wg, Wo])`, `# rows i | f | g | o`.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from derivations.marking.sheets.python_labels import is_error, owner_label

_SPLIT = ("split", "chunk", "hsplit", "vsplit", "array_split", "tensor_split", "unbind")
_JOINED = ("concatenate", "hstack", "vstack", "cat", "concat", "column_stack", "stack")
_TEXTS = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'|#([^\n]*)', re.DOTALL)
_GATE = r"[a-zA-Z](?:_?t|hat|bar|_hat|_bar|_tilde)?"
_KEY = r"\b(?:order(?:ed)?|rows?|blocks?|columns?|packed|stacked|concat\w*|layout|chunks?|split|parts)\b"
_LISTED = re.compile(
    rf"{_KEY}[^.;\n,|/]{{0,40}}?(?<![,|/] )(?<![\w,|/])[\[(]?"
    rf"(?P<row>{_GATE}(?: ?[,|/;] ?{_GATE}){{2,3}})(?![\w(])(?! ?[,|/;] ?{_GATE}\b)"
)
_SPELT = re.compile(rf"{_KEY}\W{{0,12}}(?P<after>[a-z]{{3,4}})\b|\b(?P<before>[a-z]{{3,4}})[ -](?:order|layout)\b")


def packed_order(tree: ast.AST, text: str) -> tuple[str, ...]:
    """The letters of the gates in the order in which they are packed; empty where it is not said, or not clearly."""
    every = (*_in_code(tree), *_in_words(text))
    found = {order for order in every if len(set(order)) == len(order) and len(set(order) & set("ifozrgn")) > 1}
    return found.pop() if len(found) == 1 else ()


def _in_words(text: str) -> Iterator[tuple[str, ...]]:
    for parts in _TEXTS.findall(text):
        said = " ".join(" ".join(parts).split())
        for match in _LISTED.finditer(said):
            yield tuple(_letter(one) for one in re.split(r" ?[,|/;] ?", match["row"]))
        for match in _SPELT.finditer(said):
            word = match["after"] or match["before"]
            if len(set(word)) == len(word) and set(word) <= set("ifgoczrnuh"):
                yield tuple(word)


def _in_code(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    slices: dict[str, dict[int, str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Tuple(parts)], ast.Call(func, _)) if owner_label(func) in _SPLIT:
                yield from _of_names([part.id for part in parts if isinstance(part, ast.Name)])
            case ast.Assign([ast.Tuple(parts)], ast.BinOp() as product) if len(parts) > 2 and _multiplies(product):
                yield from _of_names([part.id for part in parts if isinstance(part, ast.Name)])
            case ast.Assign([target], ast.Call(func, [ast.Tuple(parts) | ast.List(parts), *_])) if owner_label(
                func
            ) in _JOINED and re.match(r"[WUVRwub]", owner_label(target)):
                yield from _of_names([owner_label(part) for part in parts])
        if isinstance(node, ast.Assign):
            targets, values = _sides(node)
            for one, value in zip(targets, values, strict=False):
                cuts = [inner for inner in ast.walk(value) if isinstance(inner, ast.Subscript)]
                if len(cuts) == 1 and isinstance(one, ast.Name) and not is_error(owner_label(cuts[0].value)):
                    at = _block(cuts[0].slice)
                    if at is not None and not is_error(one.id):
                        slices.setdefault(ast.unparse(cuts[0].value), {})[at] = one.id
    for parts_ in slices.values():
        if sorted(parts_) == list(range(len(parts_))):
            yield from _of_names([parts_[k] for k in sorted(parts_)])


def _multiplies(value: ast.expr) -> bool:
    """Whether an expression has a product of matrices in it."""
    return any(isinstance(node, ast.MatMult) for node in ast.walk(value)) or ".dot(" in ast.unparse(value)


def _sides(node: ast.Assign) -> tuple[Sequence[ast.expr], Sequence[ast.expr]]:
    match node.targets[0], node.value:
        case ast.Tuple(targets), ast.Tuple(values):
            return targets, values
    return node.targets[:1], [node.value]


def _of_names(names: list[str]) -> Iterator[tuple[str, ...]]:
    """The gates of names that are alike but for a letter: `a_i, a_f, a_g, a_o`, `it, ft, gt, ot`."""
    if not 3 <= len(names) <= 4 or any(is_error(name) and len(name) > 1 for name in names):
        return
    head = next((k for k, alike in enumerate(zip(*names, strict=False)) if len(set(alike)) > 1), 0)
    letters = [_letter(name[head:]) for name in names]
    if all(len(letter) == 1 for letter in letters):
        yield tuple(letters)


def _letter(name: str) -> str:
    return re.sub(r"(?<=.)(?:_?t|_?hat|_?bar|_tilde|_raw|_pre|_in|_)$", "", name).lower()


def _block(index: ast.expr) -> int | None:
    """Which block of a size a slice is: `[:, H:2*H]` is the second, 1."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    cut = next((part for part in reversed(parts) if isinstance(part, ast.Slice)), None)
    if cut is None or (cut.lower is None and cut.upper is None):
        return None
    match cut.lower:
        case None:
            return 0
        case ast.Name() | ast.Attribute():
            return 1
        case ast.BinOp(ast.Constant(int() as times), ast.Mult(), _):
            return times
        case ast.BinOp(_, ast.Mult(), ast.Constant(int() as times)):
            return times
    return None
