r"""Letters that stand for any gate: `\sum_{k \in \{f, i\}} W_{hk} \delta_k`, or `\delta W_k = \delta_k x^T`."""

import re

_GATES = re.compile(r"\\sum\s*(?:\\limits\s*)?_\s*\{\s*(?P<letter>[a-z])\s*\\in\s*\\?\{?(?P<over>[^{}]*?)\\?\}?\s*\}")
_SAID = re.compile(
    r"(?<![A-Za-z\\_^{])(?P<letter>[a-z]|\\star|\\ast)\s*(?:\\in\s*(?:\\left)?\s*\\\{|=|\$?\s*(?:is|being)\s+one\s+of\s*\$?)\s*"
    r"(?P<over>(?:\\?[a-z]+(?:\s*c)?\s*,\s*(?:\\[,; ]\s*)?)+\\?[a-z]+)\s*(?=\\[}r]|\$|\\\)|[.;:)]|$)",
    re.MULTILINE,
)
_DELTAS = re.compile(
    r"\s*\\(?:delta|epsilon|varepsilon)\s*[_^][^=]*=\s*\\(?:[dt]?frac|partial)[^=]*\\partial\s*\{?\s*\\?(?:a|z|s|u|p|net|hat)(?![A-Za-z])"
)
MOST_GATES = 8


def gates_said(text: str) -> dict[str, list[str]]:
    """The letters that stand for any gate on a sheet, with the gates."""
    found = {}
    for match in _SAID.finditer(text):
        gates = [gate for gate in re.split(r"[,\s]+|\\[,; ]", match["over"]) if gate]
        if 1 < len(gates) <= MOST_GATES and match["letter"] not in gates:
            found[match["letter"]] = gates
    return found


def for_each_gate(row: str, said: dict[str, list[str]]) -> list[str]:
    """The rows that a row stands for, one for each gate where it speaks of any."""
    for letter, gates in said.items():
        bound = rf"\\(?:sum|prod)[^A-Za-z=]{{0,4}}{re.escape(letter)}(?![A-Za-z])"
        used = rf"[_^]\s*\{{?\s*(?:[A-Za-z]{{0,2}}[_^,\s]?)?{re.escape(letter)}(?![A-Za-z])"
        if re.search(used, row) and not re.search(bound, row):
            return [_with(row, letter, gate) for gate in gates]
    return [row]


def of_any_gate(row: str, said: dict[str, list[str]]) -> bool:
    r"""Whether a row says of the deltas of all gates what they are anyway, the errors at the preactivations."""
    return len(for_each_gate(row, said)) > 1 and bool(_DELTAS.match(row))


def over_gates(row: str) -> str:
    """The row with sums over gates written out."""
    while match := _GATES.search(row):
        gates = [gate for gate in re.split(r"[,\s]+", match["over"].strip()) if gate]
        if not 1 <= len(gates) <= MOST_GATES:
            break
        end = term_end(row, match.end())
        body = row[match.end() : end]
        terms = " + ".join(_with(body, match["letter"], gate) for gate in gates)
        row = f"{row[: match.start()]}( {terms} ){row[end:]}"
    return row


def term_end(row: str, at: int) -> int:
    """Where the term that starts at a place ends: at a sign outside of brackets, or with the brackets around it."""
    depth = 0
    for k in range(at, len(row)):
        sign = row[k]
        depth += (sign in "({[") - (sign in ")}]")
        ends = depth == 0 and sign in "+-=," and row[at:k].strip() and row[k - 1] != "\\"
        if depth < 0 or ends:
            return k
    return len(row)


def _with(body: str, letter: str, gate: str) -> str:
    """A term with a gate in the place of the letter that is summed over: in an index, or as a name of its own."""

    def index(match: re.Match[str]) -> str:
        inner = match[1]
        if re.fullmatch(rf"[a-zA-Z]?{letter}", inner.strip()):
            return match[0][0] + "{" + inner.replace(letter, f" {gate}" if gate.startswith("\\") else gate) + "}"
        return match[0][0] + "{" + re.sub(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", lambda _: gate, inner) + "}"

    body = re.sub(rf"([_^])\s*{letter}(?![A-Za-z])", lambda m: m[1] + "{" + gate + "}", body)
    body = re.sub(r"[_^]\s*\{([^{}]*)\}", index, body)
    return re.sub(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", lambda _: gate, body)
