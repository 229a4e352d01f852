"""A file is written whole or not at all, and never over one that is not ours."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

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
        ("missing/file.txt", "cannot write {}/missing/file.txt: No such file or directory"),
        ("file/inside.txt", "cannot write {}/file/inside.txt: Not a directory"),
        ("x" * 300, "cannot write {}/" + "x" * 300 + ": File name too long"),
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


def test_a_link_to_another_file_does_not_give_that_file_away(tmp_path):
    (tmp_path / "thesis").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "thesis")
    with pytest.raises(OutputError, match="was not written by this tool"):
        write(tmp_path / "link", NEW)
    write(tmp_path / "link", NEW, force=True)
    assert (tmp_path / "thesis").read_bytes() == b"kept"  # the link is replaced, not what it leads to
    assert (tmp_path / "link").read_bytes() == NEW


# --- killed in the middle -----------------------------------------------------------------------------------------

WRITER = """
import os, sys, time
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

fdopen, fsync, replace = os.fdopen, os.fsync, os.replace
if stop == "half-written":
    output.os.fdopen = lambda handle, mode: Half(fdopen(handle, mode))
if stop == "written":
    output.os.fsync = lambda handle: (fsync(handle), here())
if stop == "replaced":
    output.os.replace = lambda old, new: (replace(old, new), here())
if stop == "any time":
    print("here", flush=True)
while True:
    output.write(path, data)
"""


def start(stop: str, path: Path, size: int = 100_000) -> subprocess.Popen[str]:
    run = [sys.executable, "-c", WRITER, stop, str(path), str(size)]
    writer = subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    assert writer.stdout.readline() == "here\n"
    return writer


@pytest.mark.parametrize(("stop", "data"), [("half-written", OLD), ("written", OLD), ("replaced", NEW)])
def test_a_kill_in_the_middle_leaves_the_old_file_or_the_new_one(tmp_path, stop, data):
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    writer = start(stop, path)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    assert path.read_bytes() == data
    writer.stdout.close()


def test_a_kill_at_any_time_leaves_a_whole_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    writer = start("any time", path, 10_000)
    whole = f"# {SIGNATURE}\n".encode() + b"new\n" * 10_000
    for _ in range(300):  # while it is written over and over
        assert path.read_bytes() in (OLD, whole)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    assert path.read_bytes() in (OLD, whole)
    writer.stdout.close()


def test_that_a_file_written_in_place_would_be_seen(tmp_path):
    """The same kill, of a program that opens the file itself: what is left is neither the old file nor the new."""
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    in_place = WRITER.replace("output.write(path, data)", "\n    with Half(path.open('wb')) as file: file.write(data)")
    writer = subprocess.Popen(
        [sys.executable, "-c", in_place, "none", str(path), "1000"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "here\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert path.read_bytes() not in (OLD, f"# {SIGNATURE}\n".encode() + b"new\n" * 1000)


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    script = """
import resource, signal, sys
from pathlib import Path
from derivations.output import OutputError, write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write(Path(sys.argv[1]), b"x" * 100_000)
except OutputError as error:
    print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"cannot write {path}: File too large\n"
    assert path.read_bytes() == OLD
    assert left(tmp_path) == ["file.txt"]
