"""Pages that are generated from result files: written, or checked against them."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from matplotlib.figure import Figure

from mondegreen.errors import MondegreenError
from mondegreen.files import write_text
from mondegreen.report.style import save_figure

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


class Render(Protocol):
    """Takes the folder of results and the page; returns the text of the page and its pictures."""

    def __call__(self, results_root: Path, page: Path, *, draw: bool) -> Pages:
        """Render; where ``draw`` is not set, pictures may be no more than their last line."""


def page_parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """Return what reads the words of a command that writes a page: ``RESULTS PAGE [--check]``.

    Args:
        name: Of the module, for the help.
        about: What it does, for the help.
    """
    parser = argparse.ArgumentParser(prog=f"mondegreen.report.{name}", description=about)
    parser.add_argument("results", type=Path, help="the folder of result files")
    parser.add_argument("page", type=Path, help="the Markdown page")
    parser.add_argument("--check", action="store_true", help="exit with 1 if anything is old")
    return parser


def write_or_check_page(render: Render, results_root: Path, page: Path, *, check: bool) -> int:
    """Write a page and its pictures, or tell which are old; return the exit code.

    A check asks pictures for their last line only: they are as old as what they were drawn from.
    """

    def wanted() -> Pages:
        pages = render(results_root, page, draw=not check)
        return without_same_pictures(pages) if check else pages

    return write_or_check(wanted, check)


def run_for_page(
    name: str, about: str | None, render: Render, arguments: Sequence[str] | None
) -> int:
    """Do what the words of a command say for a page and its pictures; return the exit code.

    Args:
        name: Of the module, for the help.
        about: What it does, for the help.
        render: Returns the text of every file.
        arguments: From the command line; by default the program's.
    """
    options = page_parser(name, about).parse_args(arguments)
    return write_or_check_page(render, options.results, options.page, check=options.check)


def result_files(root: Path, name: str, folders: str = "*") -> list[Path]:
    """Return the files of a name, one a measurement, in the order of their folders.

    Args:
        root: Holds one folder a measurement.
        name: Of the files.
        folders: Pattern that the names of their folders match.

    Raises:
        MondegreenError: There is no such folder.
    """
    if not root.is_dir():
        raise MondegreenError(f"{root} is not a folder; give the one that holds results.")
    return sorted(root.glob(f"{folders}/{name}"))


def picture(figure: Figure, source: Path, *, draw: bool = True) -> str:
    """Return a figure as SVG, with a last line that names the file that it was drawn from.

    Args:
        figure: The figure.
        source: What it was made from.
        draw: Whether it is drawn; otherwise the last line is all.

    Raises:
        MondegreenError: The figure cannot be drawn.
        OSError: The file cannot be read.
    """
    if not draw:
        return f"{mark(source)}\n"
    with tempfile.TemporaryDirectory() as temporary:
        (svg,) = save_figure(figure, Path(temporary) / "figure", ("svg",))
        text = svg.read_text(encoding="utf-8").rstrip("\n")
    return f"{text}\n{mark(source)}\n"


def mark(source: Path) -> str:
    """Return the last line of a picture that was drawn from a file.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    return f"<!-- drawn from {source.name} {digest} -->"


def same_picture(path: Path, text: str) -> bool:
    """Tell whether a picture was drawn from the same data.

    Coordinates may differ in their last digits between machines, so only the last line counts.
    """
    if not path.is_file():
        return False
    return path.read_text(encoding="utf-8").splitlines()[-1:] == text.splitlines()[-1:]


def without_same_pictures(pages: Pages) -> dict[Path, str]:
    """Return the pages without the pictures that are drawn from the same data already."""
    return {
        path: text
        for path, text in pages.items()
        if path.suffix != ".svg" or not same_picture(path, text)
    }


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
