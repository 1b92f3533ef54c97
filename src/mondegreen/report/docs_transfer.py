"""The tables and pictures of ``docs/transfer.md``, from every ``results/<name>/transfer.json``.

``python -m mondegreen.report.docs_transfer results docs/transfer.md`` replaces what stands between
the page's markers and writes ``images/transfer-<name>.svg`` beside it; ``--check`` tells whether
they are in step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.report.generated import (
    insert,
    picture,
    without_same_pictures,
    write_or_check,
)
from mondegreen.report.markdown import escape_text
from mondegreen.report.transfer_figures import transfer_matrix
from mondegreen.report.transfer_results import Transfer, load_transfer
from mondegreen.report.transfer_tables import about, markdown

CAPTION = (
    "Rows: what the clips were made against. Columns: who heard them. Framed: a classifier that "
    "the attack, or its training, asked."
)


def render_tables(found: dict[str, Transfer]) -> str:
    """Return what stands between the page's markers.

    Args:
        found: Transfers by name.
    """
    parts = []
    for name, one in found.items():
        command = one.command.replace("```", "")
        parts += [
            f"### {escape_text(name)}\n",
            f"{escape_text(about(one))}\n",
            f"```console\n{command}\n```\n",
            f"![{CAPTION}](images/{picture_name(name)})\n\n{CAPTION}\n",
            markdown(one),
        ]
    return "\n".join(parts).rstrip("\n") if parts else "No transfers yet."


def picture_name(name: str) -> str:
    """Return the file name of a transfer's figure.

    Example:
        >>> picture_name("four-spotters")
        'transfer-four-spotters.svg'
    """
    return f"transfer-{name}.svg"


def render(results_root: Path, page: Path) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a transfer, with ``transfer.json``.
        page: The page; pictures lie in ``images/`` beside it.

    Raises:
        MondegreenError: There is no such folder, a file in it is damaged, or the page lacks its
            markers.
        OSError: The page cannot be read.
    """
    if not results_root.is_dir():
        raise MondegreenError(f"{results_root} is not a folder; give the one that holds results.")
    files = sorted(results_root.glob("*/transfer.json"))
    found = {file.parent.name: load_transfer(file) for file in files}
    text = insert(page.read_text(encoding="utf-8"), render_tables(found), "transfer")
    pictures = {
        page.parent / "images" / picture_name(file.parent.name): picture(transfer_matrix(one), file)
        for file, one in zip(files, found.values(), strict=True)
    }
    return {page: text, **pictures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    parser = argparse.ArgumentParser(prog="mondegreen.report.docs_transfer", description=__doc__)
    parser.add_argument("results", type=Path, help="folder that holds one folder a transfer")
    parser.add_argument("page", type=Path, help="the Markdown page, such as docs/transfer.md")
    parser.add_argument("--check", action="store_true", help="exit with 1 if anything is old")
    options = parser.parse_args(arguments)

    def wanted() -> dict[Path, str]:
        pages = render(options.results, options.page)
        return without_same_pictures(pages) if options.check else pages

    return write_or_check(wanted, options.check)


if __name__ == "__main__":
    sys.exit(main())
