"""Files written whole or not at all, and never over a file that this tool did not make."""

import errno
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, flock

SIGNATURE = "Written by derivations"
_MARKS = (SIGNATURE.encode(), b'"schema": "derivations/')
PART = ".part"  # of the name of a file that is being written
_REMEDIES = {
    errno.ENOENT: "make the folder first",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOSPC: "make room, or choose another folder",
    errno.EDQUOT: "make room, or choose another folder",
    errno.EFBIG: "make room, or choose another folder",
    errno.ENAMETOOLONG: "choose a shorter name",
}


class OutputError(OSError):
    """Why a file was not written, and how to mend it."""


def write(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write `data` to `path` through a file beside it, so that a reader sees the old file or the new one.

    Whoever is killed in the middle leaves a hidden file beside, which the next one who writes here removes.

    Raises:
        OutputError: the folder is missing or not writable, `path` is no plain file that may be written, or it is one
            that we did not write and `force` is not given. Nothing is changed then.
    """
    if "\0" in str(path):
        raise OutputError(f"{str(path)!a} is not a file name")
    try:
        _may_be_written(path, force)
        _remove_abandoned(path)
        handle, held, beside = _begun(path)
    except OutputError:
        raise
    except OSError as error:
        raise _failed(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, _mode(path))
        os.replace(beside, path)
    except OSError as error:
        raise _failed(path, error) from None
    finally:
        Path(beside).unlink(missing_ok=True)
        if held is not None:
            os.close(held)


def _may_be_written(path: Path, force: bool) -> None:
    """Raises an OutputError where something stands that a new file must not take the place of."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give a file name")
    if path.exists() and not path.is_file():  # /dev/null, say: a file must not take its place
        raise OutputError(f"{path} is not a file; leave -o out and redirect the output")
    if path.is_symlink():  # neither it nor what it leads to is replaced unasked
        raise OutputError(f"{path} is a link to {os.readlink(path)}; give the name of the file itself")
    if not path.exists():
        return
    if not force and not ours(path):
        raise OutputError(f"{path} exists and was not written by this tool; give another name, or --force")
    if not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK):
        raise OutputError(f"{path} is read-only; make it writable, or give another name")


def _failed(path: Path, error: OSError) -> OutputError:
    remedy = _REMEDIES.get(error.errno or 0)
    return OutputError(f"cannot write {path}: {error.strerror}" + (f"; {remedy}" if remedy else ""))


# --- the file beside ----------------------------------------------------------------------------------------------


def _begun(path: Path) -> tuple[int, int | None, str]:
    """A new file beside `path`: open to be written, and held until it has its name or its writer ends."""
    while True:
        handle, beside = tempfile.mkstemp(prefix=_prefix(path), suffix=PART, dir=path.parent)
        with suppress(OSError):  # somebody else looks at it, or files cannot be locked here
            _lock(handle)
        if os.path.exists(beside):  # nobody took it for an abandoned one before it was locked
            # Windows does not rename what is open; it does not remove it either, so nothing need be held there.
            return handle, None if sys.platform == "win32" else os.dup(handle), beside
        os.close(handle)


def _remove_abandoned(path: Path) -> None:
    """Remove what writers of `path` left who were killed: files that nobody holds a lock on."""
    prefix = _prefix(path)
    for entry in os.scandir(path.parent):
        if not (entry.name.startswith(prefix) and entry.name.endswith(PART)):
            continue
        with suppress(OSError):  # it is being written, or not ours to remove
            if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                continue
            handle = os.open(entry.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                _lock(handle)
                os.unlink(entry.path)
            finally:
                os.close(handle)


def _lock(handle: int) -> None:
    """Hold a file until it is closed; BlockingIOError where somebody else does."""
    if sys.platform != "win32":
        flock(handle, LOCK_EX | LOCK_NB)


def _prefix(path: Path) -> str:
    return f".{path.name[:40]}."


# --- whose file it is ---------------------------------------------------------------------------------------------


def ours(path: Path) -> bool:
    """Whether an existing file carries our mark."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror}") from None
    if not data.strip():
        return True
    if path.suffix.lower() in (".png", ".svg", ".pdf"):  # a picture holds it among its properties
        return SIGNATURE.encode() in data
    if data.startswith(b"PK"):  # a zip archive, as .npz, holds it as its comment, behind the end record
        end = data[-200:].rpartition(b"PK\5\6")[2]
        return end[18:].startswith(SIGNATURE.encode())
    lines = data.strip().splitlines()
    return any(mark in line for line in (*lines[:2], lines[-1]) for mark in _MARKS)


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, or those that a new file would get."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
