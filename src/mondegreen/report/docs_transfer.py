"""The tables and pictures of ``docs/transfer.md``, from every ``results/<name>/transfer.json``.

``python -m mondegreen.report.docs_transfer results docs/transfer.md`` replaces what stands between
the page's markers and writes ``images/transfer-<name>.svg`` beside it; ``--check`` tells whether
they are in step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.report.generated import insert, picture, result_files, run_for_page
from mondegreen.report.markdown import console_block, escape_text
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
        parts += [
            f"### {escape_text(name)}\n",
            f"{escape_text(about(one))}\n",
            console_block(one.command),
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


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a transfer, with ``transfer.json``.
        page: The page; pictures lie in ``images/`` beside it.
        draw: Whether the pictures are drawn; otherwise only their last line is returned.

    Raises:
        MondegreenError: There is no such folder, a file in it is damaged, or the page lacks its
            markers.
        OSError: The page cannot be read.
    """
    files = result_files(results_root, "transfer.json")
    found = {file.parent.name: load_transfer(file) for file in files}
    text = insert(page.read_text(encoding="utf-8"), render_tables(found), "transfer")
    pictures = {
        page.parent / "images" / picture_name(file.parent.name): picture(
            transfer_matrix(one), file, draw=draw
        )
        for file, one in zip(files, found.values(), strict=True)
    }
    return {page: text, **pictures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    return run_for_page("docs_transfer", __doc__, render, arguments)


if __name__ == "__main__":
    sys.exit(main())
