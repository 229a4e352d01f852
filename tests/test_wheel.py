"""The wheel holds the two packages, whole, and nothing else.

`backends` is a crowded name in the world: one more root, and we would shadow someone else's.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"derivations", "backends"}


def build(project: Path, into: Path) -> list[str]:
    """The names of the files in the wheel of `project`, its metadata left out."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    run = [*pip, "--wheel-dir", str(into), str(project)]
    answer = subprocess.run(run, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    (wheel,) = into.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    return [name for name in names if ".dist-info/" not in name]


def roots(names: list[str]) -> set[str]:
    return {name.split("/")[0] for name in names}


def expected() -> set[str]:
    """What the two packages hold in the checkout: sources and data, caches left out."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    relative = {path.relative_to(ROOT).as_posix() for path in found}
    return {name for name in relative if "__pycache__" not in name and "/." not in name}


@pytest.fixture(scope="module")
def wheel(needs, tmp_path_factory) -> list[str]:
    needs("hatchling")
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_exactly_the_two_roots(wheel):
    assert roots(wheel) == PACKAGES


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    assert set(wheel) == expected()


@pytest.mark.parametrize("suffix", [".py", ".cell", ".toml", ".lark"])
def test_the_wheel_holds_data(wheel, suffix):
    assert any(name.startswith("derivations/") and name.endswith(suffix) for name in wheel)


def test_another_root_is_seen(needs, tmp_path):
    needs("hatchling")
    for name in "pyproject.toml", "LICENSE", "README.md":
        shutil.copy(ROOT / name, tmp_path / name)
    project = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    more = project.replace('packages = ["derivations", "backends"]', 'packages = ["derivations", "tests"]')
    assert more != project
    (tmp_path / "pyproject.toml").write_text(more, encoding="utf-8")
    for package in "derivations", "tests":
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    shutil.copy(ROOT / "derivations" / "version.py", tmp_path / "derivations")
    assert roots(build(tmp_path, tmp_path / "wheel")) == {"derivations", "tests"}
