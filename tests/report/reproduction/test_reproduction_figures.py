"""Figures of a made-up reproduction: every number can be found again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.audio import write_wav
from mondegreen.errors import MondegreenError
from mondegreen.report.paper import ABLATION, SPEECH
from mondegreen.report.reproduction.ablation_figures import (
    over_seeds,
    perturbations,
    pictured,
    training_by_losses,
)
from mondegreen.report.reproduction.clips import TITLES, attacked_clips, rows_of
from mondegreen.report.reproduction.figures import by_target, error_rates, success_matrices
from mondegreen.report.reproduction.results import Reproduction, load_reproduction
from mondegreen.report.reproduction.trainings import Ablation
from mondegreen.report.waves import draw_envelope

Content = dict[str, Any]
Build = Callable[..., Path]
Load = Callable[..., Reproduction]


@pytest.fixture(scope="module")
def found(untouched: Path) -> Reproduction:
    return load_reproduction(untouched)


def ablation_of(found: Reproduction) -> Ablation:
    assert isinstance(found.ablation, Ablation)
    return found.ablation


def named(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    """The points of every line that has a name."""
    return {
        str(line.get_label()): (
            np.asarray(line.get_xdata(), dtype=float).tolist(),
            np.asarray(line.get_ydata(), dtype=float).tolist(),
        )
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_matrices_stand_side_by_side(found: Reproduction) -> None:
    speech = found.settings[0]
    figure = success_matrices(speech, ("single", "unified"))
    assert len(figure.axes) == 2 and figure.get_figwidth() == 7.16
    for axes, kind in zip(figure.axes, ("single", "unified"), strict=True):
        shown: Any = np.ma.filled(np.ma.asarray(axes.images[0].get_array()), np.nan)
        wanted = 100 * np.array(speech.measured()[kind].success_matrix, dtype=float)
        np.testing.assert_array_equal(shown, wanted)
    assert figure.axes[0].get_title("left").startswith("one network a target: 9")
    one = success_matrices(found.settings[2], ("single", "unified"))  # one of them is missing
    assert len(one.axes) == 1 and one.get_figwidth() == 3.5


def test_targets_without_a_network_are_dashes(load: Load) -> None:
    def change(content: Content) -> None:
        single = content["settings"][0]["generators"]["single"]
        for row in single["success_matrix"]:
            row[0] = None
        single["missing_targets"] = {"yes": "no time"}

    axes = success_matrices(load(change).settings[0], ("single",)).axes[0]
    texts = {t.get_position(): t.get_text() for t in axes.texts}
    assert texts[0, 1] == "–" and texts[0, 0] == ""


def test_boxes_stand_beside_what_is_reported(found: Reproduction) -> None:
    axes = error_rates(found).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["speech", "sounds", "music"]
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines]
    for end in SPEECH.error_range:
        assert any(y.size == 2 and np.allclose(y, 100 * end) for y in drawn)
    assert any(y.size == 1 and y[0] == pytest.approx(100 * SPEECH.error_mean) for y in drawn)
    for setting in found.settings:
        for scores in setting.measured().values():
            median = 100 * float(np.median(scores.errors))
            assert any(y.size == 2 and np.allclose(y, median) for y in drawn)
    assert len(axes.patches) == 3 + 3 + 2  # of music, one network a target is missing
    assert "paper, reported: range" in legend(error_rates(found))
    assert "%" in axes.get_ylabel()


def test_dots_are_the_rates_and_ratios_of_the_targets(found: Reproduction) -> None:
    speech = found.settings[0]
    left, right = by_target(speech).axes
    single = speech.measured()["single"]
    wanted = [100 * (one.success_rate or 0.0) for one in single.per_target.values()]
    assert named(left)["one network a target"][0] == pytest.approx(wanted)
    reported = named(right)["paper, reported"][0]
    assert reported == pytest.approx([one.snr_db for one in SPEECH.targets])
    known = [rate for rate in named(left)["paper, reported"][0] if np.isfinite(rate)]
    assert known == pytest.approx([95.34, 94.02, 96.21, 92.79])
    assert "paper, reported" not in named(by_target(found.settings[1]).axes[0])


def test_training_curves_are_means_over_seeds_with_their_range(found: Reproduction) -> None:
    figure = training_by_losses(ablation_of(found))
    upper, other, lower, _ = figure.axes
    assert upper.get_title("left").endswith("as in the authors' code")
    assert other.get_title("left").endswith("as printed")
    trainings = ablation_of(found).of("l2", "code")
    values = np.array([[100 * y for _, y in one.points("train/success")] for one in trainings])
    steps, mean = named(upper)["L2 alone"]
    assert steps == [step for step, _ in trainings[0].points("train/success")]
    np.testing.assert_allclose(mean, values.mean(axis=0))
    band = upper.collections[1].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == pytest.approx((values.min(), values.max()))
    for one in ABLATION:
        names = {"hinge": "hinge alone", "l2": "L2 alone", "both": "L2 and hinge"}
        mark = named(upper)[f"paper, reported best: {names[one.variant]}"]
        assert mark[1] == [pytest.approx(100 * one.best)]
    losses = [[y for _, y in one.points("generator/total")] for one in trainings]
    np.testing.assert_allclose(named(lower)["L2 alone"][1], np.mean(losses, axis=0))
    assert lower.get_xlabel() == "step" and upper.get_ylabel() == "training success (%)"


def test_seeds_of_other_steps_are_joined_where_all_are() -> None:
    steps, values = over_seeds([[(0, 0.0), (10, 1.0)], [(5, 2.0), (20, 5.0)]])
    assert steps.tolist() == [5.0, 10.0]
    np.testing.assert_allclose(values, [[0.5, 1.0], [2.0, 3.0]])
    steps, values = over_seeds([[(0, 0.0), (1, 1.0)], [(5, 2.0)]])  # they never meet
    assert steps.tolist() == [1.0] and values.tolist() == [[1.0], [2.0]]


def test_a_short_training_is_drawn(load: Load) -> None:
    def change(content: Content) -> None:
        content["ablation"]["runs"] = content["ablation"]["runs"][:1]
        run = content["ablation"]["runs"][0]
        run["curve"] = [{**run["curve"][0], "generator/total": None}]

    figure = training_by_losses(ablation_of(load(change)))
    assert len(figure.axes) == 2 and figure.get_figwidth() == 3.5
    figure.draw_without_rendering()


def test_perturbations_have_a_column_a_reading(found: Reproduction) -> None:
    files = pictured(ablation_of(found), found.folder)
    assert set(files) == {(v, r) for v in ("hinge", "l2", "both") for r in ("code", "paper")}
    assert all(path.parent.name.endswith("-1") for path, _ in files.values())  # the first seed
    figure = perturbations(ablation_of(found), files)
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles[0] == "(a) original “yes”" and len(titles) == 8
    assert titles[1].startswith("(b) hinge alone: 4") and titles[1].endswith("in a tenth")
    assert pictured(ablation_of(found), None) == {}


def test_a_variant_without_a_sound_is_named(found: Reproduction) -> None:
    files = pictured(ablation_of(found), found.folder)
    only = {("both", "code"): files["both", "code"]}
    figure = perturbations(ablation_of(found), only)
    assert len(figure.axes) == 4 and figure.get_figwidth() == 3.5
    assert [t.get_text() for t in figure.axes[1].texts] == ["not in this run"]


def test_clips_have_a_row_an_attack(found: Reproduction) -> None:
    rows = rows_of(found, "speech")
    assert [one.attack for one, _ in rows] == ["generator", "genetic", "pso", "pgd"]
    figure = attacked_clips(rows)
    assert [axes.get_title("left") for axes in figure.axes[:6]] == list(TITLES)
    assert len(figure.axes) == 24
    assert "failed" in figure.axes[12].get_ylabel() and "20.1 dB" in figure.axes[0].get_ylabel()
    images = [axes.images[0] for axes in figure.axes[2:4]]
    assert images[0].get_clim() == images[1].get_clim()
    assert rows_of(found, "music") == []


def test_the_source_and_target_of_most_attacks_is_shown(build: Build) -> None:
    def change(content: Content) -> None:
        content["examples"].insert(0, {**content["examples"][0], "target": "no"})
        content["examples"].append(dict(content["examples"][1]))  # a second of the same attack

    rows = rows_of(load_reproduction(build(change)), "speech")
    assert {one.target for one, _ in rows} == {"go"} and len(rows) == 4


def test_sounds_that_do_not_belong_together_are_refused(build: Build) -> None:
    folder = build()
    write_wav(folder / "examples/speech-generator-adv.wav", torch.zeros(7), 8000)
    rows = rows_of(load_reproduction(folder), "speech")
    with pytest.raises(MondegreenError, match="differs in length"):
        attacked_clips(rows)


def test_an_envelope_keeps_every_peak() -> None:
    axes = Figure().add_subplot()
    x = np.zeros(4000)
    x[1234], x[3000] = 0.7, -0.9
    draw_envelope(axes, x, 8000, "black")
    extent = axes.collections[0].get_paths()[0].get_extents()
    assert (extent.y0, extent.y1) == pytest.approx((-0.9, 0.7))
    assert axes.get_xlim() == (0.0, 0.5) and axes.get_ylim() == pytest.approx((-0.945, 0.945))
