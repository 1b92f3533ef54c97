"""Small pictures of the page, as SVG that takes its colours from the style sheet, or as WebP."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from PIL import Image

from mondegreen.report.spectrum import spectrogram_db

Wave = npt.NDArray[np.float64]
Colour = tuple[float, float, float]

LIGHT_CELLS = ((0.0, (238, 244, 241)), (0.65, (45, 117, 91)), (1.0, (3, 64, 45)))
DARK_CELLS = ((0.0, (30, 42, 38)), (1.0, (94, 222, 173)))
"""Colours of a matrix cell over its rate: one hue, monotone in lightness."""

WAVE_COLUMNS = 160
WAVE_HEIGHT = 80
FRAMES = 128
BARS = 24
QUALITY = 65
"""Of the compressed spectrograms, of 100: half the bytes of a PNG, and the eye sees no loss."""


def waveform_svg(
    x: Wave, limit: float, label: str, louder: Wave | None = None, detail: int = 1
) -> Markup:
    """Return the envelope of a waveform.

    Args:
        x: The waveform, ``(time,)``.
        limit: The amplitude at the upper edge.
        label: What a screen reader says.
        louder: Another waveform, drawn faintly behind it.
        detail: How many times finer than usual.
    """
    columns = min(detail * WAVE_COLUMNS, x.size)
    behind = Markup("")
    if louder is not None:
        behind = Markup('<path class="louder" d="{}"/>').format(_envelope(louder, columns, limit))
    return Markup(
        '<svg class="wave" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}<path d="{}"/></svg>'
    ).format(columns, WAVE_HEIGHT, label, behind, _envelope(x, columns, limit))


def _envelope(x: Wave, columns: int, limit: float) -> str:
    middle = WAVE_HEIGHT / 2
    scale = (middle - 1) / limit
    path = []
    for column, part in enumerate(np.array_split(x, columns)):
        high = round(middle - scale * float(part.max()))
        low = max(round(middle - scale * float(part.min())), high + 1)
        path.append(f"M{column} {high}V{low}")
    return "".join(path)


def spectrogram_image(
    x: Wave, sample_rate: int, top_db: float, range_db: float = 75.0, detail: int = 1
) -> bytes:
    """Return the spectrogram as a small WebP, frequency upwards, in matplotlib's ``magma``.

    Args:
        x: One waveform, ``(time,)``.
        sample_rate: In Hz.
        top_db: Level of the brightest colour, dB relative to a full-scale sine.
        range_db: Decibels down to black.
        detail: How many times finer than usual, in time and in frequency.
    """
    window = 2 * round(0.008 * sample_rate)
    hop = max(window // 4 // detail, math.ceil(x.size / FRAMES / detail))
    spectrum = spectrogram_db(x, window=window * detail, hop=hop)[::-1]
    share = np.clip((spectrum - top_db) / range_db + 1.0, 0.0, 1.0)
    colours = np.round(255 * matplotlib.colormaps["magma"](share)[..., :3]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).save(file, format="WEBP", quality=QUALITY, method=4)
    return file.getvalue()


def histogram_svg(
    values: Sequence[float | None], unit: str, label: str, *, narrowest: float = 0.5
) -> Markup:
    """Return a histogram with its median; an empty string where there is nothing to show.

    Args:
        values: The values; None, NaN and infinities are left out.
        unit: Of the values, for the axis.
        label: What a screen reader says.
        narrowest: Least span of the axis: where all values lie at the budget, one bar is drawn.
    """
    known = np.array([v for v in values if v is not None and math.isfinite(v)])
    if known.size == 0:
        return Markup("")
    low, high = float(known.min()), float(known.max())
    bars = BARS
    if high - low < narrowest:
        low, high = low - narrowest / 2, high + narrowest / 2
        bars += 1 - bars % 2  # an odd number: no edge goes through the middle
    counts, _ = np.histogram(known, bins=bars, range=(low, high))
    return _histogram(counts, low, high, float(np.median(known)), unit, label)


def _histogram(
    counts: npt.NDArray[np.intp], low: float, high: float, median: float, unit: str, label: str
) -> Markup:
    width, height, foot = 420.0, 150.0, 36.0
    bars = [
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            i * width / len(counts) + 0.5,
            height * (1 - count / counts.max()),
            width / len(counts) - 1,
            height * count / counts.max(),
        )
        for i, count in enumerate(counts)
    ]
    ticks = [
        Markup('<text x="{:.1f}" y="{:.0f}">{:g}</text>').format(
            width * (tick - low) / (high - low), height + 17, round(tick, 6)
        )
        for tick in _ticks(low, high)
    ]
    middle = width * (median - low) / (high - low)
    return Markup(
        '<svg class="histogram" viewBox="-14 -8 {} {}" role="img" aria-label="{}">{}'
        '<path class="axis" d="M0 {}H{}"/><path class="median" d="M{:.1f} -8V{}"/>{}'
        '<text x="{}" y="{}">{}</text></svg>'
    ).format(
        width + 28,
        height + foot + 8,
        label,
        Markup("").join(bars),
        height,
        width,
        middle,
        height,
        Markup("").join(ticks),
        width / 2,
        height + foot - 3,
        unit,
    )


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    return [step * i for i in range(first, math.floor(high / step) + 1)]


def cell_colours(rate: float) -> tuple[str, str, str, str]:
    """Return background and text of a matrix cell, for the light and then for the dark theme.

    The text is black or white, whichever contrasts more with the background (at least 4.5 to 1).
    """
    light = _blend(LIGHT_CELLS, rate)
    dark = _blend(DARK_CELLS, rate)
    return _hex(light), _ink(light), _hex(dark), _ink(dark)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours (WCAG 2).

    Example:
        >>> contrast("#000000", "#ffffff")
        21.0
    """
    bright, dark = sorted((_luminance(_rgb(first)), _luminance(_rgb(second))), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _blend(stops: Sequence[tuple[float, Colour]], rate: float) -> Colour:
    places, colours = zip(*stops, strict=True)
    red, green, blue = (float(np.interp(rate, places, part)) for part in zip(*colours, strict=True))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in colour)


def _rgb(text: str) -> Colour:
    red, green, blue = (int(text[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _ink(background: Colour) -> str:
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, _hex(background)))


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part <= 10.3 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
