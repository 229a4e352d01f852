"""What must not happen while a hostile text is read: a crash, a wait, memory without end, anything run or written."""

import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 0.5  # seconds of processor time for one text
MEMORY = 256 * 2**20  # bytes that one text may take
WHOLE = 2**30  # bytes that a process may take beyond what it has when it starts
LONGEST_MESSAGE = 400
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Of what Python reports, this is harmless; all else (exec, compile, import, subprocess, socket, os.remove ...) is not.
HARMLESS = {"builtins.id", "object.__getattr__", "sys._getframe", "glob.glob", "glob.glob/2", "pathlib.Path.glob"}
LISTING = {"os.scandir", "os.listdir"}


class Finding(Exception):
    """What a text made a reader do."""


class _Slow(BaseException):
    """Raised by the clock into whatever runs."""


class Guard:
    """Runs a reader on texts, and says of each what went wrong.

    Python's audit hooks cannot be taken off: make one guard in a process of its own.

    Attributes:
        rejected, accepted: how many texts were; the reader's complaint is what it raises of `complaints`.
        slowest: seconds of processor time, and the beginning of the text that took them.
    """

    def __init__(
        self,
        complaints: type[Exception] | tuple[type[Exception], ...],
        harmless: Collection[str] = (),
        patience: float = PATIENCE,
    ) -> None:
        """`harmless` are events that this reader may cause, beyond those of every reader."""
        self.complaints, self.patience = complaints, patience
        self.harmless = HARMLESS | set(harmless)
        self.rejected = self.accepted = 0
        self.slowest = (0.0, "")
        self.armed = False
        self._status = os.open("/proc/self/status", os.O_RDONLY)
        self.events: list[str] = []
        signal.signal(signal.SIGVTALRM, _stop)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + WHOLE, used + WHOLE))
        sys.addaudithook(self._hear)

    @property
    def tried(self) -> int:
        return self.accepted + self.rejected

    def peak(self) -> int:
        """The most memory that this process has held so far, in bytes."""
        found = re.search(rb"VmHWM:\s*(\d+) kB", os.pread(self._status, 4096, 0))
        assert found
        return int(found[1]) * 1024

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.armed or event in self.harmless:
            return
        if event in LISTING and _ours(args[0]):
            return
        if event == "open" and args[0] == "":  # no file has this name
            return
        if (
            event == "open"
            and not args[2] & WRITING
            and (_ours(args[0]) or str(args[0]).endswith((".cell", ".toml", ".py", ".ipynb")))
        ):
            return
        self.events.append(f"{event} {args!a:.200}")

    def __call__(self, fuzz: Callable[[str], None], text: str) -> bool:
        """Whether the text was accepted.

        Raises:
            Finding: what went wrong. A text that takes too long is tried twice: the machine may have been busy.
        """
        try:
            return self._once(fuzz, text)
        except _Slow:
            try:
                return self._once(fuzz, text)
            except _Slow:
                raise Finding(f"takes more than {self.patience} s") from None

    def _once(self, fuzz: Callable[[str], None], text: str) -> bool:
        before = self.peak()
        began = time.process_time()
        self.events.clear()
        complaint: BaseException | None = None
        signal.setitimer(signal.ITIMER_VIRTUAL, self.patience)
        self.armed = True
        try:
            fuzz(text)
        except Exception as error:
            complaint = error
        finally:
            self.armed = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        took = time.process_time() - began
        grown = self.peak() - before
        if took > self.slowest[0]:
            self.slowest = took, text[:60]
        if self.events:
            raise Finding(f"does what no reader may: {self.events[0]}")
        if grown > MEMORY:
            raise Finding(f"takes {grown / 2**20:.0f} MB")
        if complaint is None:
            self.accepted += 1
            return True
        if not isinstance(complaint, self.complaints):
            raise Finding(f"{type(complaint).__name__}: {complaint}") from complaint
        message = str(complaint)
        if not message.strip() or not message.isprintable() or len(message) > LONGEST_MESSAGE:
            raise Finding(f"a message that cannot be shown: {message!a:.300}")
        self.rejected += 1
        return False


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Slow


def _ours(path: Any) -> bool:
    return str(path).startswith(f"{ROOT}/derivations")
