"""Time that a test allows: of the best of three goes, since a first one pays for others too.

What is loaded on first use, a collection of the garbage that earlier tests left, a neighbour on the machine: each is
paid once, while what is slow by itself is slow three times. Only this thread's time counts: libraries keep their own.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
GOES = 3


def in_time(seconds: float, act: Callable[[], T]) -> T:
    """What `act` gives, or raises, when one of three goes took at most `seconds` of processor time."""
    took = []
    for _ in range(GOES):
        began = time.thread_time()
        try:
            result: T | Exception = act()
        except Exception as error:
            result = error
        took.append(time.thread_time() - began)
        if took[-1] <= seconds:
            try:
                if isinstance(result, Exception):
                    raise result
                return result
            finally:
                del result  # its traceback holds this frame, which would hold it until garbage is collected
    raise AssertionError(f"it took {min(took):.2f} s at least, where {seconds} are allowed")
