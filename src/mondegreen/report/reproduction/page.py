"""The report of a reproduction: figures, tables and one page that opens anywhere, offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from markupsafe import Markup

from mondegreen.files import write_text
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import duration
from mondegreen.report.inline import inline_svg
from mondegreen.report.pages import fit, render_page
from mondegreen.report.pairs import Sample
from mondegreen.report.paper import CITATION, DOI, PARAMETERS
from mondegreen.report.reproduction.claims import Judged, judge_all, tally
from mondegreen.report.reproduction.disagreements import disagreements
from mondegreen.report.reproduction.exhibit import SECTIONS, Drawing, Exhibit
from mondegreen.report.reproduction.exhibits import exhibits
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import (
    FILE,
    KINDS,
    Reproduction,
    Setting,
    load_reproduction,
)
from mondegreen.report.reproduction.sounds import Example, existing
from mondegreen.report.reproduction.summaries import stages
from mondegreen.report.reproduction.words import differences
from mondegreen.report.sounds import Sound, data_uri, load_sound
from mondegreen.report.style import COLUMN, save_figure
from mondegreen.report.tables import Table

FORMATS = ("svg", "pdf", "png")
SOUND_BYTES = 6_000_000
"""What the sounds and their pictures may take, to begin with."""


@dataclass(frozen=True)
class Shown:
    """An exhibit on the page: a table, a figure, or neither.

    Args:
        exhibit: What it is.
        table: The table.
        svg: The figure, in the colours of the page's theme.
        picture: The figure as an address, where its own colours must stay.
        wide: Whether the figure is wider than a paper's column.
        claims: What it bears on.
    """

    exhibit: Exhibit
    table: Table | None
    svg: Markup
    picture: str
    wide: bool
    claims: tuple[Judged, ...]

    @property
    def missing(self) -> str:
        """Why there is nothing to show; empty where there is."""
        content = self.exhibit.content
        return content.reason if isinstance(content, Missing) else ""

    @property
    def alt(self) -> str:
        """What the picture shows, in a sentence."""
        content = self.exhibit.content
        return content.summary if isinstance(content, Drawing) else ""


@dataclass(frozen=True)
class Heard:
    """An example on the page; ``sound`` is None where its files are missing or weigh too much."""

    index: int
    example: Example
    sample: Sample
    sound: Sound | None


@dataclass(frozen=True)
class SettingView:
    """A setting, and for every kind of generator what differs from the paper."""

    setting: Setting
    differences: tuple[tuple[str, str], ...]


def write_reproduction(folder: Path, formats: Sequence[str] = FORMATS) -> Path:
    """Write ``figures/``, ``tables/`` and ``report.html`` into the folder of a reproduction.

    Parts that are missing are named, with their reasons.

    Args:
        folder: Holds ``reproduction.json`` and the sounds that it names.
        formats: Of the figures, of ``svg``, which is always written, ``pdf`` and ``png``.

    Returns:
        The page.

    Raises:
        MondegreenError: The file is missing or damaged, a sound is damaged, or a file cannot be
            written.
    """
    found = load_reproduction(folder / FILE)
    judged = judge_all(found)
    shown = [write_exhibit(folder, one, judged, formats) for one in exhibits(found)]
    for key, table in (("stages", stages(found)), ("claims", claims_table(judged))):
        _write_table(folder, key, table)
    page = folder / "report.html"
    write_text(page, fit(partial(render, found, judged, shown), SOUND_BYTES))
    return page


def write_exhibit(
    folder: Path, exhibit: Exhibit, judged: Sequence[Judged], formats: Sequence[str] = FORMATS
) -> Shown:
    """Write the files of a table or figure and return what the page shows of it.

    Raises:
        MondegreenError: A sound is damaged, or a file cannot be written.
    """
    content = exhibit.content
    claims = tuple(one for one in judged if one.claim.key in exhibit.claims)
    svg, picture, wide, table = Markup(), "", False, None
    if isinstance(content, Table):
        table = content
        _write_table(folder, exhibit.key, content)
    elif isinstance(content, Drawing):
        figure = content.draw()
        wide = figure.get_figwidth() > COLUMN
        path = folder / "figures" / exhibit.key
        files = save_figure(figure, path, tuple(dict.fromkeys(("svg", *formats))))
        if content.coloured:
            picture = data_uri("image/svg+xml", files[0].read_bytes())
        else:
            svg = inline_svg(figure, exhibit.key, content.summary)
    return Shown(exhibit, table, svg, picture, wide, claims)


def _write_table(folder: Path, key: str, table: Table) -> None:
    write_text(folder / "tables" / f"{key}.md", table.markdown())
    write_text(folder / "tables" / f"{key}.tex", TEX_HEAD + table.latex())


TEX_HEAD = "% needs \\usepackage{booktabs} and \\usepackage{graphicx}\n"


def claims_table(judged: Sequence[Judged]) -> Table:
    """Return the claims with their verdicts."""
    head = ("the paper says", "where", "this run", "what was measured")
    rows = tuple(
        (f"“{one.claim.quote}”", one.claim.place, one.finding.verdict, one.finding.sentence)
        for one in judged
    )
    counts = ", ".join(f"{verdict}: {count}" for verdict, count in tally(judged).items())
    return Table("What the paper claims, and what this run says", head, rows, 4, note=counts)


def hear(found: Reproduction, sound_bytes: int = SOUND_BYTES) -> list[Heard]:
    """Read the sounds of the examples, as far as they weigh no more than so many bytes.

    Raises:
        MondegreenError: A sound is damaged.
    """
    heard, weight = [], 0
    for index, one in enumerate(found.examples):
        sample = _sample(one, existing(found.folder, one.sounds))
        sound = load_sound(sample) if weight < sound_bytes else None
        if sound is not None and weight + sound.weight > sound_bytes:
            sound, weight = None, sound_bytes
        weight += sound.weight if sound else 0
        heard.append(Heard(index, one, sample, sound))
    return heard


def _sample(one: Example, files: tuple[Path, Path] | None) -> Sample:
    return Sample(
        source=one.source,
        target=one.target,
        clip=one.title,
        before=one.source,
        after=one.target if one.success else one.source,
        success=one.success,
        snr_db=one.snr_db,
        pesq_nb=one.pesq_nb,
        before_probability=None,
        after_probability=None,
        original=files[0] if files else None,
        adversarial=files[1] if files else None,
    )


def setting_views(found: Reproduction) -> list[SettingView]:
    """Return the settings with what makes each kind of generator unlike the paper's."""
    views = []
    for setting in found.settings:
        rows = []
        for kind, part in setting.generators.items():
            if isinstance(part, Missing):
                rows.append((KINDS[kind], f"missing: {part.reason}"))
            else:
                texts = [one.text for one in differences(setting, part)]
                rows.append((KINDS[kind], "; ".join(texts) or "as in the paper"))
        views.append(SettingView(setting, tuple(rows)))
    return views


def render(
    found: Reproduction, judged: Sequence[Judged], shown: Sequence[Shown], sound_bytes: int
) -> str:
    """Return the page as HTML, with so many bytes of sounds at most.

    Raises:
        MondegreenError: A sound is damaged.
    """
    grouped = {key: [one for one in shown if one.exhibit.section == key] for key in SECTIONS}
    return render_page(
        "reproduction.html.j2",
        ("player.js", "one_sound.js"),
        styles=("reproduction.css",),
        found=found,
        judged=judged,
        tally=tally(judged),
        sections=SECTIONS,
        shown=grouped,
        settings=setting_views(found),
        heard=hear(found, sound_bytes),
        disagreements=disagreements(found),
        stages=stages(found),
        parameters=PARAMETERS,
        machine=machine_of(found.environment),
        duration=duration,
        citation=CITATION,
        doi=DOI,
    )
