"""One HTML file that tells what a comparison of attacks found: words, curves, every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from mondegreen.files import write_text
from mondegreen.report.comparison import machine_of
from mondegreen.report.comparison_figures import draw_comparison
from mondegreen.report.comparison_paper import (
    HEAD,
    belongs,
    limits_notes,
    paper_note,
    paper_rows,
)
from mondegreen.report.comparison_results import Comparison, load_comparison
from mondegreen.report.comparison_texts import (
    ENOUGH,
    about,
    columns,
    own_time,
    reach_columns,
    reach_rows,
    rows,
    verdicts,
)
from mondegreen.report.comparison_words import plain_words
from mondegreen.report.formatting import duration
from mondegreen.report.inline import inline_svg
from mondegreen.report.pages import render_page
from mondegreen.report.paper import CITATION, DOI
from mondegreen.report.style import COLUMN

FIGURES = {
    "success_over_snr": (
        "Success over the signal-to-noise ratio",
        "Further to the right the perturbation is quieter.",
    ),
    "success_over_pesq": (
        "Success over PESQ",
        "Further to the right the clips sound more like the originals.",
    ),
    "success_over_time": (
        "Success over time",
        "No other attack beats those on the front in both.",
    ),
    "success_over_queries": (
        "Success over queries",
        "Of the attacks that hear nothing but probabilities.",
    ),
}
"""Titles of the figures, and how to read them."""

ALL = "Every attack under every budget"
REACH = "How quiet each may become"
REACH_NOTE = (
    "The signal-to-noise ratios at which an attack still succeeds with so many of the pairs; in "
    "brackets 95 % intervals."
)


@dataclass(frozen=True)
class Figure:
    """A figure of the page; a wide one takes a row for itself."""

    title: str
    note: str
    wide: bool
    svg: Markup


@dataclass(frozen=True)
class Section:
    """A table of the page; the first column names the row, from ``numbers`` on they are numbers."""

    id: str
    short: str
    title: str
    note: str
    head: Sequence[str]
    body: Sequence[Sequence[str]]
    numbers: int


def write_comparison_page(folder: Path) -> Path:
    """Write ``report.html`` into a comparison's folder.

    Args:
        folder: Holds ``comparison.json``.

    Returns:
        The page.

    Raises:
        MondegreenError: The file is missing or damaged, or the page cannot be written.
    """
    path = folder / "report.html"
    write_text(path, render_comparison(load_comparison(folder / "comparison.json")))
    return path


def render_comparison(comparison: Comparison) -> str:
    """Return the page of a comparison as HTML."""
    return render_page(
        "comparison.html.j2",
        (),
        comparison=comparison,
        attacks=len(comparison.labels),
        words=plain_words(comparison),
        figures=_figures(comparison),
        sections=_sections(comparison),
        about=about(comparison),
        own_time=own_time(comparison),
        machine=machine_of(comparison.environment),
        duration=duration(comparison.duration_seconds),
        citation=CITATION,
        doi=DOI,
    )


def _figures(comparison: Comparison) -> list[Figure]:
    """Draw the curves that the comparison has the numbers for."""
    found = []
    for name, figure in draw_comparison(comparison).items():
        title, note = FIGURES.get(name, (name.replace("_", " ").capitalize(), ""))
        label = f"{title}; its numbers are in the tables of this page"
        wide = figure.get_figwidth() > COLUMN
        found.append(Figure(title, note, wide, inline_svg(figure, name, label)))
    return found


def _sections(comparison: Comparison) -> list[Section]:
    """Return the tables: who wins, every row, how quiet each may be, and the paper's."""
    c = comparison
    quickest = f"quickest of those with {100 * ENOUGH:g} % or more"
    best = ("SNR kept", "most successes", quickest)
    reported = paper_rows(c) if belongs(c) else []
    beside = " ".join([paper_note(c), *limits_notes(c)])
    tables = [
        Section("best", "Best", "Who gets furthest", "", best, verdicts(c), 3),
        Section("attacks", "All attacks", ALL, own_time(c), columns(c), rows(c), 2),
        Section("reaches", "How quiet", REACH, REACH_NOTE, reach_columns(c), reach_rows(c), 1),
        Section("paper", "Paper", "Beside the paper", beside, HEAD, reported, 2),
    ]
    return [table for table in tables if table.body]
