"""The generated parts of ``docs/hardening.md``: before and after, and what hardening cost.

``python -m mondegreen.report.docs_hardening results docs/hardening.md`` replaces what stands
between the page's markers, from every ``results/<name>/hardening.json``, and writes
``images/hardening-<name>.svg`` beside it; ``--check`` tells whether all are in step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.report.generated import insert, picture, result_files, run_for_page
from mondegreen.report.hardening_figures import hardening_figure
from mondegreen.report.hardening_results import HardeningResults, load_hardening
from mondegreen.report.hardening_tables import about, markdown
from mondegreen.report.markdown import console_block, escape_text

CAPTION = (
    "Accuracy under untargeted gradient search (dotted: without attack), targets reached by "
    "gradient search and by a generator that was trained against it afterwards, for as many "
    "epochs as the table says, each with 95 % intervals "
    "over speakers; and, over the processor time of the training, the accuracy of the validation "
    "clips under attack."
)


def render_results(found: dict[str, HardeningResults]) -> str:
    """Return what stands between the markers of the results.

    Args:
        found: Measurements by name.
    """
    parts = []
    for name, one in found.items():
        parts += [
            f"### {escape_text(name)}\n",
            f"![{CAPTION}](images/{picture_name(name)})\n\n{CAPTION}\n",
            markdown(one),
            f"{escape_text(about(one))}\n",
            console_block(commands(one)),
        ]
    return "\n".join(parts).rstrip("\n") if parts else "Nothing measured yet."


def commands(one: HardeningResults) -> str:
    """Return all commands that the numbers came from, one a line, none twice."""
    lines = [each.training.command for each in one.after if each.training is not None]
    lines += [each.generator_command for each in one.after if each.generator_command]
    return "\n".join(dict.fromkeys([*lines, one.command]))


def picture_name(name: str) -> str:
    """Return the file name of a measurement's figure.

    Example:
        >>> picture_name("spotter-hardening")
        'hardening-spotter.svg'
    """
    return f"hardening-{name.removesuffix('-hardening')}.svg"


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a measurement, with ``hardening.json``.
        page: The page; pictures lie in ``images/`` beside it.
        draw: Whether the pictures are drawn; otherwise only their last line is returned.

    Raises:
        MondegreenError: There is no such folder, a file in it is damaged, or the page lacks its
            markers.
        OSError: The page cannot be read.
    """
    files = result_files(results_root, "hardening.json")
    found = {file.parent.name: load_hardening(file) for file in files}
    text = insert(page.read_text(encoding="utf-8"), render_results(found), "hardening-results")
    pictures = {
        page.parent / "images" / picture_name(file.parent.name): picture(
            hardening_figure(one), file, draw=draw
        )
        for file, one in zip(files, found.values(), strict=True)
    }
    return {page: text, **pictures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    return run_for_page("docs_hardening", __doc__, render, arguments)


if __name__ == "__main__":
    sys.exit(main())
