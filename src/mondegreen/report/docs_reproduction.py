"""``docs/reproduction.md``, generated from every ``results/reproduction-*/reproduction.json``.

``python -m mondegreen.report.docs_reproduction results docs/reproduction.md`` writes the page and
``images/<name>-<figure>.svg`` beside it; ``--check`` tells whether they are in step. Two figures
are drawn from sounds, which the result files do not hold: ``--sounds RUN`` draws them from the
folder of the run itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.report.comparison import machine_of
from mondegreen.report.generated import (
    mark,
    page_parser,
    picture,
    result_files,
    write_or_check,
    write_or_check_page,
)
from mondegreen.report.markdown import console_block, escape_text, table
from mondegreen.report.paper import CITATION, DOI
from mondegreen.report.reproduction.claims import Judged, judge_all, tally
from mondegreen.report.reproduction.disagreements import disagreements
from mondegreen.report.reproduction.exhibit import SECTIONS, Drawing, Exhibit
from mondegreen.report.reproduction.exhibits import exhibits
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import FILE, Reproduction, load_reproduction
from mondegreen.report.reproduction.summaries import settings, stages
from mondegreen.report.tables import Table

FOLDERS = "reproduction-*"
"""What the folders of the runs are called."""

HEAD = f"""\
# The paper's experiments, run again

<!-- Generated from results/reproduction-*/ by `make results`; edit those, not this page. -->

`mondegreen reproduce` runs the experimental section of the paper and writes one report: every table
and figure, *reported* beside *measured*, and for each the sentences of the paper that it supports
or contradicts. This page is made from the result files of such runs; how equations are read is in
[paper.md](paper.md), how things are measured in [measurement.md](measurement.md).

The paper: {CITATION}
[doi:{DOI}](https://doi.org/{DOI})

The verdicts are made by rule from the numbers. *Cannot say* stands where something was not
measured, where chance explains a difference, or where a shortfall may come from a smaller network
or other data, or an advantage from a smaller network or a rival's shorter search.
"""


def sound_keys(found: Reproduction) -> list[str]:
    """Return the exhibits that are drawn from sounds."""
    return [*(f"clips-{one.key}" for one in found.settings), "perturbations"]


def render_page(runs: dict[str, Reproduction], images: Path) -> str:
    """Return the page as Markdown.

    Args:
        runs: Reproductions by name.
        images: Where pictures lie; those drawn from sounds are shown if they are there.
    """
    parts = [HEAD]
    for name, found in runs.items():
        parts += [f"## {escape_text(name)}\n", *_run(name, found, images)]
    if not runs:
        parts.append("No reproduction has been run yet.\n")
    return "\n".join(parts)


def _run(name: str, found: Reproduction, images: Path) -> list[str]:
    judged = judge_all(found)
    machine = escape_text(machine_of(found.environment))
    counts = ", ".join(f"*{verdict}* {count}" for verdict, count in tally(judged).items())
    parts = [
        f"Preset {escape_text(found.preset)}, {found.created}, on {machine}.\n",
        console_block(found.command),
        settings(found).markdown(),
        f"### {escape_text(name)}: verdicts\n",
        f"Of {len(judged)} sentences: {counts}.\n",
        table(
            ("the paper says", "where", "this run", "what was measured"),
            [_claim_row(one) for one in judged],
            "llll",
        ),
    ]
    for key, title in SECTIONS.items():
        parts.append(f"### {escape_text(name)}: {title[0].lower()}{title[1:]}\n")
        for one in exhibits(found):
            if one.section == key:
                parts += _exhibit(name, one, judged, images)
    points = [(one.topic, one.text, one.code, one.changes) for one in disagreements(found)]
    parts += [
        f"### {escape_text(name)}: where the paper's text and code disagree\n",
        table(("point", "text", "public code", "what it changes"), points, "llll"),
        f"### {escape_text(name)}: stages\n",
        stages(found).markdown(),
    ]
    return parts


def _claim_row(one: Judged) -> tuple[str, ...]:
    verdict = one.finding.verdict
    shown = verdict if verdict == "cannot say" else f"**{verdict}**"
    return (f"“{one.claim.quote}”", one.claim.place, shown, one.finding.sentence)


def _exhibit(name: str, one: Exhibit, judged: Sequence[Judged], images: Path) -> list[str]:
    parts = [f"**{escape_text(one.title)}** ({one.place})\n"]
    file = picture_name(name, one.key)
    if isinstance(one.content, Table):
        parts.append(one.content.markdown())
    elif isinstance(one.content, Drawing):
        parts.append(f"![{escape_text(one.content.summary)}](images/{file})\n")
    elif (images / file).is_file():  # drawn from sounds, which only the run itself has
        parts.append(f"![{escape_text(one.title)}](images/{file})\n")
    else:
        return [*parts, f"Missing: {escape_text(one.content.reason)}.\n"]
    if one.caption:
        parts.append(f"{escape_text(one.caption)}\n")
    verdicts = [
        f"* “{escape_text(found.claim.quote)}”: {found.finding.verdict}."
        for found in judged
        if found.claim.key in one.claims
    ]
    return [*parts, *(["\n".join(verdicts) + "\n"] if verdicts else [])]


def picture_name(name: str, key: str) -> str:
    """Return the file name of a run's figure.

    Example:
        >>> picture_name("reproduction-cpu", "error-rates")
        'reproduction-cpu-error-rates.svg'
    """
    return f"{name}-{key}.svg"


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a run, ``reproduction-*``.
        page: The page; pictures lie in ``images/`` beside it.
        draw: Whether the pictures are drawn; otherwise only their last line is returned. A picture
            that was drawn from sounds is never drawn here, only asked for the same data.

    Raises:
        MondegreenError: There is no such folder, or a file in it is damaged.
    """
    files = result_files(results_root, FILE, FOLDERS)
    runs = {file.parent.name: load_reproduction(file) for file in files}
    images = page.parent / "images"
    pages = {page: render_page(runs, images)}
    for file in files:
        found = runs[file.parent.name]
        for one in exhibits(found):
            path = images / picture_name(file.parent.name, one.key)
            if isinstance(one.content, Drawing):
                text = picture(one.content.draw(), file) if draw else f"{mark(file)}\n"
                pages[path] = text
            elif not draw and one.key in sound_keys(found) and path.is_file():
                pages[path] = f"{mark(file)}\n"
    return pages


def draw_sounds(run: Path, results_root: Path, page: Path) -> dict[Path, str]:
    """Return the pictures that are drawn from the sounds of a run.

    Args:
        run: The folder that ``mondegreen reproduce`` wrote.
        results_root: Holds a copy of its ``reproduction.json`` in ``reproduction-*/``.
        page: The page; pictures lie in ``images/`` beside it.

    Raises:
        MondegreenError: The copy is missing, the run has no sounds, or a file is damaged.
    """
    found = load_reproduction(run / FILE)
    wanted = mark(run / FILE)
    names = [
        file.parent.name
        for file in result_files(results_root, FILE, FOLDERS)
        if mark(file) == wanted
    ]
    if not names:
        raise MondegreenError(
            f"{results_root} has no copy of {run / FILE}; copy it to "
            f"{results_root / f'reproduction-{found.preset}' / FILE} first."
        )
    drawings = {one.key: one.content for one in exhibits(found) if _from_sounds(one.content)}
    if not drawings:
        raise MondegreenError(f"{run} holds none of the sounds that its {FILE} names.")
    return {
        page.parent / "images" / picture_name(names[0], key): picture(content.draw(), run / FILE)
        for key, content in drawings.items()
        if isinstance(content, Drawing)
    }


def _from_sounds(content: Table | Drawing | Missing) -> bool:
    return isinstance(content, Drawing) and content.from_sounds


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    parser = page_parser("docs_reproduction", __doc__)
    parser.add_argument("--sounds", type=Path, help="a run's folder: draw the figures of sounds")
    options = parser.parse_args(arguments)
    run, results, page = options.sounds, options.results, options.page
    if run is not None:
        return write_or_check(lambda: draw_sounds(run, results, page), options.check)
    return write_or_check_page(render, results, page, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
