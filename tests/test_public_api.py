"""The names that ``import mondegreen`` offers, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mondegreen


@pytest.mark.parametrize("name", mondegreen.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    assert getattr(mondegreen, name).__doc__


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        mondegreen.nonsense  # noqa: B018


def test_importing_the_package_does_not_load_torch() -> None:
    code = "import sys, mondegreen, mondegreen.cli.main; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
