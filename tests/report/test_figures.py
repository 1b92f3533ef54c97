from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from mondegreen.errors import MondegreenError
from mondegreen.report.figures import (
    clip_figure,
    distributions,
    per_target,
    success_matrix,
    training_curves,
)
from mondegreen.report.page import write_figures
from mondegreen.report.pairs import load_pairs
from mondegreen.report.results import Results, load_results
from mondegreen.report.style import save_figure

Build = Callable[..., Path]


@pytest.fixture
def results(untouched: Path) -> Results:
    return load_results(untouched / "results.json")


def with_labels(results: Results, count: int, rate: float = 0.5) -> Results:
    labels = tuple(f"label {i}" for i in range(count))
    matrix = tuple(tuple(None if i == j else rate for j in range(count)) for i in range(count))
    return replace(
        results, classifier=replace(results.classifier, labels=labels), success_matrix=matrix
    )


def labelled(figure: Figure) -> set[str]:
    axes = [a for parent in figure.axes for a in (parent, *parent.child_axes)]
    return {a.get_xlabel() for a in axes} | {a.get_ylabel() for a in axes} - {""}


def test_success_matrix_shows_the_rates(results: Results) -> None:
    figure = success_matrix(results)
    axes = figure.axes[0]
    shown: npt.NDArray[np.float64] = np.ma.filled(np.ma.asarray(axes.images[0].get_array()), np.nan)
    wanted = 100 * np.array(results.success_matrix, dtype=float)
    np.testing.assert_array_equal(shown, wanted)
    assert np.isnan(np.diagonal(shown)).all()
    texts = {t.get_position(): t.get_text() for t in axes.texts}
    assert texts[1, 0] == "100" and texts[2, 0] == "0.0"
    assert texts[0, 0] == ""  # the diagonal is blank
    assert [t.get_text() for t in axes.get_xticklabels()] == list(results.labels)
    assert {"target label", "source label", "success rate (%)"} <= labelled(figure)


@pytest.mark.parametrize(("count", "numbers"), [(2, True), (10, True), (15, True), (16, False)])
def test_numbers_vanish_beyond_15_labels(results: Results, count: int, numbers: bool) -> None:
    figure = success_matrix(with_labels(results, count))
    figure.draw_without_rendering()
    texts = [t.get_text() for t in figure.axes[0].texts if t.get_text()]
    assert len(texts) == (count * (count - 1) if numbers else 0)
    assert figure.get_figwidth() == (3.5 if numbers else 7.16)


def test_numbers_contrast_with_their_cells(results: Results) -> None:
    for rate, colour in ((0.05, "#010101"), (0.95, "#fefefe")):
        texts = success_matrix(with_labels(results, 3, rate)).axes[0].texts
        assert {t.get_color() for t in texts if t.get_text()} == {colour}


def test_unmeasured_cells_are_marked(results: Results) -> None:
    matrix = ((None, None, 1.0), (0.5, None, 0.5), (0.5, 0.5, None))
    texts = success_matrix(replace(results, success_matrix=matrix)).axes[0].texts
    at = {t.get_position(): t.get_text() for t in texts}
    assert at[1, 0] == "–" and at[2, 0] == "100" and at[1, 1] == ""


def test_clip_figure_draws_what_it_is_given() -> None:
    rate = 8000
    x = 0.5 * torch.sin(2 * torch.pi * 1000 * torch.arange(rate) / rate)
    x_adv = x + 0.01
    figure = clip_figure(x[None, None].requires_grad_(), x_adv.numpy(), rate, title="5 $ a $ pair")
    waves = [a for a in figure.axes if a.lines]
    titles = [a.get_title("left") for a in waves]
    assert titles == ["(a) original", "(b) adversarial", "(e) residual", "(f) 10 × residual"]
    drawn = [np.asarray(a.lines[0].get_ydata()) for a in waves]
    np.testing.assert_array_equal(drawn[0], x.numpy().astype(float))
    np.testing.assert_allclose(drawn[2], 0.01, atol=1e-7)
    np.testing.assert_allclose(drawn[3], 0.1, atol=1e-6)
    assert len({a.get_ylim() for a in waves}) == 1
    images = [a.images[0] for a in figure.axes if a.images and a.get_title("left")]
    assert [tuple(i.get_extent()) for i in images] == [(0.0, 1.0, 0.0, 4.0)] * 2
    assert images[0].get_clim() == images[1].get_clim()
    spectrum = np.asarray(images[0].get_array())
    assert np.isfinite(spectrum).all()
    assert spectrum[:, 50].argmax() / (spectrum.shape[0] - 1) * 4.0 == pytest.approx(1.0, abs=0.05)
    assert {"time (s)", "frequency (kHz)", "amplitude", "level (dB FS)"} <= labelled(figure)
    figure.draw_without_rendering()  # a dollar sign would fail here as mathematics


def test_clip_figure_of_silence_and_of_nonsense() -> None:
    clip_figure(torch.zeros(400), torch.zeros(400), 8000).draw_without_rendering()
    with pytest.raises(ValueError, match="found 3 and 4 samples"):
        clip_figure(torch.zeros(3), torch.zeros(4), 8000)
    with pytest.raises(ValueError, match="found 0"):
        clip_figure(torch.zeros(0), torch.zeros(0), 8000)


def test_distributions_hold_every_measured_pair(untouched: Path) -> None:
    figure = distributions(load_pairs(untouched / "pairs.csv"))
    left, right = figure.axes
    assert sum(p.get_height() for p in left.patches) == 12  # type: ignore[attr-defined]
    assert sum(p.get_height() for p in right.patches) == 11  # type: ignore[attr-defined]
    assert left.get_title("left") == f"median {20 + 5.5 / 7:.2f} dB"
    assert {"SNR (dB)", "PESQ, narrow-band (P.862)", "pairs"} <= labelled(figure)


def test_distributions_of_nothing_say_so(untouched: Path) -> None:
    pairs = [replace(p, pesq_nb=None) for p in load_pairs(untouched / "pairs.csv")]
    assert [t.get_text() for t in distributions(pairs).axes[1].texts] == ["not measured"]


def test_per_target_shows_measured_and_reported(build: Build) -> None:
    results = load_results(build(("up", "yes", "zebra")) / "results.json")
    left, right = per_target(results).axes
    by_name = {line.get_label(): np.asarray(line.get_xdata()) for line in left.lines}
    np.testing.assert_array_equal(by_name["measured"], [50.0, 50.0, 50.0])
    np.testing.assert_allclose(by_name["reported (paper)"], [95.34, np.nan, np.nan])
    by_name = {line.get_label(): np.asarray(line.get_xdata()) for line in right.lines}
    np.testing.assert_allclose(by_name["reported (paper)"], [3.151, 2.808, np.nan])
    assert left.get_xlabel() == "success rate (%)" and left.get_ylabel() == "target label"
    assert left.get_ylim()[0] > left.get_ylim()[1]  # the first label is on top


def test_training_curves() -> None:
    rows: list[dict[str, float | None]] = [
        {
            "step": 10,
            "generator/total": 900.0,
            "generator/gradient_norm": 1.0,
            "validation/success": None,
        },
        {"step": 20, "generator/total": 3.0, "discriminator/loss": 0.5, "validation/success": 0.25},
        {"step": 30, "generator/total": 1.0, "train/snr_db": 20.0, "validation/success": 0.75},
    ]
    figure = training_curves(rows)
    loss, success, snr = figure.axes
    assert [line.get_label() for line in loss.lines] == ["discriminator/loss", "generator/total"]
    assert loss.get_yscale() == "log"
    np.testing.assert_array_equal(np.asarray(success.lines[0].get_ydata()), [25.0, 75.0])
    np.testing.assert_array_equal(np.asarray(success.lines[0].get_xdata()), [20, 30])
    assert snr.get_ylabel() == "SNR (dB)" and snr.get_xlabel() == "step"
    with pytest.raises(MondegreenError, match="no losses"):
        training_curves([{"step": 1, "epoch": 1}])


def test_saving_twice_gives_the_same_bytes(results: Results, tmp_path: Path) -> None:
    formats = ("png", "svg", "pdf")
    first = save_figure(per_target(results), tmp_path / "a" / "one.figure", formats)
    second = save_figure(per_target(results), tmp_path / "b" / "one.figure", formats)
    assert [path.name for path in first] == ["one.figure.png", "one.figure.svg", "one.figure.pdf"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(p.name for p in first)


def test_style_leaves_matplotlib_alone(results: Results) -> None:
    before = dict(matplotlib.rcParams)
    success_matrix(results)
    assert dict(matplotlib.rcParams) == before


def test_write_figures(build: Build) -> None:
    folder = build(sounds=1)
    (folder / "metrics.jsonl").write_text('{"step": 1, "generator/total": 1}\n')
    files = write_figures(folder, formats=("png",))
    names = {"success_matrix", "distributions", "per_target", "training_curves", "clip_1"}
    assert {file.name for file in files} == {f"{name}.png" for name in names}
    for file in files:
        assert file.parent == folder / "figures"
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("L"))
        assert pixels.shape[1] == 1050  # 3.5 inches at 300 dots an inch
        assert pixels.std() > 5


def test_vector_files_hold_vectors(untouched: Path, tmp_path: Path) -> None:
    pairs = load_pairs(untouched / "pairs.csv")
    svg, pdf = save_figure(distributions(pairs), tmp_path / "figure", ("svg", "pdf"))
    root = ElementTree.parse(svg).getroot()
    assert root.tag.endswith("svg") and float(root.attrib["width"].removesuffix("pt")) == 252.0
    assert "<image" not in svg.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF")
