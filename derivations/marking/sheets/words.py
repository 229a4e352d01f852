"""What the words around the formulas of a sheet say: that errors are cut on purpose, that the sequence goes on."""

import re
from dataclasses import replace

from derivations.marking.sheet import Sheet
from derivations.marking.sheets.remarks import PROSE

_TRUNCATED = re.compile(
    r"truncat|deliberately cut|held constant|treated as (?:a )?constant|\.detach\(|stop.?gradient|no error flows",
    re.IGNORECASE,
)
_ALL_STEPS = re.compile(r"(?:total|over)[^.\n]{0,40}\ball (?:time ?)?steps", re.IGNORECASE)
_LATER = re.compile(
    r"\bd[hc]_?next\b|[_^]?\{?t\s*\+\s*1|over the (?:whole |full )?sequence"
    r"|(?:sequence|recurrence) (?:goes on|continues)|step after|following step|inner step"
)
_ALONE = re.compile(
    r"\b(?:no|not|nothing|without|ignor\w*|drop\w*|only|single|alone|truncat\w*|cut|zero|deliberate\w*|purpose"
    r"|one step)\b|= *0\b|last (?:time )?step",
    re.IGNORECASE,
)
_DIRECT = re.compile(  # the last state of the cell has a gradient of its own
    r"final (?:\w+ )?(?:states?'?s? )?gradients?\b[^.\n]*c|reads \$?c\S* directly|both final states"
)


def with_words(sheet: Sheet, text: str) -> Sheet:
    """The sheet with what the words of its text say."""
    return replace(
        sheet,
        truncated=bool(_TRUNCATED.search(text)),
        all_steps=bool(_ALL_STEPS.search(text)),
        later=sheet.notation != "python" and _speaks_of_later(sheet, text),
    )


def _speaks_of_later(sheet: Sheet, text: str) -> bool:
    """Whether a sentence beside the formulas says that the sequence goes on, and none that it does not."""
    formulas = {line.number for line in sheet.lines if line.rhs is not None}
    prose = [
        written
        for k, written in enumerate(text.split("\n"), 1)
        if k not in formulas or "%" in written or PROSE.search(written)
    ]
    said = [written for written in prose if _LATER.search(written)]
    if any(_DIRECT.search(written) for written in prose):
        return True
    return bool(said) and not any(_ALONE.search(written) for written in said)
