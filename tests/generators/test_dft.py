from __future__ import annotations

import pytest
import torch

from mondegreen.generators.dft import MatrixSpectrum
from mondegreen.generators.spectral import Spectrum
from mondegreen.metrics.macs import count_macs


@pytest.mark.parametrize("window", [16, 512])
@pytest.mark.parametrize("time", [1, 7, 100, 16_384, 16_385])
def test_it_is_the_transform_by_fft(window: int, time: int, rng: torch.Generator) -> None:
    x = torch.randn(2, time, generator=rng)
    frames = torch.nn.functional.pad(x, (window // 2, -time % (window // 2) + window // 2))
    frames = frames.unfold(1, window, window // 2) * torch.hann_window(window).sqrt()
    expected = torch.fft.rfft(frames.double())
    parts = MatrixSpectrum(window)(x).double()
    torch.testing.assert_close(parts[0], expected.real, rtol=0.0, atol=1e-4)
    torch.testing.assert_close(parts[1], expected.imag, rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("window", [16, 512])
def test_back_is_the_inverse_transform_of_any_spectrum(window: int, rng: torch.Generator) -> None:
    time = 5 * window + 3
    parts = torch.randn(2, 2, 12, window // 2 + 1, generator=rng)
    frames = torch.fft.irfft(torch.complex(parts[0], parts[1]), n=window)
    frames = frames * torch.hann_window(window).sqrt()
    overlapped = torch.zeros(2, 13 * window // 2)
    for index in range(12):
        start = index * window // 2
        overlapped[:, start : start + window] += frames[:, index]
    found = MatrixSpectrum(window).inverse(parts, time)
    expected = overlapped[:, window // 2 : window // 2 + time]
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("time", [1, 255, 256, 257, 16_384])
def test_there_and_back_reconstructs(time: int, rng: torch.Generator) -> None:
    x = torch.randn(3, time, generator=rng)
    spectrum = MatrixSpectrum(512)
    torch.testing.assert_close(spectrum.inverse(spectrum(x), time), x, rtol=0.0, atol=1e-5)


def test_folding_halves_the_products() -> None:
    frames, bins, x = 65, 257, torch.zeros(1, 16_384)
    spectrum = MatrixSpectrum(512)
    there = count_macs(spectrum, x)
    assert there == frames * (bins * bins + (bins - 2) * bins)
    assert count_macs(spectrum.inverse, spectrum(x), 16_384) == there
    assert spectrum(x).shape == Spectrum(512)(x).shape == (2, 1, frames, bins)
