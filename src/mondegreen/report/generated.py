"""Pages that are generated from result files: written, or checked against them."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import write_text

Pages = Mapping[Path, str]


def write_or_check(render: Callable[[], Pages], check: bool) -> int:
    """Write generated files, or tell which are out of step; return an exit code.

    Args:
        render: Returns the text of every file.
        check: Print how the files differ instead of writing them.

    Returns:
        0 where all is well, 1 where a file is old or missing, 2 where it cannot be generated; the
        reason is printed to standard error.
    """
    try:
        pages = render()
        if not check:
            for path, text in pages.items():
                write_text(path, text)
            return 0
        old = [path for path, text in pages.items() if differs(path, text)]
    except (MondegreenError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for path in old:
        print(f"{path} is out of step with the results; run `make results`.", file=sys.stderr)
    return int(bool(old))


def insert(page: str, text: str, name: str) -> str:
    """Return ``page`` with ``text`` between the markers ``<!-- name:begin -->`` and ``name:end``.

    Raises:
        MondegreenError: The markers are missing.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, opened, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (opened and closed):
        raise MondegreenError(f"the page needs the markers {begin} and {end}.")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def differs(path: Path, text: str) -> bool:
    """Tell whether a file holds another text, and print how."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    if old == text:
        return False
    if path.suffix == ".svg":  # thousands of numbers that tell nobody anything
        return True
    before, after = old.splitlines(keepends=True), text.splitlines(keepends=True)
    sys.stdout.writelines(difflib.unified_diff(before, after, str(path), "generated"))
    return True
