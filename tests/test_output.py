"""A file is written whole or not at all, and never over one that is not ours."""

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from derivations.output import SIGNATURE, OutputError, ours, write

OLD = f"# {SIGNATURE}\nold\n".encode()
NEW = f"# {SIGNATURE}\n".encode() + b"new\n" * 100_000
ROOT = Path(__file__).parents[1]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- what is written ----------------------------------------------------------------------------------------------


def test_a_new_file_has_the_data_and_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write(tmp_path / "new.txt", NEW)
    assert (tmp_path / "new.txt").read_bytes() == NEW
    assert (tmp_path / "new.txt").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert left(tmp_path) == ["new.txt", "usual"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_of_ours_is_replaced_and_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "ours.txt"
    path.write_bytes(OLD)
    path.chmod(mode)
    write(path, NEW)
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert left(tmp_path) == ["ours.txt"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n \n",
        f"% {SIGNATURE} 1.0\n\\documentclass".encode(),
        f"<!doctype html>\n<!-- {SIGNATURE} -->\n<p>".encode(),
        f"text\n\n{SIGNATURE} 1.0\n".encode(),
        b'{"schema": "derivations/show/1",\n "cell": "lstm"}',
    ],
)
def test_what_carries_our_mark_is_ours(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert ours(path)
    write(path, NEW)
    assert path.read_bytes() == NEW


@pytest.mark.parametrize(
    "data",
    [
        b"a thesis\n",
        b"\x89PNG\r\n",
        b'{"schema": "other/1"}',
        b"one\ntwo\nthe mark of that tool is: " + SIGNATURE.encode() + b"\nfour\n",  # it is quoted
    ],
)
def test_a_file_that_is_not_ours_is_kept_unless_forced(tmp_path, data):
    path = tmp_path / "file.txt"
    path.write_bytes(data)
    with pytest.raises(OutputError) as refused:
        write(path, NEW)
    assert str(refused.value) == f"{path} exists and was not written by this tool; give another name, or --force"
    assert path.read_bytes() == data
    write(path, NEW, force=True)
    assert path.read_bytes() == NEW
    assert left(tmp_path) == ["file.txt"]


# --- where it cannot be written -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out\0.py", "'{}/out\\x00.py' is not a file name"),
        ("", "{} is a folder; give a file name"),
        ("folder", "{}/folder is a folder; give a file name"),
        ("missing/file.txt", "cannot write {}/missing/file.txt: No such file or directory; make the folder first"),
        ("file/inside.txt", "cannot write {}/file/inside.txt: Not a directory"),
        ("x" * 300, "cannot write {}/" + "x" * 300 + ": File name too long; choose a shorter name"),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_where_a_file_cannot_be_is_said(tmp_path, name, message, force):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"kept")
    with pytest.raises(OutputError) as refused:
        write(tmp_path / name, NEW, force=force)
    assert str(refused.value) == message.format(tmp_path)
    assert left(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_bytes() == b"kept"


@pytest.mark.parametrize("force", [False, True])
def test_a_device_is_not_replaced_by_a_file(tmp_path, force):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="is not a file; leave -o out and redirect the output"):
        write(pipe, NEW, force=force)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("old", [None, b"a thesis", OLD])
def test_a_link_is_neither_replaced_nor_followed(tmp_path, force, old):
    if old is not None:
        (tmp_path / "file").write_bytes(old)
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(OutputError) as refused:
        write(tmp_path / "link", NEW, force=force)
    assert str(refused.value) == f"{tmp_path}/link is a link to file; give the name of the file itself"
    assert (tmp_path / "link").is_symlink()
    assert left(tmp_path) == (["link"] if old is None else ["file", "link"])
    assert old is None or (tmp_path / "file").read_bytes() == old


@pytest.mark.parametrize("force", [False, True])
def test_a_file_that_is_read_only_is_kept(tmp_path, force):
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    path.chmod(0o444)
    with pytest.raises(OutputError) as refused:
        write(path, NEW, force=force)
    assert str(refused.value) == f"{path} is read-only; make it writable, or give another name"
    assert path.read_bytes() == OLD
    assert left(tmp_path) == ["file.txt"]


def test_a_folder_that_is_read_only_is_said(tmp_path, monkeypatch):
    """Root may write everywhere, so the refusal is the system's, played: the same error from the same call."""
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)

    def refused(*args: object, **options: object) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    with pytest.raises(OutputError) as said:
        write(path, NEW)
    assert str(said.value) == f"cannot write {path}: Permission denied; choose a folder that you may write to"
    assert path.read_bytes() == OLD


# --- killed in the middle -----------------------------------------------------------------------------------------

# Stops itself for good at one of the calls to the system that writing makes, before or after it; `halves` writes half
# of the data first. What stands at STOP is `before CALL`, `after CALL`, `halves`, `in place`, or `any time`.
WRITER = """
import os, sys, tempfile, time
from pathlib import Path
import derivations.output as output

stop, path, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
data = f"# {output.SIGNATURE}\\n".encode() + b"new\\n" * size

def here():
    print("here", flush=True)
    time.sleep(60)

class Half:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *error): self.file.close()
    def write(self, data):
        self.file.write(data[:len(data) // 2])
        self.file.flush()
        here()

when, _, call = stop.partition(" ")
if when in ("before", "after"):
    module = tempfile if call == "mkstemp" else output if call == "_lock" else os
    real = getattr(module, call)
    def stopped(*args, **options):
        if when == "before":
            here()
        result = real(*args, **options)
        here()
        return result
    setattr(module, call, stopped)
if stop == "halves":
    fdopen = os.fdopen
    os.fdopen = lambda handle, mode: Half(fdopen(handle, mode))
if stop == "any time":
    print("here", flush=True)
while True:
    if stop == "in place":
        with Half(path.open("wb")) as file: file.write(data)
    output.write(path, data)
"""
CALLS = ("mkstemp", "_lock", "fdopen", "fsync", "chmod", "replace")
STOPS = [("halves", OLD), *((f"{when} {call}", OLD) for call in CALLS for when in ("before", "after"))][:-1]
STOPS.append(("after replace", NEW))


def start(stop: str, path: Path, size: int = 100_000) -> subprocess.Popen[str]:
    """A process that writes NEW to `path`, and stands still where it is told to."""
    run = [sys.executable, "-c", WRITER, stop, str(path), str(size)]
    writer = subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    assert writer.stdout.readline() == "here\n"
    return writer


def kill(writer: "subprocess.Popen[str]") -> None:
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    assert writer.stdout
    writer.stdout.close()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Path, "subprocess.Popen[str]"]]]:
    """A writer at each of the stops, each with a folder of its own; they start side by side."""
    found = {}
    for stop, _ in STOPS:
        path = tmp_path_factory.mktemp("killed") / "file.txt"
        path.write_bytes(OLD)
        run = [sys.executable, "-c", WRITER, stop, str(path), "100000"]
        found[stop] = path, subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield found
    for _, writer in found.values():
        writer.kill()
        writer.wait()


@pytest.mark.parametrize(("stop", "data"), STOPS)
def test_a_kill_leaves_the_old_file_or_the_new_one_and_what_else_it_leaves_is_removed(stopped, stop, data):
    path, writer = stopped[stop]
    assert writer.stdout.readline() == "here\n"
    kill(writer)
    assert path.read_bytes() == data
    hidden = [name for name in left(path.parent) if name != "file.txt"]
    assert all(name.startswith(".file.txt.") and name.endswith(".part") for name in hidden)
    assert len(hidden) == (stop not in ("before mkstemp", "after replace"))
    write(path, b"")  # whoever writes there next
    assert left(path.parent) == ["file.txt"]


def test_a_file_that_is_being_written_is_not_taken_for_an_abandoned_one(tmp_path):
    path = tmp_path / "file.txt"
    writer = start("halves", path)
    write(path, OLD)
    assert path.read_bytes() == OLD
    assert len(left(tmp_path)) == 2
    kill(writer)
    write(path, NEW)
    assert left(tmp_path) == ["file.txt"]


def test_files_that_only_look_abandoned_are_kept(tmp_path):
    (tmp_path / ".file.txt.folder.part").mkdir()
    (tmp_path / ".file.txt.link.part").symlink_to("elsewhere")
    (tmp_path / ".other.txt.abc.part").touch()
    (tmp_path / "file.txt.part").touch()
    before = left(tmp_path)
    write(tmp_path / "file.txt", NEW)
    assert left(tmp_path) == sorted([*before, "file.txt"])


def test_many_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "file.txt"
    sizes = (5_000, 10_000, 20_000)
    writers = [start("any time", path, size) for size in sizes]
    whole = {f"# {SIGNATURE}\n".encode() + b"new\n" * size for size in sizes}
    while not path.exists():
        pass
    seen = {path.read_bytes() for _ in range(300)}
    for writer in writers:
        kill(writer)
    assert seen <= whole
    write(path, OLD)
    assert left(tmp_path) == ["file.txt"]


def test_that_a_file_written_in_place_would_be_seen(tmp_path):
    """The same kill, of a program that opens the file itself: what is left is neither the old file nor the new."""
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    kill(start("in place", path, 1000))
    assert path.read_bytes() not in (OLD, f"# {SIGNATURE}\n".encode() + b"new\n" * 1000)


# --- no room ------------------------------------------------------------------------------------------------------

NO_ROOM = """
import resource, signal, sys
from derivations.__main__ import app
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
app(["show", "lstm", "--no-prove", "-o", sys.argv[1]])
"""


def test_a_disk_without_room_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    run = [sys.executable, "-c", NO_ROOM, str(path)]
    said = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr == f"error: cannot write {path}: File too large; make room, or choose another folder\n"
    assert path.read_bytes() == OLD
    assert left(tmp_path) == ["file.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said(tmp_path, monkeypatch):
    """The data goes to the device that has no room, by the calls of a real write."""
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    full = Path("/dev/full")
    monkeypatch.setattr(os, "fdopen", lambda handle, mode: (os.close(handle), full.open(mode))[1])
    with pytest.raises(OutputError) as said:
        write(path, NEW)
    assert str(said.value) == f"cannot write {path}: No space left on device; make room, or choose another folder"
    assert path.read_bytes() == OLD
    assert left(tmp_path) == ["file.txt"]
