from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.fft
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mondegreen.audio import fit_length, read_mono
from mondegreen.classifiers.features import (
    FrontEndConfig,
    LogMel,
    LogMelConfig,
    PaperMFCC,
    PaperMFCCConfig,
    build_front_end,
    dct_matrix,
)
from mondegreen.errors import MondegreenError

Array = npt.NDArray[np.float64]

EPS = float(np.finfo(np.float32).eps)
CONFIGS: list[FrontEndConfig] = [PaperMFCCConfig(), LogMelConfig(), LogMelConfig(coefficients=0)]
SMALL: list[FrontEndConfig] = [
    PaperMFCCConfig(sample_rate=64, window=8, fft=16, filters=3, lifter=5),
    LogMelConfig(
        sample_rate=64, window=8, hop=3, fft=16, filters=3, low=1.0, high=30.0, coefficients=2
    ),
    LogMelConfig(
        sample_rate=64, window=7, hop=7, fft=8, filters=2, low=0.0, high=32.0, coefficients=0
    ),
]


def mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def hertz(mels: float) -> float:
    return 700 * (10 ** (mels / 2595) - 1)


def reference_mfcc(signal: Array, floor: float = EPS) -> Array:
    """MFCC in the manner of python_speech_features, frame by frame and filter by filter."""
    rate, window, nfft, filters = 16_384, 512, 2048, 32
    emphasized = np.append(signal[0], signal[1:] - 0.97 * signal[:-1])
    count = 1 if len(signal) <= window else 1 + math.ceil((len(signal) - window) / window)
    padded = np.append(emphasized, np.zeros(count * window - len(signal)))
    step = (mel(rate / 2) - mel(0)) / (filters + 1)
    edges = [math.floor((nfft + 1) * hertz(k * step) / rate) for k in range(filters + 2)]
    image = np.empty((filters, count))
    for t in range(count):
        frame = padded[t * window : (t + 1) * window]
        power = np.abs(scipy.fft.rfft(frame, nfft)) ** 2 / nfft
        energies = np.zeros(filters)
        for k in range(filters):
            for i in range(edges[k], edges[k + 1]):
                energies[k] += power[i] * (i - edges[k]) / (edges[k + 1] - edges[k])
            for i in range(edges[k + 1], edges[k + 2]):
                energies[k] += power[i] * (edges[k + 2] - i) / (edges[k + 2] - edges[k + 1])
        cepstrum = scipy.fft.dct(np.log(energies + floor), type=2, norm="ortho")
        for n in range(filters):
            image[n, t] = cepstrum[n] * (1 + 11 * math.sin(math.pi * n / 22))
        image[0, t] = math.log(power.sum() + floor)
    return image


def reference_log_mel(signal: Array, c: LogMelConfig) -> Array:
    """Log-mel spectrum, then a DCT: each frame is cut out around its centre by itself."""
    taper = scipy.signal.get_window("hann", c.window)
    frequencies = scipy.fft.rfftfreq(c.fft, 1 / c.sample_rate)
    mels = np.linspace(mel(c.low), mel(c.high), c.filters + 2)
    columns = []
    for centre in range(0, len(signal) + 1, c.hop):
        frame = np.zeros(c.window)
        for i in range(c.window):
            source = centre - c.window // 2 + i
            if 0 <= source < len(signal):
                frame[i] = signal[source] * taper[i]
        power = np.abs(scipy.fft.rfft(frame, c.fft)) ** 2
        bands = np.zeros(c.filters)
        for k in range(c.filters):
            corners = [hertz(mels[k]), hertz(mels[k + 1]), hertz(mels[k + 2])]
            bands[k] = power @ np.interp(frequencies, corners, [0, 1, 0])
        column = np.log(bands + c.floor)
        if c.coefficients:
            column = scipy.fft.dct(column, type=2, norm="ortho")[: c.coefficients]
        columns.append(column)
    return np.stack(columns, axis=1)


def speechlike(samples: int, seed: int = 0) -> Array:
    """A sweep and hum in pink-ish noise, with a quiet beginning."""
    random = np.random.default_rng(seed)
    t = np.arange(samples) / 16_000
    x = 0.3 * scipy.signal.chirp(t, 200, max(t[-1], 0.01), 3500) + 0.2 * np.sin(2 * np.pi * 120 * t)
    x += 0.05 * scipy.signal.lfilter([1], [1, -0.9], random.standard_normal(samples))
    x[: samples // 4] *= 0.01
    return np.asarray(np.clip(x, -1, 1), dtype=np.float64)


def waveform(signal: Array, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(signal, dtype=dtype)[None, None]


@pytest.mark.parametrize("samples", [16_384, 16_000, 512, 513, 100])
def test_paper_mfcc_is_that_of_python_speech_features(samples: int) -> None:
    signal = speechlike(samples)
    wanted = reference_mfcc(signal)
    found = PaperMFCC(PaperMFCCConfig())(waveform(signal))
    assert found.shape == (1, 1, 32, -(-samples // 512))
    # Single precision: values reach 60, the lifter multiplies rounding errors by up to 12.
    np.testing.assert_allclose(found[0, 0].numpy(), wanted, atol=2e-3, rtol=0)
    exact = PaperMFCC(PaperMFCCConfig())
    exact.dct, exact.filters = exact.dct.double(), exact.filters.double()
    found = exact(waveform(signal, torch.float64))
    np.testing.assert_allclose(found[0, 0].numpy(), wanted, atol=2e-5, rtol=0)


def test_paper_mfcc_is_32_by_32_and_its_floor_matters_only_where_it_is_quiet() -> None:
    signal = speechlike(16_384)
    signal[: 16_384 // 4] *= 100
    found = PaperMFCC(PaperMFCCConfig())(waveform(signal).repeat(3, 1, 1))
    assert found.shape == (3, 1, 32, 32)
    np.testing.assert_allclose(found[2, 0].numpy(), reference_mfcc(signal, 1e-30), atol=0.02)


@pytest.mark.parametrize(
    "config",
    [
        LogMelConfig(),
        LogMelConfig(coefficients=0),
        LogMelConfig(hop=320, coefficients=13),
        LogMelConfig(window=401, hop=133, fft=1024, filters=23, coefficients=23, low=0.0),
    ],
    ids=repr,
)
def test_log_mel_is_that_of_a_loop(config: LogMelConfig) -> None:
    signal = speechlike(5000)
    wanted = reference_log_mel(signal, config)
    found = LogMel(config).raw(waveform(signal))[0]
    assert found.shape == wanted.shape
    # Single precision, of values between -14 and 60.
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-3, rtol=0)


def test_real_clips_agree_with_the_references(real_data: Path) -> None:
    clips = sorted((real_data / "speech_commands").glob("*/*.flac"))[::4000]
    assert clips
    for path in clips:
        x = fit_length(read_mono(path, 16_000), 16_384)[None, None]
        signal = x[0, 0].double().numpy()
        mfcc, log_mel = PaperMFCC(PaperMFCCConfig())(x)[0, 0], LogMel(LogMelConfig()).raw(x)[0]
        np.testing.assert_allclose(mfcc.numpy(), reference_mfcc(signal), atol=5e-3, rtol=0)
        wanted = reference_log_mel(signal, LogMelConfig())
        np.testing.assert_allclose(log_mel.numpy(), wanted, atol=1e-3, rtol=0)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 300), st.data())
def test_log_mel_frames(time: int, window: int, data: st.DataObject) -> None:
    hop = data.draw(st.integers(1, window))
    front_end = LogMel(LogMelConfig(window=window, hop=hop, filters=5, coefficients=3))
    assert front_end.raw(torch.zeros(2, 1, time)).shape == (2, 3, 1 + time // hop)


def test_a_tone_fills_the_filter_at_its_frequency() -> None:
    config = LogMelConfig(coefficients=0)
    mels = np.linspace(mel(config.low), mel(config.high), config.filters + 2)
    for band in (8, 20, 33):
        tone = 0.5 * np.sin(2 * np.pi * hertz(mels[band + 1]) * np.arange(8000) / 16_000)
        assert LogMel(config).raw(waveform(tone))[0, :, 20].argmax() == band


def test_standardization_uses_the_statistics_of_training() -> None:
    torch.manual_seed(0)
    front_end = LogMel(LogMelConfig())
    x = 0.1 * torch.randn(8, 1, 4000)
    for _ in range(200):
        front_end(x)
    raw = front_end.eval().raw(x).double()
    mean = raw.mean(dim=(0, 2), keepdim=True)
    variance = raw.var(dim=(0, 2), keepdim=True)
    torch.testing.assert_close(
        front_end(x).double(), (raw - mean) / (variance + 1e-5).sqrt(), atol=1e-3, rtol=1e-3
    )


def test_the_dct_is_orthonormal() -> None:
    matrix = dct_matrix(7, 7)
    torch.testing.assert_close(matrix.T @ matrix, torch.eye(7), atol=1e-6, rtol=0)


def hard_signals(samples: int = 16_384) -> dict[str, Array]:
    impulse = np.zeros(samples)
    impulse[samples // 3] = 1.0
    return {
        "silence": np.zeros(samples),
        "impulse": impulse,
        "square": np.sign(np.sin(np.arange(samples) * 0.05) + 0.1),
        "faint": 1e-8 * np.random.default_rng(0).standard_normal(samples),
        "offset": np.ones(samples),
    }


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("kind", sorted(hard_signals(8)))
@pytest.mark.parametrize("config", CONFIGS, ids=["mfcc", "log-mel mfcc", "log-mel"])
def test_values_and_gradients_are_finite(config: FrontEndConfig, kind: str, training: bool) -> None:
    front_end = build_front_end(config).train(training)
    x = waveform(hard_signals()[kind]).requires_grad_()
    features = front_end(x)
    weight = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad((features * weight).sum(), x)
    assert torch.isfinite(features).all()
    assert torch.isfinite(gradient).all()
    assert bool(gradient.any()) == (kind != "silence")


def test_silence_has_the_floors_value() -> None:
    log_mel = LogMel(LogMelConfig(coefficients=0, floor=1e-4)).raw(torch.zeros(1, 1, 1000))
    torch.testing.assert_close(log_mel, torch.full_like(log_mel, math.log(1e-4)))
    energy = PaperMFCC(PaperMFCCConfig())(torch.zeros(1, 1, 1024))[0, 0, 0]
    torch.testing.assert_close(energy, torch.full((2,), math.log(EPS)))


@pytest.mark.parametrize("signal", ["noise", "silence", "impulse"])
@pytest.mark.parametrize("config", SMALL, ids=["mfcc", "log-mel mfcc", "log-mel"])
def test_gradients_agree_with_finite_differences(config: FrontEndConfig, signal: str) -> None:
    front_end = build_front_end(config).double().eval()
    x = torch.zeros(2, 1, 21, dtype=torch.float64)
    if signal == "noise":
        x = torch.rand(2, 1, 21, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    elif signal == "impulse":
        x[:, :, 9] = 1.0
    features = front_end.raw if isinstance(front_end, LogMel) else front_end
    check: Callable[..., Any] = torch.autograd.gradcheck
    assert check(features, (x.requires_grad_(),), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("config", [*CONFIGS, LogMelConfig(hop=320)], ids=repr)
def test_the_gradient_reaches_every_sample(config: FrontEndConfig) -> None:
    random = torch.Generator().manual_seed(1)
    x = (0.1 * torch.randn(1, 1, 16_384, generator=random)).requires_grad_()
    features = build_front_end(config).eval()(x)
    weight = torch.randn(features.shape, generator=random)
    (gradient,) = torch.autograd.grad((features * weight).sum(), x)
    assert (gradient != 0).all()


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: LogMelConfig(fft=256), "window 480 and fft 256"),
        (lambda: LogMelConfig(window=0), "window 0"),
        (lambda: LogMelConfig(fft=10**12), "fft"),
        (lambda: LogMelConfig(hop=0), "hop is 0"),
        (lambda: LogMelConfig(hop=481), "hop is 481"),
        (lambda: LogMelConfig(filters=0), "filters is 0"),
        (lambda: LogMelConfig(coefficients=41), "coefficients is 41"),
        (lambda: LogMelConfig(high=9000.0), "8000 Hz"),
        (lambda: LogMelConfig(low=7700.0), "low 7700 Hz"),
        (lambda: LogMelConfig(floor=0.0), "floor is 0"),
        (lambda: LogMelConfig(sample_rate=0), "sample_rate is 0"),
        (lambda: PaperMFCCConfig(window=4096), "window 4096"),
        (lambda: PaperMFCCConfig(lifter=-1), "lifter is -1"),
    ],
)
def test_impossible_sizes_are_refused(build: Callable[[], object], complaint: str) -> None:
    with pytest.raises(MondegreenError, match=complaint):
        build()
