"""Files written whole or not at all, and never over a file that this tool did not make."""

import os
import tempfile
from pathlib import Path

SIGNATURE = "Written by derivations"
_MARKS = (SIGNATURE.encode(), b'"schema": "derivations/')


class OutputError(OSError):
    """Why a file was not written, and how to mend it."""


def write(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write `data` to `path` through a file beside it, so that a reader sees the old file or the new one.

    Raises:
        OutputError: the folder is missing or not writable, or `path` is a file that we did not write and
            `force` is not given. Nothing is changed then.
    """
    if "\0" in str(path):
        raise OutputError(f"{str(path)!a} is not a file name")
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder; give a file name")
        if path.exists() and not path.is_file():  # /dev/null, say: a file must not take its place
            raise OutputError(f"{path} is not a file; leave -o out and redirect the output")
        if path.exists() and not force and not ours(path):
            raise OutputError(f"{path} exists and was not written by this tool; give another name, or --force")
        handle, beside = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, _mode(path))
        os.replace(beside, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    finally:
        Path(beside).unlink(missing_ok=True)


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
    lines = data.strip().splitlines()
    return any(mark in line for line in (*lines[:2], lines[-1]) for mark in _MARKS)


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, or those that a new file would get."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
