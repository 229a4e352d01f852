"""A missing package or program is a stated skip at home and a failure in CI."""

import math
import sys

import pytest


def test_what_is_there_is_handed_over(needs, needs_tool):
    assert needs("math") is math
    assert needs_tool("sh").endswith("/sh")


@pytest.mark.parametrize("fixture", ["needs", "needs_tool"])
def test_what_is_missing_skips_at_home_and_fails_in_ci(request, monkeypatch, fixture):
    ask = request.getfixturevalue(fixture)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no_such_thing: "):
        ask("no_such_thing")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"needs no_such_thing: .*CI must have it"):
        ask("no_such_thing")


def test_a_package_that_is_there_but_broken_is_no_skip(needs, monkeypatch, tmp_path):
    (tmp_path / "broken_here.py").write_text("import no_such_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_thing"):
        needs("broken_here")
    assert "broken_here" not in sys.modules
