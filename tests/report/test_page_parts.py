"""What the page is put together from: probabilities, ends, bins, figures, and its size."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from mondegreen.errors import MondegreenError
from mondegreen.report.chances import Chance, chances
from mondegreen.report.extremes import extremes
from mondegreen.report.inline import inline_svg
from mondegreen.report.matrix_figure import draw_matrix
from mondegreen.report.pages import fit
from mondegreen.report.pairs import Pair, Sample, load_pairs, load_samples
from mondegreen.report.snr_bins import Bin, bins_svg, success_by_snr
from mondegreen.report.style import figure_style
from mondegreen.report.views import Shown, hear, matrix

LABELS = ("low", "mid", "high")


@pytest.fixture
def samples(untouched: Path) -> list[Sample]:
    return load_samples(untouched, LABELS)


def pair(snr_db: float | None, success: bool) -> Pair:
    return Pair("c", "low", "mid", "low", "mid", success, True, snr_db, None, None, None)


# ------------------------------------------------------------------ probabilities


def test_said_and_target_come_first_then_the_likeliest(samples: list[Sample]) -> None:
    assert chances(samples[0]) == (
        Chance("low", 0.98, 0.12, "said"),
        Chance("mid", 0.0123, 0.8765, "target"),
        Chance("high", 0.0077, 0.0035, ""),
    )
    assert [one.label for one in chances(samples[0], most=1)] == ["low", "mid"]
    more = {"low": 0.5, "mid": 0.1, "a": 0.05, "b": 0.05, "high": 0.3}
    sample = replace(samples[0], before_probabilities=more, after_probabilities={**more, "b": 0.2})
    assert [one.label for one in chances(sample)] == ["low", "mid", "high", "b", "a"]
    assert [one.label for one in chances(sample, most=4)] == ["low", "mid", "high", "b"]


def test_older_samples_know_the_target_only(samples: list[Sample]) -> None:
    assert chances(samples[3]) == (Chance("high", 0.0123, 0.8765, "target"),)
    assert chances(replace(samples[3], before_probability=None, after_probability=None)) == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [('"low": 0.98', '"low": 98'), ('"low": 0.98', '"other": 0.98')],
)
def test_damaged_probabilities_are_user_errors(evaluation: Path, change: str, named: str) -> None:
    path = evaluation / "samples" / "samples.json"
    text = path.read_text(encoding="utf-8")
    assert change in text
    path.write_text(text.replace(change, named), encoding="utf-8")
    with pytest.raises(MondegreenError, match="entry 0: before_probabilities"):
        load_samples(evaluation, LABELS)


# ------------------------------------------------------------------ ends


def test_ends_are_ranked_among_what_can_be_heard(samples: list[Sample]) -> None:
    views = [
        replace(
            view,
            sample=replace(
                view.sample,
                success=number != 3,
                pesq_nb=pesq,
                snr_db=20.0 + number,
            ),
        )
        for number, (view, pesq) in enumerate(
            zip(hear(samples), (3.0, 2.0, None, 1.0), strict=True)
        )
    ]
    found = {one.title: [view.index for view in one.views] for one in extremes(views)}
    assert found == {
        "Quietest successes": [2, 1, 0],
        "Hardest to hear": [0, 1],
        "Easiest to hear": [1, 0],
        "Worst failures": [3],
    }
    close = [replace(v, sample=replace(v.sample, snr_db=20.0 + v.index / 10)) for v in views]
    assert "Quietest successes" not in {one.title for one in extremes(close)}
    assert extremes(hear(samples, limit=0)) == []
    assert len(extremes(views, count=1)[0].views) == 1


# ------------------------------------------------------------------ success by ratio


def test_bins_count_every_pair_once() -> None:
    pairs = [pair(10.0 + i / 2, i % 4 == 0) for i in range(20)]  # 10.0 to 19.5
    pairs += [pair(None, True), pair(float("inf"), True)]
    bins = success_by_snr(pairs)
    assert [one.low for one in bins] == [*range(10, 20)]
    assert {one.pairs for one in bins} == {2}
    assert [one.successes for one in bins] == [1, 0] * 5
    assert bins[0].rate == 0.5


def test_bins_grow_with_the_span() -> None:
    bins = success_by_snr([pair(float(db), True) for db in range(0, 60, 7)])
    assert {one.high - one.low for one in bins} == {5.0}
    assert sum(one.pairs for one in bins) == 9


def test_ratios_that_are_one_make_no_bins() -> None:
    assert success_by_snr([pair(25.0 + i / 1000, True) for i in range(50)]) == []
    assert success_by_snr([pair(None, True)]) == []


def test_bars_are_as_high_as_the_rates() -> None:
    svg = bins_svg([Bin(10, 15, 8, 6), Bin(15, 20, 1200, 300)])
    heights = re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', svg)
    assert [float(height) for height in heights] == [112.5, 37.5]
    assert re.findall(r">([\d,.% ]+)</text>", svg) == [
        *("75 %", "10", "8"),
        *("25 %", "15", "1,200"),
        "20",
    ]
    assert "10 to 15 dB 75 % of 8; 15 to 20 dB 25 % of 1,200" in svg
    ElementTree.fromstring(svg)


def test_pairs_of_a_budget_have_no_curve(untouched: Path) -> None:
    pairs = load_pairs(untouched / "pairs.csv")  # 20.0 to 21.6 dB
    assert [one.low for one in success_by_snr(pairs)] == [20.0, 21.0]


# ------------------------------------------------------------------ figures in the page


def test_figures_take_their_ink_from_the_page() -> None:
    figure = Figure(figsize=(3.5, 2.0))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#0072B2")
    axes.set_xlabel("a < b")
    svg = inline_svg(figure, "one", 'x & "y"')
    assert svg.startswith(
        '<svg class="figure" viewBox="0 0 252 144" role="img" aria-label="x &amp; &#34;y&#34;"'
    )
    assert "var(--series-0)" in svg and "currentColor" in svg
    assert not re.search(r"#[0-9a-fA-F]{6}\b|<style|<metadata|http|DejaVu", svg)
    assert "a &lt; b</text>" in svg
    ids = set(re.findall(r'\bid="([^"]*)"', svg))
    assert all(name.startswith("one-") for name in ids)
    used = re.findall(r'(?:href="#|url\(#)([^")]*)', svg)
    assert used and set(used) <= ids
    ElementTree.fromstring(svg)


# ------------------------------------------------------------------ size


def test_sounds_are_dropped_until_the_page_fits() -> None:
    asked = []

    def render(limit: int) -> str:
        asked.append(limit)
        return "é" * (limit // 2) + "x" * 100  # two bytes each

    assert len(fit(render, 1000, 5000).encode()) == 1100 and asked == [1000]
    asked.clear()
    assert len(fit(render, 1000, 600).encode()) <= 600
    assert asked == [1000, 500]
    assert fit(render, 1000, 50) == "x" * 100  # not even without any


# ------------------------------------------------------------------ hundreds of labels


def test_hundreds_of_labels_show_those_that_are_heard(samples: list[Sample]) -> None:
    labels = tuple(f"l{i:03d}" for i in range(297)) + LABELS
    rates = tuple(tuple(None if i == j else 0.5 for j in range(300)) for i in range(300))
    results = SimpleNamespace(
        labels=labels, success_matrix=rates, pair_counts=((1,) * 300,) * 300, per_target={}
    )
    views = hear(samples)
    tried = [replace(pair(20.0, True), source=one, target="high") for one in labels]
    shown = Shown.of(labels, tried, views)
    assert len(shown.sources) == 40
    assert {view.sample.source for view in views} <= set(shown.sources)
    assert shown.sources == [label for label in labels if label in shown.sources]
    assert set(shown.targets) == {view.sample.target for view in views} | {"high"}
    cells = matrix(results, shown, [], views)  # type: ignore[arg-type]
    assert [len(row) for row in cells] == [len(shown.targets)] * 40
    assert sum(len(cell.heard) for row in cells for cell in row) == len(views)
    with figure_style():
        axes = Figure().add_subplot()
        draw_matrix(axes, labels, rates)
        assert len(axes.get_xticks()) <= 60 and not len(axes.get_xticks(minor=True))
        few: list[list[float | None]] = [[None] * 300 for _ in labels]
        few[4][7], few[4][9], few[200][7] = 0.0, 1.0, 0.5
        axes = Figure().add_subplot()
        drawn = draw_matrix(axes, labels, few).get_array()
        assert drawn is not None and drawn.tolist() == [[0.0, 100.0], [50.0, None]]
        assert [text.get_text() for text in axes.get_yticklabels()] == ["l004", "l200"]
        assert axes.get_xlabel() == "target label (2 of 300, those tried)"
