"""The generated part of ``docs/defences.md``, from every ``results/<name>/defences.json``.

``python -m mondegreen.report.docs_defences results docs/defences.md`` replaces what stands between
the page's markers, and writes ``images/defences-<name>.svg`` and ``images/detectors-<name>.svg``
beside it; ``--check`` tells whether they are in step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.report.defence_figures import defence_figure, roc_figure
from mondegreen.report.defence_results import DefenceResults, load_defences
from mondegreen.report.defence_tables import about, markdown
from mondegreen.report.defence_verdicts import RULE
from mondegreen.report.generated import insert, picture, without_same_pictures, write_or_check
from mondegreen.report.markdown import escape_text

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
        command = one.command.replace("```", "")
        parts += [
            f"### {escape_text(name)}\n",
            f"{escape_text(about(one))}\n",
            f"```console\n{command}\n```\n",
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


def render(results_root: Path, page: Path) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a measurement, with ``defences.json``.
        page: The page; pictures lie in ``images/`` beside it.

    Raises:
        MondegreenError: There is no such folder, a file in it is damaged, or the page lacks its
            markers.
        OSError: The page cannot be read.
    """
    if not results_root.is_dir():
        raise MondegreenError(f"{results_root} is not a folder; give the one that holds results.")
    files = sorted(results_root.glob("*/defences.json"))
    found = {file.parent.name: load_defences(file) for file in files}
    text = insert(page.read_text(encoding="utf-8"), RULE, "defence-rule")
    text = insert(text, render_results(found), "defence-results")
    pictures = {}
    for file, one in zip(files, found.values(), strict=True):
        for kind, figure in (("defences", defence_figure(one)), ("detectors", roc_figure(one))):
            if figure is not None:
                place = page.parent / "images" / picture_name(kind, file.parent.name)
                pictures[place] = picture(figure, file)
    return {page: text, **pictures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    parser = argparse.ArgumentParser(prog="mondegreen.report.docs_defences", description=__doc__)
    parser.add_argument("results", type=Path, help="folder that holds one folder a measurement")
    parser.add_argument("page", type=Path, help="the Markdown page, such as docs/defences.md")
    parser.add_argument("--check", action="store_true", help="exit with 1 if anything is old")
    options = parser.parse_args(arguments)

    def wanted() -> dict[Path, str]:
        pages = render(options.results, options.page)
        return without_same_pictures(pages) if options.check else pages

    return write_or_check(wanted, options.check)


if __name__ == "__main__":
    sys.exit(main())
