"""The paper's figures, made from measurements; sized for a paper's column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from torch import Tensor

from mondegreen.report.curves import training_curves
from mondegreen.report.matrix_figure import NUMBERS_UP_TO, draw_matrix
from mondegreen.report.pairs import Pair
from mondegreen.report.paper import closest_setting
from mondegreen.report.results import Results
from mondegreen.report.spectrum import spectrogram_db
from mondegreen.report.style import (
    BLUE,
    COLUMN,
    GREY,
    ORANGE,
    PAGE,
    PURPLE,
    colour_bar,
    figure_style,
    plain,
    shorten,
)

SPECTROGRAM_COLOURS = "magma"
TARGETS_UP_TO = 40
RANGE_DB = 80.0
FloatArray = npt.NDArray[np.float64]

__all__ = ["clip_figure", "distributions", "per_target", "success_matrix", "training_curves"]


def success_matrix(results: Results) -> Figure:
    """Draw the success rate of every source and target (the paper's Fig. 4), in percent.

    The diagonal and pairs that were not measured stay blank. Beyond 15 labels the cells have no
    numbers, and labels without a pair are left out.
    """
    with figure_style():
        width = COLUMN if len(results.labels) <= NUMBERS_UP_TO else PAGE
        figure = Figure(figsize=(width, 0.85 * width), layout="constrained")
        axes = figure.add_subplot()
        image = draw_matrix(axes, results.labels, results.success_matrix)
        colour_bar(figure, image, axes, "success rate (%)")
    return figure


def clip_figure(
    x: Tensor | npt.NDArray[np.floating],
    x_adv: Tensor | npt.NDArray[np.floating],
    sample_rate: int,
    *,
    title: str = "",
) -> Figure:
    """Draw a clip and its adversarial example (the paper's Fig. 7, panels a to f).

    Waveforms, spectrograms, the residual and ten times the residual. All four waveform panels share
    their amplitude axis and both spectrograms their colours.

    Args:
        x: The original, one waveform in [-1, 1].
        x_adv: The adversarial example, as long.
        sample_rate: In Hz.
        title: Above the figure; no mark-up.

    Raises:
        ValueError: The waveforms are empty or differ in length.
    """
    clean, adversarial = _flat(x), _flat(x_adv)
    if clean.size == 0 or clean.shape != adversarial.shape:
        sizes = f"{clean.size} and {adversarial.size}"
        raise ValueError(f"expected two clips of one length, found {sizes} samples")
    residual = adversarial - clean
    limit = 1.05 * max(float(np.abs([clean, adversarial]).max()), 1e-3)
    with figure_style():
        figure = Figure(figsize=(COLUMN, 4.1), layout="constrained")
        if title:
            figure.suptitle(plain(title), fontsize=8)
        panels = figure.subplots(3, 2, sharex=True, sharey="row")
        panels[2, 0].set_ylim(-limit, limit)
        _draw_wave(panels[0, 0], clean, sample_rate, "(a) original", BLUE, limit)
        _draw_wave(panels[0, 1], adversarial, sample_rate, "(b) adversarial", ORANGE, limit)
        image = _draw_spectrograms(panels[1], clean, adversarial, sample_rate)
        _draw_wave(panels[2, 0], residual, sample_rate, "(e) residual", PURPLE, limit)
        _draw_wave(panels[2, 1], 10 * residual, sample_rate, "(f) 10 × residual", PURPLE, limit)
        for axes in panels[2]:
            axes.set_xlabel("time (s)")
        for row, label in enumerate(("amplitude", "frequency (kHz)", "amplitude")):
            panels[row, 0].set_ylabel(label)
        colour_bar(figure, image, panels[1, 1], "level (dB FS)")
        figure.align_ylabels(panels[:, 0])
    return figure


def _draw_wave(
    axes: Axes, x: FloatArray, sample_rate: int, title: str, colour: str, limit: float
) -> None:
    axes.plot(np.arange(x.size) / sample_rate, x, color=colour, linewidth=0.4)
    axes.set_xlim(0.0, x.size / sample_rate)
    axes.set_ylim(-limit, limit)
    axes.set_title(title)


def _draw_spectrograms(
    panels: Sequence[Axes], clean: FloatArray, adversarial: FloatArray, sample_rate: int
) -> AxesImage:
    window = 2 * round(0.008 * sample_rate)
    spectra = [spectrogram_db(x, window=window, hop=window // 4) for x in (clean, adversarial)]
    top = float(max(spectrum.max() for spectrum in spectra))
    extent = (0.0, clean.size / sample_rate, 0.0, sample_rate / 2000.0)
    for axes, spectrum, title in zip(
        panels, spectra, ("(c) original", "(d) adversarial"), strict=True
    ):
        image = axes.imshow(
            spectrum,
            origin="lower",
            aspect="auto",
            extent=extent,
            cmap=SPECTROGRAM_COLOURS,
            vmin=top - RANGE_DB,
            vmax=top,
        )
        axes.set_title(title)
    return image


def distributions(pairs: Sequence[Pair]) -> Figure:
    """Draw the histograms of SNR and narrow-band PESQ over the pairs, with their medians."""
    with figure_style():
        figure = Figure(figsize=(COLUMN, 1.75), layout="constrained")
        left, right = figure.subplots(1, 2)
        _histogram(left, [p.snr_db for p in pairs], "SNR (dB)", " dB", BLUE)
        _histogram(right, [p.pesq_nb for p in pairs], "PESQ, narrow-band (P.862)", "", ORANGE)
        left.set_ylabel("pairs")
    return figure


def _histogram(
    axes: Axes, values: Sequence[float | None], label: str, unit: str, colour: str
) -> None:
    axes.set_xlabel(label)
    known = np.array([v for v in values if v is not None and np.isfinite(v)])
    if known.size == 0:
        axes.text(0.5, 0.5, "not measured", ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    low, high = float(known.min()), float(known.max())
    if high - low < 0.5:  # all at the budget: keep the bar readable
        low, high = low - 0.25, high + 0.25
    axes.hist(known, bins=30, range=(low, high), color=colour, edgecolor="white", linewidth=0.3)
    median = float(np.median(known))
    axes.axvline(median, color="black", linewidth=0.9, linestyle="--")
    axes.set_title(f"median {median:.2f}{unit}", fontweight="normal")


def per_target(results: Results) -> Figure:
    """Draw success and narrow-band PESQ of every target; hollow marks are the paper's numbers.

    Of more than 40 targets those that were reached most rarely and most often, half of each.
    """
    setting = closest_setting(list(results.per_target))
    labels = _drawn_targets(results)
    reported = [setting.target(label) for label in labels]
    scores = [results.per_target[label] for label in labels]
    with figure_style():
        figure = Figure(figsize=(COLUMN, 0.9 + 0.15 * max(len(labels), 4)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _dots(left, [_percent(s.success_rate) for s in scores], BLUE, "measured")
        paper = [_percent(t.success_rate) if t else np.nan for t in reported]
        _dots(left, paper, GREY, "reported (paper)", hollow=True)
        _dots(right, [_or_nan(s.pesq_nb) for s in scores], BLUE, "measured")
        paper = [t.pesq if t else np.nan for t in reported]
        _dots(right, paper, GREY, "reported (paper)", hollow=True)
        left.set_yticks(range(len(labels)), [shorten(label) for label in labels])
        left.set_ylim(len(labels) - 0.4, -0.6)
        if np.ptp(left.get_xlim()) < 1.0:
            left.set_xlim(-2.0, 102.0)  # all alike: the axis would show rounding
        left.set_ylabel("target label")
        left.set_xlabel("success rate (%)")
        right.set_xlabel("PESQ nb (P.862)")
        handles, names = right.get_legend_handles_labels()
        if handles:
            figure.legend(handles, names, loc="outside upper center", ncols=2)
    return figure


def _drawn_targets(results: Results) -> list[str]:
    """Return the targets that a figure has room for."""
    every = list(results.per_target)
    if len(every) <= TARGETS_UP_TO:
        return every
    ranked = sorted(every, key=lambda label: results.per_target[label].success_rate or 0.0)
    half = TARGETS_UP_TO // 2
    return [*ranked[:half], *ranked[-half:]]


def _dots(
    axes: Axes, values: Sequence[float], colour: str, name: str, *, hollow: bool = False
) -> None:
    axes.grid(visible=True, axis="y")
    if not np.isfinite(values).any():
        return
    axes.plot(
        values,
        range(len(values)),
        linestyle="none",
        marker="D" if hollow else "o",
        markersize=3.6 if hollow else 4.2,
        color=colour,
        markerfacecolor="none" if hollow else colour,
        label=name,
    )


def _percent(rate: float | None) -> float:
    return np.nan if rate is None else 100.0 * rate


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _flat(x: Tensor | npt.NDArray[np.floating]) -> FloatArray:
    values = x.detach().cpu().numpy() if isinstance(x, Tensor) else x
    return np.asarray(values, dtype=np.float64).reshape(-1)
