"""What libraries and the language itself bring: functions, layers, `zip`, `isinstance`, `jax.lax.scan`."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from derivations.expression import Name, Num
from derivations.python_functions import BUILT_IN, SHAPES_ONLY, WITHOUT_MEANING, library
from derivations.python_operators import Unreadable, added, place, quantity
from derivations.pythonic import LIBRARIES
from derivations.source.layers import FUNCTIONS, is_layer
from derivations.source.loops import Walked
from derivations.source.values import (
    Closure,
    Extent,
    Frame,
    Layer,
    Library,
    Partial,
    Refused,
    Split,
    WalkFound,
    last_part,
)

if TYPE_CHECKING:
    from derivations.source.follow import Follower

LONGEST_RANGE = 64
FORBIDDEN = {
    "open", "eval", "exec", "compile", "__import__", "input", "globals", "locals", "vars", "setattr", "delattr",
    "breakpoint", "exit", "quit",
}  # fmt: skip
OUTSIDE = {
    "os", "sys", "subprocess", "shutil", "pickle", "socket", "requests", "importlib", "builtins", "pathlib", "urllib",
    "ctypes", "io", "tempfile", "threading", "multiprocessing", "marshal", "shelve", "runpy", "code", "http",
}  # fmt: skip
BUILTINS = {"len", "range", "enumerate", "zip", "list", "tuple", "dict", "float", "int", "isinstance", "hasattr",
            "print", "sum", "reversed", "getattr", "super", "bool", "str", "callable", "sorted", *BUILT_IN}  # fmt: skip
WRAPPERS = ("jit", "checkpoint", "remat", "filter_jit", "vmap", "filter_vmap", "compile", "script", "named_call")
DROPOUT = ("dropout", "alpha_dropout", "feature_dropout")
PIECES = ("split", "chunk", "array_split", "tensor_split", "unbind", "unstack", "hsplit")


class Libraries:
    """Reads what is called for one `Follower`, where libraries or the language define it."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.globals = _assigned(follower.file.tree)

    def library_value(self, full: str) -> Any:
        if full in ("math.pi", "numpy.pi", "jax.numpy.pi", "math.e", "torch.pi"):
            raise Unreadable(f"{full} is no fraction; give it a name, as a parameter")
        if full.endswith((".newaxis",)):
            return None
        return Library(full)

    def library_call(self, callee: Library, args: list[Any], keywords: dict[str, Any], node: ast.Call) -> Any:

        name, root = callee.last, callee.root
        if root == "builtins":
            return self.builtin(name, args, keywords, node)
        if root in OUTSIDE:
            raise Refused(f"{callee.name[:40]}(...) reaches out of the code; nothing is run here: write the step alone")
        if name == "partial" and args:
            return Partial(args[0], tuple(args[1:]), keywords)
        if name == "cast" and root == "typing" and len(args) == 2:
            return self.follower.used(args[1])
        if name == "promote_dtype":
            return args
        if name == "get" and callee.name.endswith("activations.get") and args:
            return Library(f"keras.activations.{args[0]}") if isinstance(args[0], str) else args[0]
        if name in WRAPPERS and args and isinstance(args[0], (Closure, Partial, Library)):
            return args[0]
        if is_layer(callee):
            said = keywords.get("name")
            return Layer(callee, tuple(args), keywords, said if isinstance(said, str) else "")
        if name in FUNCTIONS and root in LIBRARIES:
            return Library(f"{root}.{FUNCTIONS[name]}")
        if name == "scan" and root == "jax" and len(args) >= 3:
            self.scan(args, node)
        if name in PIECES:
            return self.follower.pieces.pieces(root, name, [self.follower.used(arg) for arg in args], keywords)
        if name in DROPOUT and args:
            self.follower.notes["Dropout is left out, as when the cell is not trained"] = None
            return self.follower.used(args[0])
        if root not in LIBRARIES:
            raise Unreadable(
                f"{name[:40]} comes from {root[:40]}, another file or library, which is not read; write it in this file"
            )
        clean = {key: self.follower.used(value) for key, value in keywords.items() if key not in WITHOUT_MEANING}
        if name == "hard_sigmoid" and root == "tensorflow":
            raise Unreadable("TensorFlow's hard sigmoid has other corners; write clip(0.2 * x + 0.5, 0, 1)")
        if name in SHAPES_ONLY and args:
            first = [self.follower.used(args[0]), *args[1:]]
        else:
            first = [self.follower.used(value) for value in args]
        first = [value.name if isinstance(value, Library) else value for value in first]
        if (
            name in ("array", "tensor", "asarray", "as_tensor")
            and first
            and isinstance(first[0], list)
            and len(first[0]) == 1
        ):
            first[0] = first[0][0]
        return library(name, first, clean)

    def builtin(self, name: str, args: list[Any], keywords: dict[str, Any], node: ast.Call) -> Any:
        used = [self.follower.used(arg) for arg in args]
        if name in ("float", "int", "list", "tuple", "sorted") and len(used) == 1:
            if isinstance(used[0], Split):
                raise Unreadable("it is not known how many pieces there are")
            return list(used[0]) if isinstance(used[0], (list, tuple, dict)) else used[0]
        if name == "dict":
            pairs = used[0] if used else []
            if isinstance(pairs, dict):
                return {**pairs, **keywords}
            if isinstance(pairs, list) and all(
                isinstance(p, (list, tuple)) and len(p) == 2 and isinstance(p[0], str) for p in pairs
            ):
                return {**{p[0]: p[1] for p in pairs}, **keywords}
        if name == "zip" and used:
            shortest = [list(one) for one in used if isinstance(one, (list, tuple, dict))]
            if len(shortest) == len(used):
                return [list(row) for row in zip(*shortest, strict=False)]
        if name == "len" and used:
            if isinstance(used[0], (list, tuple, dict, str)):
                return Num(Fraction(len(used[0])))
            return Extent(quantity(used[0]))
        if name == "range" and used and all(isinstance(one, Num) for one in used):
            ends = [int(one.value) for one in used]
            if len(range(*ends)) <= LONGEST_RANGE and (len(ends) < 3 or ends[2]):
                return [Num(Fraction(k)) for k in range(*ends)]
        if name == "enumerate" and used and isinstance(used[0], (list, tuple)):
            return [[Num(Fraction(k)), one] for k, one in enumerate(used[0])]
        if name == "reversed" and used and isinstance(used[0], (list, tuple)):
            return list(used[0])[::-1]
        if name == "sum" and used and isinstance(used[0], (list, tuple)) and used[0]:
            result = quantity(used[0][0])
            for one in used[0][1:]:
                result = added(result, quantity(one))
            return result
        if name == "getattr" and len(used) >= 2 and isinstance(used[1], str):
            return self.follower.expressions.attribute_of(used[0], used[1], node)
        if name == "print":
            return None
        if name in ("isinstance", "hasattr", "callable", "bool"):
            return self.test(node, self.follower.module)
        if name in ("min", "max") and len(used) > 1 and all(isinstance(one, Num) for one in used):
            return (min if name == "min" else max)(used, key=lambda one: one.value)
        if name in BUILT_IN:
            return library(BUILT_IN[name], used, keywords)
        raise Unreadable(f"{name}(...) is not read here; write what it computes")

    def scan(self, args: list[Any], node: ast.Call) -> None:
        """`jax.lax.scan(f, init, xs)`: f is the step."""
        before = self.follower.give("carry", "carried", place(node))
        step = self.follower.give("x", "step", place(node))
        result = self.follower.calls.apply(args[0], [before, step], {}, node)
        if not isinstance(result, (list, tuple)) or len(result) != 2:
            raise Unreadable("the function of scan returns the new carry and an output")
        self.follower.walked = Walked((("carry", before, result[0]),), place(node))
        raise WalkFound("the function of scan is the step")

    def test(self, node: ast.Call, frame: Frame) -> bool | None:
        """What a test by a function says: `isinstance(states, (list, tuple))`."""
        name = last_part(node.func)
        if name in ("isinstance", "is_nested") and node.args:
            value = self.follower.operand(node.args[0], frame)
            kinds = ast.unparse(node.args[1]) if len(node.args) > 1 else "list tuple"
            many = "list" in kinds or "tuple" in kinds.lower()
            if isinstance(value, (list, tuple)):
                return many
            if isinstance(value, Name) and value.id in self.follower.given and many:
                given = self.follower.given[value.id]
                return bool(given.parts) or (given.name in ("states", "carry", "hx") and not given.aliases)
            return None
        if name == "callable":
            return (
                isinstance(self.follower.operand(node.args[0], frame), (Closure, Library, Layer)) if node.args else None
            )
        value = self.follower.operand(node, frame) if name not in ("hasattr", "bool") else None
        return value if isinstance(value, bool) else None

    def constant_global(self, name: str) -> Num | Closure | None:
        """A number or a function that the file gives a name, once: `EPS = 1e-5`, `sig = lambda z: ...`."""
        values = self.globals.get(name, [])
        if len(values) == 1 and isinstance(values[0], ast.Lambda):
            return Closure(values[0], self.follower.module)
        if len(values) == 1 and isinstance(values[0], (ast.Constant, ast.UnaryOp)):
            value = self.follower.operand(values[0], self.follower.module)
            if isinstance(value, Num):
                self.follower.notes[f"The global {name} is the number {ast.unparse(values[0])}"] = None
                return value
        return None


def _assigned(tree: ast.Module) -> dict[str, list[ast.expr | None]]:
    """What the top of a file assigns to each name; None where it is no plain assignment."""
    found: dict[str, list[ast.expr | None]] = {}
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, []).append(None)
        waiting.extend(ast.iter_child_nodes(node))
    return found
