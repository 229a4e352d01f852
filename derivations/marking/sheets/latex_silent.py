r"""What stands with an equals sign in LaTeX and claims nothing: ranges, boundary conditions, and formulas with gaps.

`t = 1, \dots, T`, `k = f, i, g, o`, `\delta_{T+1} = 0`, `g_t = \tanh(\cdot)`.
"""

import re

_LETTER = re.compile(r"(?:\\(?:tau|ell|star|ast)|[a-zT-TNHD](?<![bcfghorvwxy]))(?:\s*,\s*[a-z])?")
_LIST = re.compile(r"(?:[\w\s,+\-{}()']|\\(?:l?dots|cdots|,|;|\s|tilde|hat|mathrm|text|left|right))*")
_GAP = re.compile(r"[(\[{]\s*(?:\\(?:left|right))?\s*(?:\\cdot|\\[lc]?dots|\\bullet)\s*[)\]}]")
_END = re.compile(r"[_^]\s*\{?\s*\(?\s*(?:T\s*\+\s*1|0)\s*\)?\s*\}?")
_ERROR = re.compile(r"\\partial|\\delta|\\nabla|\\bar|\bd")
_PACKED = re.compile(r"\s*\[(?:\s*[WUVRb][_^](?:\{[^{}]*\}|\w)(?:[_^](?:\{[^{}]*\}|\w))?[\s,]*)+\s*\]\s*")  # [W_h  W_x]
_ZERO = re.compile(r"\s*(?:\\(?:mathbf|vec|boldsymbol|bm)\s*)?\{?\s*0\s*\}?\s*")


def says_nothing(parts: list[str]) -> bool:
    """Whether a row, cut at its equals signs, is no claim about any quantity."""
    left, right = parts[0].strip(), parts[1:]
    if not right:
        return False
    if all(_ZERO.fullmatch(part) or _END.search(part) for part in right) and _ZERO.fullmatch(right[-1]):
        return bool(_END.search(left)) and not (_ERROR.search(left) and "T" not in left)
    if re.match(r"\\?(?:mathbf\{)?[WUVR]", left) and all(_PACKED.fullmatch(part) for part in right):
        return True
    if any(_GAP.search(part) for part in right):
        return True
    if _LETTER.fullmatch(left.strip("{} ")) and len(right) == 1:
        inner = right[0].strip()
        listed = "," in inner or "dots" in inner or re.fullmatch(r"T|\d+|T\s*[+-]\s*\d", inner)
        return bool(_LIST.fullmatch(inner) and listed)
    return False
