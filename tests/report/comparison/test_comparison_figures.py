"""Figures of a made-up comparison: every number can be found again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from mondegreen.report.comparison_figures import (
    draw_comparison,
    figure_names,
    success_over_pesq,
    success_over_snr,
)
from mondegreen.report.comparison_panels import (
    pareto_front,
    success_over_queries,
    success_over_time,
)
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_style import COLOURS, look

Make = Callable[..., Comparison]
MakeCell = Callable[..., dict[str, Any]]


def lines(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """The points of every line that has a name."""
    return {
        str(line.get_label()): list(
            zip(
                np.asarray(line.get_xdata(), dtype=float).tolist(),
                np.asarray(line.get_ydata(), dtype=float).tolist(),
                strict=True,
            )
        )
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }


# ------------------------------------------------------------------ figures


def test_success_over_snr_has_a_line_and_a_band_an_attack(make: Make) -> None:
    figure = success_over_snr(make())
    (axes,) = figure.axes
    drawn = lines(axes)
    assert drawn["generator"] == [(20.0, 95.0), (30.0, 85.0)]
    assert drawn["generator + 5 steps"] == [(20.0, 99.0), (30.0, 97.0)]
    assert drawn["gradient search, 20 steps"] == [(20.0, 90.0), (30.0, 50.0)]
    assert set(drawn) == {*list(drawn)[:3], "untouched clips"}  # quietness is no line here
    assert len(axes.collections) == 3
    low, high = axes.collections[0].get_paths()[0].get_extents().intervaly
    assert (low, high) == pytest.approx((75.0, 100.0))
    assert "dB" in axes.get_xlabel() and axes.get_ylabel() == "success rate (%)"


def test_colours_marks_and_dashes_differ(make: Make) -> None:
    axes = success_over_snr(make()).axes[0]
    looks = [(x.get_color(), x.get_marker(), x.get_linestyle()) for x in axes.lines[:3]]
    assert all(len(set(part)) == 3 for part in zip(*looks, strict=True))


def test_a_dozen_attacks_are_told_apart(make: Make, cell: MakeCell) -> None:
    steps = (1, 2, 3, 5, 10, 20)
    cells = [cell(f"pgd:steps={k}", db, 0.5, steps=k) for k in steps for db in (20, 30)]
    cells += [cell(f"generator+{k}", db, 0.5, steps=k) for k in steps for db in (20, 30)]
    figure = success_over_snr(make(cells))
    axes = figure.axes[0]
    looks = [(x.get_color(), x.get_marker(), x.get_linestyle()) for x in axes.lines[:12]]
    assert len({colour for colour, _, _ in looks}) == 12
    assert not any(one[1:] == two[1:] for one, two in pairwise(looks))
    assert not axes.collections  # a dozen bands would hide each other
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 13


def test_more_than_a_dozen_are_thinned_to_their_ends(make: Make, cell: MakeCell) -> None:
    steps = (1, 2, 3, 5, 8, 10, 20)
    cells = [cell(f"pgd:steps={k}", db, 0.5, steps=k) for k in steps for db in (20, 30)]
    cells += [cell(f"generator+{k}", db, 0.5, steps=k) for k in steps for db in (20, 30)]
    drawn = lines(success_over_snr(make(cells)).axes[0])
    assert set(drawn) == {
        "gradient search, 1 step",
        "gradient search, 20 steps",
        "generator + 1 step",
        "generator + 20 steps",
        "untouched clips",
    }


def test_looks_do_not_repeat_before_colours_have_met_other_marks() -> None:
    looks = {(look(k)["color"], look(k)["marker"], str(look(k)["linestyle"])) for k in range(36)}
    assert len(looks) == 36 and len(set(COLOURS)) == 12


def test_smallest_perturbations_have_a_line_of_their_one_run(make: Make, cell: MakeCell) -> None:
    curve = [[60.0, 0.05], [45.0, 0.1], [35.0, 0.25], [25.0, 0.5], [22.0, 0.75]]
    smallest = cell(
        "cw",
        0,
        0.8,
        budget={"kind": "none", "value": None},
        smallest=True,
        success_over_snr=curve,
        pesq=3.2,
    )
    others = [cell("pgd", db, 0.5) for db in (20, 30, 40)]
    drawn = lines(success_over_snr(make([*others, smallest])).axes[0])
    # From the lowest budget on, for who succeeds at 22 dB does so at 20, and down to a tenth.
    assert drawn["Carlini and Wagner, smallest"] == [
        (20.0, 75.0),
        (22.0, 75.0),
        (25.0, 50.0),
        (35.0, 25.0),
        (45.0, 10.0),
    ]
    assert lines(success_over_pesq(make([smallest])).axes[0])["Carlini and Wagner, smallest"] == [
        (3.2, 80.0)
    ]
    alone = success_over_snr(make([smallest])).axes[0]
    assert lines(alone)["Carlini and Wagner, smallest"][0] == (22.0, 75.0)
    low, high = alone.get_xlim()
    assert low < 22.0 and 45.0 < high < 50.0


def test_success_over_queries_has_a_panel_a_budget(make: Make, cell: MakeCell) -> None:
    def search(label: str, db: float, points: list[list[float]], **more: Any) -> dict[str, Any]:
        settings = {"gradients_per_clip": 0.0, "success_over_queries": points, **more}
        return cell(label, db, points[-1][1], **settings)

    cells = [
        search("genetic", 15, [[0.0, 0.1], [50.0, 0.5]]),
        search("square", 15, [[20.0, 0.2], [900.0, 0.9]]),
        search("square", 25, [[400.0, 0.3]]),
        search("pgd", 15, [[3.0, 0.9]], gradients_per_clip=2.0),
        search("generator", 15, [[1.0, 0.9]]),
    ]
    assert "success_over_queries" in figure_names(make(cells))
    figure = success_over_queries(make(cells))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in panels] == ["SNR ≥ 15 dB", "SNR ≥ 25 dB"]
    first, second = map(lines, panels)
    assert set(first) == {
        "genetic attack (Alzantot et al.)",
        "square attack (Andriushchenko et al.)",
        "untouched clips",
    }
    # No query at all is shown as one: the axis is logarithmic.
    assert first["genetic attack (Alzantot et al.)"] == [(1.0, 0.0), (1.0, 10.0), (50.0, 50.0)]
    assert second["square attack (Andriushchenko et al.)"] == [(400.0, 0.0), (400.0, 30.0)]
    assert panels[0].get_xlim()[1] > 900.0


def test_times_of_the_run_itself_are_hollow(make: Make, cell: MakeCell) -> None:
    slow = cell("genetic", 20, 0.3, milliseconds_per_clip=None, seconds_per_clip=12.0)
    figure = success_over_time(make([cell("generator", 20, 0.9, steps=0), slow]))
    (panel,) = [axes for axes in figure.axes if axes.get_visible()]
    assert lines(panel)["genetic attack (Alzantot et al.)"] == [(12_000.0, 30.0)]
    hollow = [x for x in panel.lines if x.get_markerfacecolor() == "white"]
    assert [np.asarray(x.get_xdata()).tolist() for x in hollow] == [[12_000.0]]
    (legend,) = figure.legends
    assert "time of the run itself" in legend.get_texts()[-1].get_text()


def test_success_over_pesq_leaves_out_what_was_not_measured(make: Make) -> None:
    drawn = lines(success_over_pesq(make()).axes[0])
    assert drawn["generator"] == [(3.1, 95.0), (3.5, 85.0)]
    assert drawn["generator + 5 steps"] == [(3.0, 99.0)]  # nothing was measured at 30 dB
    dial = drawn["its quietness, at 20 dB"]
    assert dial == [(3.1, 95.0), (3.6, 90.0), (3.9, 80.0)]
    texts = [text.get_text() for text in success_over_pesq(make()).axes[0].texts]
    assert texts == ["20 dB", "30 dB", "0.5", "1"]


def test_figures_without_numbers_are_not_drawn(make: Make, cell: MakeCell) -> None:
    deaf = [cell(label, 20, 0.5, pesq=None, ms=None) for label in ("generator", "universal")]
    assert draw_comparison(make(deaf)) == {}
    assert set(draw_comparison(make())) == {
        "success_over_snr",
        "success_over_pesq",
        "success_over_time",
    }


def test_success_over_time_has_a_panel_a_budget(make: Make) -> None:
    figure = success_over_time(make())
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in panels] == ["SNR ≥ 20 dB", "SNR ≥ 30 dB"]
    drawn = lines(panels[0])
    assert drawn["generator + k steps"] == [(8.0, 95.0), (60.0, 99.0)]
    assert drawn["gradient search, 20 steps"] == [(200.0, 90.0)]
    assert drawn["Pareto front"][:2] == [(8.0, 95.0), (60.0, 99.0)]
    assert panels[0].get_xscale() == "log"
    assert [text.get_text() for text in panels[0].texts] == ["0", "5"]
    assert panels[0].get_xlim()[0] < 8.0 and panels[0].get_xlim()[1] > 210.0


def test_the_front_holds_what_nothing_beats() -> None:
    random = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in random.integers(0, 12, (60, 2))]
    beaten = {p for p in points for q in points if q[0] <= p[0] and q[1] >= p[1] and q != p}
    assert set(pareto_front(points)) == set(points) - beaten
    assert pareto_front([]) == []


def test_intervals_stand_behind_the_marks_of_success_over_time(make: Make, cell: MakeCell) -> None:
    cells = [cell("generator", 20, 0.6, ms=5.0), cell("fgsm", 20, 0.4, ms=50.0)]
    (axes,) = success_over_time(make(cells)).axes
    bars = [bar.get_segments()[0].tolist() for bar in axes.collections]  # type: ignore[attr-defined]
    assert bars == [
        [[5.0, pytest.approx(50.0)], [5.0, pytest.approx(70.0)]],
        [[50.0, pytest.approx(30.0)], [50.0, pytest.approx(50.0)]],
    ]


def test_numbers_of_two_families_do_not_fall_on_one_another(make: Make, cell: MakeCell) -> None:
    near = [("bim", 40.0, 5), ("bim", 90.0, 20), ("apgd", 45.0, 5), ("apgd", 91.0, 20)]
    cells = [
        cell(f"{kind}:steps={steps}", 20, 0.5 if steps == 5 else 0.9, steps=steps, ms=ms)
        for kind, ms, steps in [*near, ("pgd", 20.0, 5), ("pgd", 89.0, 20)]
    ]
    (axes,) = success_over_time(make(cells)).axes
    told = [(text.get_text(), text.xy[0]) for text in axes.texts]  # type: ignore[attr-defined]
    # The third family's marks are labelled above as the first one's, where they are apart.
    assert ("5", 20.0) in told and ("20", 90.0) in told
    assert ("20", 89.0) not in told
