"""One table or figure of the report, with what it stands for and what it bears on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from mondegreen.report.paper import MUSIC, SPEECH, ReportedSetting
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import KINDS, Setting
from mondegreen.report.tables import Table

SECTIONS = {
    "success": "Success (section V-B)",
    "rivals": "Beside other attacks (section V-B)",
    "quality": "Quality (section V-C)",
    "ablation": "Ablation of the losses (section V-D)",
    "time": "Running time (section V-E)",
    "unified": "One network for all targets (footnote 3)",
    "leak": "What the division of the data does (section V-A)",
}
BEYOND = "beyond the paper"


@dataclass(frozen=True)
class Drawing:
    """A figure that is drawn when it is asked for.

    Args:
        draw: Draws it.
        summary: One sentence for those who do not see it.
        from_sounds: Whether it needs the sounds of the run.
        coloured: Whether it has cells of colour, whose ground must stay white in a dark page.
    """

    draw: Callable[[], Figure]
    summary: str
    from_sounds: bool = False
    coloured: bool = False


@dataclass(frozen=True)
class Exhibit:
    """A table or a figure, or why there is none.

    Args:
        key: Name of its files.
        section: Of :data:`SECTIONS`.
        place: Which of the paper's it stands for, such as ``Fig. 4``.
        title: What it shows.
        caption: What has to be known to read it.
        claims: Keys of the claims that it bears on.
    """

    key: str
    section: str
    place: str
    title: str
    caption: str
    claims: tuple[str, ...]
    content: Table | Drawing | Missing


def claims_of(reported: ReportedSetting | None, *keys: str) -> tuple[str, ...]:
    """Return the claims about one of the paper's settings, such as ``success-speech``."""
    return tuple(f"{key}-{reported.key}" for key in keys) if reported else ()


def figure_of(reported: ReportedSetting | None) -> str:
    """Return which figure of the paper shows a setting's success by source and target."""
    figures = {SPEECH.key: "Fig. 4", MUSIC.key: "Fig. 5"}
    return figures[reported.key] if reported else "as Figs. 4 and 5"


def reasons(setting: Setting, kinds: tuple[str, ...] = tuple(KINDS)) -> str:
    """Return why kinds of generators are missing."""
    found = [
        f"{KINDS[kind]}: {part.reason}"
        for kind in kinds
        if isinstance(part := setting.generators[kind], Missing)
    ]
    return "; ".join(found)
