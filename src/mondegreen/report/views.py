"""What the page's template shows, prepared: cells, players, tables. Nothing here makes HTML."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from mondegreen.report.chances import Chance, chances
from mondegreen.report.drawings import cell_colours, histogram_svg
from mondegreen.report.formatting import number, percent
from mondegreen.report.pairs import Pair, Sample
from mondegreen.report.paper import closest_setting
from mondegreen.report.results import Quality, Results
from mondegreen.report.sounds import Sound, load_sound

SOUND_BYTES = 12_000_000
"""What the sounds and their pictures may take, so that the page stays below 15 MB."""

MATRIX_UP_TO = 60
MATRIX_SHOWN = 40
ROWS = 8_000
"""Beyond so many pairs the page lists only those that can be heard."""


@dataclass(frozen=True)
class PairView:
    """A pair that can be heard; ``sound`` is None where its files are missing or left out."""

    index: int
    sample: Sample
    sound: Sound | None
    snr: str
    pesq: str

    @property
    def dropped(self) -> bool:
        """Whether the sounds are there, but had no room in the page."""
        return self.sound is None and None not in (self.sample.original, self.sample.adversarial)

    @property
    def id(self) -> str:
        """The pair's anchor in the page."""
        return f"pair-{self.index}"

    @property
    def chances(self) -> tuple[Chance, ...]:
        """What the classifier heard before and after."""
        return chances(self.sample)


@dataclass(frozen=True)
class Cell:
    """A cell of the success matrix with its pairs; ``rate`` is None where nothing was measured."""

    row: int
    column: int
    source: str
    target: str
    rate: float | None
    style: str
    pairs: int
    heard: tuple[PairView, ...]
    rows: tuple[Pair, ...]

    @property
    def id(self) -> str:
        """The cell's anchor in the page."""
        return f"cell-{self.row}-{self.column}"

    @property
    def successes(self) -> int:
        """How many of the pairs were heard as the target."""
        return round((self.rate or 0.0) * self.pairs)


@dataclass(frozen=True)
class TargetRow:
    """A row of the table of targets; ``paper_`` values are the paper's Table 2."""

    label: str
    rate: float | None
    success: str
    snr: str
    pesq_nb: str
    pesq_wb: str
    stoi: str
    reported: bool
    paper_success: str
    paper_snr: str
    paper_pesq: str


@dataclass(frozen=True)
class Chart:
    """A histogram with its title and a sentence for those who do not see it."""

    title: str
    summary: str
    svg: Markup


def hear(samples: Sequence[Sample], limit: int = SOUND_BYTES) -> list[PairView]:
    """Read the sounds of the samples until they weigh ``limit`` bytes, cell by cell in turn.

    Every cell gets its first pair before any gets its second. What does not fit keeps its numbers.

    Raises:
        MondegreenError: A sound is damaged.
    """
    seen: dict[tuple[str, str], int] = defaultdict(int)
    turns = []
    for index, sample in enumerate(samples):
        cell = (sample.source, sample.target)
        turns.append((seen[cell], index))
        seen[cell] += 1
    views: dict[int, PairView] = {}
    weight = 0
    for _, index in sorted(turns):
        sample = samples[index]
        sound = load_sound(sample) if weight < limit else None
        if sound is not None and weight + sound.weight > limit:
            sound, weight = None, limit
        weight += sound.weight if sound else 0
        snr, pesq = number(sample.snr_db, 1, "dB"), number(sample.pesq_nb, 2)
        views[index] = PairView(index, sample, sound, snr, pesq)
    return [views[index] for index in range(len(samples))]


def featured(views: Sequence[PairView]) -> PairView | None:
    """Return the pair to open with: of the successes that can be heard, the one of median SNR."""
    good = [v for v in views if v.sound and v.sample.success and v.sample.before == v.sample.source]
    good.sort(key=lambda view: view.sample.snr_db or 0.0)
    if not good:
        return None
    view = good[len(good) // 2]
    return replace(view, sound=load_sound(view.sample, detail=2))


@dataclass(frozen=True)
class Shown:
    """The labels that the matrix of the page shows, in their order."""

    sources: list[str]
    targets: list[str]

    @classmethod
    def of(cls, labels: Sequence[str], pairs: Sequence[Pair], views: Sequence[PairView]) -> Shown:
        """Choose: all, but of more than 60 the 40 sources and targets with most sounds.

        Hundreds of labels have tens of thousands of cells, which nobody reads and no browser likes.
        """
        if len(labels) <= MATRIX_UP_TO:
            return cls(list(labels), list(labels))
        samples = [view.sample for view in views]
        return cls(
            _most(labels, [one.source for one in samples], [one.source for one in pairs]),
            _most(labels, [one.target for one in samples], [one.target for one in pairs]),
        )


def _most(labels: Sequence[str], heard: Sequence[str], tried: Sequence[str]) -> list[str]:
    """Return the labels that were heard oftenest and, of those alike, tried oftenest."""
    sounds, pairs = Counter(heard), Counter(tried)
    about = [label for label in labels if sounds[label] or pairs[label]]
    ranked = sorted(about, key=lambda label: (-sounds[label], -pairs[label]))
    kept = set(ranked[:MATRIX_SHOWN])
    return [label for label in labels if label in kept]


def matrix(
    results: Results, shown: Shown, pairs: Sequence[Pair], views: Sequence[PairView]
) -> list[list[Cell]]:
    """Return the cells of some labels in the success matrix, row by row."""
    place = {name: number for number, name in enumerate(results.labels)}
    rows: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    if len(pairs) <= ROWS:
        for pair in pairs:
            rows[pair.source, pair.target].append(pair)
    heard: dict[tuple[str, str], list[PairView]] = defaultdict(list)
    for view in views:
        heard[view.sample.source, view.sample.target].append(view)
    return [
        [
            Cell(
                row=row,
                column=column,
                source=source,
                target=target,
                rate=results.success_matrix[place[source]][place[target]],
                style=_style(results.success_matrix[place[source]][place[target]]),
                pairs=results.pair_counts[place[source]][place[target]],
                heard=tuple(heard[source, target]),
                rows=tuple(rows[source, target]),
            )
            for column, target in enumerate(shown.targets)
        ]
        for row, source in enumerate(shown.sources)
    ]


def _style(rate: float | None) -> str:
    if rate is None:
        return ""
    light, on_light, dark, on_dark = cell_colours(rate)
    return f"--l:{light};--lt:{on_light};--d:{dark};--dt:{on_dark}"


def target_rows(results: Results) -> list[TargetRow]:
    """Return one row a target, with the paper's values where it has the label."""
    setting = closest_setting(results.labels)
    rows = []
    for label, score in results.per_target.items():
        paper = setting.target(label)
        rows.append(
            TargetRow(
                label=label,
                rate=score.success_rate,
                success=percent(score.success_rate, 1),
                snr=number(score.snr_db),
                pesq_nb=number(score.pesq_nb, 3),
                pesq_wb=number(score.pesq_wb, 3),
                stoi=number(score.stoi, 3),
                reported=paper is not None,
                paper_success=percent(paper.success_rate if paper else None, 1),
                paper_snr=number(paper.snr_db if paper else None),
                paper_pesq=number(paper.pesq if paper else None, 3),
            )
        )
    return rows


def charts(results: Results, pairs: Sequence[Pair]) -> list[Chart]:
    """Return the histograms of what was measured."""
    wanted = (
        ("SNR", "dB", "snr_db", 0.5, 2),
        ("PESQ, narrow-band", "P.862, −0.5 to 4.5", "pesq_nb", 0.5, 2),
        ("PESQ, wide-band", "P.862.2, 1 to 4.64", "pesq_wb", 0.5, 2),
        ("STOI", "0 to 1", "stoi", 0.05, 3),
    )
    found = []
    for title, unit, name, narrowest, digits in wanted:
        values = [getattr(pair, name) for pair in pairs]
        quality: Quality = getattr(results, name)
        summary = (
            f"median {number(quality.median, digits)}, mean {number(quality.mean, digits)}, "
            f"worst {number(quality.worst, digits)}"
        )
        svg = histogram_svg(values, unit, f"Histogram of {title}: {summary}", narrowest=narrowest)
        if svg:
            found.append(Chart(title, summary, svg))
    return found
