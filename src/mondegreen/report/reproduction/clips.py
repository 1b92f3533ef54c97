"""Examples of every attack side by side: the paper's Fig. 7."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mondegreen.report.figures import RANGE_DB, SPECTROGRAM_COLOURS
from mondegreen.report.formatting import number
from mondegreen.report.reproduction.results import Reproduction
from mondegreen.report.reproduction.sounds import Example, Wave, existing, read_pair
from mondegreen.report.spectrum import spectrogram_db
from mondegreen.report.style import BLUE, ORANGE, PAGE, PURPLE, figure_style, plain
from mondegreen.report.waves import draw_envelope

TITLES = (
    "(a) original",
    "(b) adversarial",
    "(c) original",
    "(d) adversarial",
    "(e) residual",
    "(f) 10 × residual",
)
MOST_ROWS = 6
Shown = tuple[Example, tuple[Path, Path]]


def rows_of(reproduction: Reproduction, setting: str) -> list[Shown]:
    """Return the examples of one source and target that most attacks have, with their files.

    Of examples of one attack the first is taken. Those whose sounds are missing are left out.
    """
    groups: dict[tuple[str, str], dict[str, Shown]] = {}
    for one in reproduction.examples:
        files = existing(reproduction.folder, one.sounds)
        if one.setting == setting and files:
            groups.setdefault((one.source, one.target), {}).setdefault(one.attack, (one, files))
    most = max(groups.values(), key=len, default={})
    return list(most.values())[:MOST_ROWS]


def attacked_clips(rows: Sequence[Shown]) -> Figure:
    """Draw one row an attack: waveforms, spectrograms, the residual and ten times the residual.

    The waveforms of a row share their amplitude axis, its spectrograms their colours: 80 dB from
    black to white.

    Raises:
        MondegreenError: A sound is damaged.
    """
    with figure_style():
        height = 0.55 + 1.02 * len(rows)
        figure = Figure(figsize=(PAGE, height), layout="constrained")
        grid = figure.subplots(len(rows), len(TITLES), sharex=True, squeeze=False)
        for panels, (example, files) in zip(grid, rows, strict=True):
            _row(panels, *read_pair(files))
            panels[0].set_ylabel(_name(example), fontsize=6.2)
        for axes, title in zip(grid[0], TITLES, strict=True):
            axes.set_title(title, fontsize=7)
        for axes in grid[-1]:
            axes.set_xlabel("time (s)")
        example = rows[0][0]
        figure.suptitle(plain(f"“{example.source}” → “{example.target}”"), fontsize=8)
        figure.align_ylabels(grid[:, 0])
    return figure


def _name(example: Example) -> str:
    lines = [*textwrap.wrap(example.title, 22)[:2]]
    lines.append(f"{number(example.snr_db, 1, 'dB')}{'' if example.success else ', failed'}")
    lines.append("amplitude")
    return plain("\n".join(lines))


def _row(panels: Sequence[Axes], x: Wave, x_adv: Wave, rate: int) -> None:
    delta = x_adv - x
    limit = 1.05 * max(float(np.abs([x, x_adv]).max()), 1e-3)
    waves = ((0, x, BLUE), (1, x_adv, ORANGE), (4, delta, PURPLE), (5, 10 * delta, PURPLE))
    for place, wave, colour in waves:
        draw_envelope(panels[place], wave, rate, colour, limit=limit)
        if place:
            panels[place].set_yticklabels([])
    window = 2 * round(0.008 * rate)
    spectra = [spectrogram_db(one, window=window, hop=window // 4) for one in (x, x_adv)]
    top = float(max(spectrum.max() for spectrum in spectra))
    for axes, spectrum in zip(panels[2:4], spectra, strict=True):
        axes.imshow(
            spectrum,
            origin="lower",
            aspect="auto",
            extent=(0.0, x.size / rate, 0.0, rate / 2000.0),
            cmap=SPECTROGRAM_COLOURS,
            vmin=top - RANGE_DB,
            vmax=top,
        )
    panels[2].set_ylabel("kHz")
    panels[3].set_yticklabels([])
