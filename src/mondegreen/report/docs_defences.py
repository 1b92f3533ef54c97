"""The generated part of ``docs/defences.md``, from every ``results/<name>/defences.json``.

``python -m mondegreen.report.docs_defences results docs/defences.md`` replaces what stands between
the page's markers, and writes ``images/defences-<name>.svg`` and ``images/detectors-<name>.svg``
beside it; ``--check`` tells whether they are in step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.report.defence_figures import defence_figure, roc_figure
from mondegreen.report.defence_results import DefenceResults, load_defences
from mondegreen.report.defence_tables import about, markdown
from mondegreen.report.defence_verdicts import RULE
from mondegreen.report.generated import insert, picture, result_files, run_for_page
from mondegreen.report.markdown import console_block, escape_text

CAPTIONS = {
    "defences": (
        "The strongest plain and the strongest knowing attack on each defence, with 95 % intervals "
        "over speakers; a grey tick is the accuracy on untouched clips. A defence that holds lets "
        "nobody beyond the dotted line."
    ),
    "detectors": (
        "How many of the clips that fool the classifier each detector finds, over its false "
        "alarms; dashed, the attack that knows it. The loudest budget."
    ),
}


def render_results(found: dict[str, DefenceResults]) -> str:
    """Return what stands between the markers of the results.

    Args:
        found: Measurements by name.
    """
    parts = []
    for name, one in found.items():
        parts += [
            f"### {escape_text(name)}\n",
            f"{escape_text(about(one))}\n",
            console_block(one.command),
        ]
        for kind, caption in CAPTIONS.items():
            if kind == "defences" or roc_figure(one) is not None:
                parts.append(f"![{caption}](images/{picture_name(kind, name)})\n\n{caption}\n")
        parts.append(markdown(one))
    return "\n".join(parts).rstrip("\n") if parts else "Nothing measured yet."


def picture_name(kind: str, name: str) -> str:
    """Return the file name of a measurement's figure.

    Example:
        >>> picture_name("defences", "spotter-defences")
        'defences-spotter.svg'
    """
    return f"{kind}-{name.removesuffix('-defences')}.svg"


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a measurement, with ``defences.json``.
        page: The page; pictures lie in ``images/`` beside it.
        draw: Whether the pictures are drawn; otherwise only their last line is returned.

    Raises:
        MondegreenError: There is no such folder, a file in it is damaged, or the page lacks its
            markers.
        OSError: The page cannot be read.
    """
    files = result_files(results_root, "defences.json")
    found = {file.parent.name: load_defences(file) for file in files}
    text = insert(page.read_text(encoding="utf-8"), RULE, "defence-rule")
    text = insert(text, render_results(found), "defence-results")
    pictures = {}
    for file, one in zip(files, found.values(), strict=True):
        for kind, figure in (("defences", defence_figure(one)), ("detectors", roc_figure(one))):
            if figure is not None:
                place = page.parent / "images" / picture_name(kind, file.parent.name)
                pictures[place] = picture(figure, file, draw=draw)
    return {page: text, **pictures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    return run_for_page("docs_defences", __doc__, render, arguments)


if __name__ == "__main__":
    sys.exit(main())
