from __future__ import annotations

import io
import re

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mondegreen.report.drawings import (
    cell_colours,
    contrast,
    histogram_svg,
    spectrogram_image,
    waveform_svg,
)
from mondegreen.report.spectrum import spectrogram_db


def tone(hertz: float, amplitude: float = 1.0, rate: int = 16000) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)


def test_a_tone_has_its_level_and_place() -> None:
    spectrum = spectrogram_db(tone(2000.0, amplitude=0.1), window=512, hop=128)
    assert spectrum.shape == (257, 126)
    inner = spectrum[:, 5:-5]
    assert (inner.argmax(axis=0) == 64).all()
    np.testing.assert_allclose(inner.max(axis=0), -20.0, atol=0.01)


def test_spectrogram_agrees_with_scipy() -> None:
    x = np.random.default_rng(3).normal(size=4000)
    ours = spectrogram_db(x, window=256, hop=64)
    _, _, reference = scipy.signal.stft(
        x, window="hann", nperseg=256, noverlap=192, boundary="zeros", padded=False
    )
    frames = min(ours.shape[1], reference.shape[1])
    np.testing.assert_allclose(
        ours[:, :frames], 20 * np.log10(2 * np.abs(reference[:, :frames])), atol=1e-6
    )


def test_silence_is_the_floor() -> None:
    assert (spectrogram_db(np.zeros(1000), window=256, hop=64, floor_db=-90) == -90).all()


def test_contrast_knows_the_published_values() -> None:
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")
    assert contrast("#123456", "#123456") == 1.0


@given(st.floats(0, 1))
def test_every_cell_can_be_read_in_both_themes(rate: float) -> None:
    light, on_light, dark, on_dark = cell_colours(rate)
    assert contrast(light, on_light) >= 4.5
    assert contrast(dark, on_dark) >= 4.5


def test_cells_get_steadily_darker_or_brighter() -> None:
    steps = [cell_colours(rate) for rate in np.linspace(0, 1, 21)]
    on_white = [contrast(light, "#ffffff") for light, _, _, _ in steps]
    on_black = [contrast(dark, "#000000") for _, _, dark, _ in steps]
    assert on_white == sorted(on_white)
    assert on_black == sorted(on_black)


def spans(svg: str) -> list[tuple[int, int]]:
    return [(int(high), int(low)) for high, low in re.findall(r"M\d+ (\d+)V(\d+)", svg)]


def test_waveform_reaches_as_far_as_its_peak() -> None:
    x = np.zeros(1600)
    x[1000:1010] = 0.5
    x[1500:1510] = -1.0
    svg = waveform_svg(x, 1.0, 'a "tone" & <more>')
    found = spans(svg)
    assert len(found) == 160
    assert found[0] == (40, 41)
    assert min(high for high, _ in found) == round(40 - 39 * 0.5)
    assert max(high for high, _ in found) == 79 and max(low for _, low in found) == 80
    assert "a &#34;tone&#34; &amp; &lt;more&gt;" in svg
    assert len(spans(waveform_svg(x, 1.0, "finer", detail=2))) == 320


def test_waveform_of_few_samples() -> None:
    assert waveform_svg(np.array([0.1, -0.1, 0.0]), 1.0, "three").count("V") == 3


def test_a_louder_waveform_stands_behind() -> None:
    x = np.full(160, 0.05)
    svg = waveform_svg(x, 1.0, "alone", louder=10 * x)
    behind, front = svg.split("/>", 1)
    assert 'class="louder"' in behind
    assert {high for high, _ in spans(behind)} == {round(40 - 39 * 0.5)}
    assert {high for high, _ in spans(front)} == {round(40 - 39 * 0.05)}


def brightness(image: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image)).convert("L"), dtype=float)


def test_spectrogram_picture_has_the_tone_where_it_belongs() -> None:
    drawn = spectrogram_image(tone(4000.0), 16000, top_db=0.0)
    image = Image.open(io.BytesIO(drawn))
    assert image.format == "WEBP" and (image.height, image.width) == (129, 129)
    light = brightness(drawn)
    assert light[:, 60].argmax() == 64  # 4 of 8 kHz: half way up
    assert light[64, 60] > 200 and light[0, 60] < 20 and light[-1, 60] < 20
    assert len(drawn) < 3_000
    finer = spectrogram_image(tone(4000.0), 16000, top_db=0.0, detail=2)
    assert brightness(finer).shape == (257, 254)


def test_spectrogram_picture_is_darker_by_the_level() -> None:
    whole, less = (
        brightness(spectrogram_image(tone(4000.0, amplitude), 16000, top_db=0.0))[64, 60]
        for amplitude in (1.0, 0.03)
    )
    silent = brightness(spectrogram_image(np.zeros(16000), 16000, top_db=0.0))
    assert silent.max() < 10 < less < whole


def test_histogram_counts_every_value() -> None:
    values = [*np.linspace(10, 20, 48), None, float("nan"), float("inf")]
    svg = histogram_svg(values, "dB", "forty-eight")
    heights = [float(h) for h in re.findall(r'<rect[^>]*height="([\d.]+)"', svg)]
    assert len(heights) == 24
    assert heights == [150.0] * 24  # two values in every bar
    assert [float(t) for t in re.findall(r">([\d.]+)</text>", svg)] == [10, 12, 14, 16, 18, 20]
    median = re.search(r'class="median" d="M([\d.]+)', svg)
    assert median is not None and float(median[1]) == pytest.approx(210.0)


def test_histogram_of_one_value_and_of_none() -> None:
    svg = histogram_svg([20.0] * 9, "dB", "budget")
    heights = [float(h) for h in re.findall(r'<rect[^>]*height="([\d.]+)"', svg)]
    assert sorted(heights)[-2:] == [0.0, 150.0]
    assert ">20</text>" in svg
    assert histogram_svg([None, float("nan")], "dB", "nothing") == ""
