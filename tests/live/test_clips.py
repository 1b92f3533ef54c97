"""What visitors upload, well-meant and not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mondegreen.audio import quantize
from mondegreen.errors import MondegreenError
from mondegreen.live.clips import MAX_BYTES, MAX_SECONDS, loudest_start, read_clip
from mondegreen.live.models import LiveModel
from mondegreen.sound_files import SoundReader

Write = Callable[..., Path]
NOISE = 0.1 * np.random.default_rng(1).normal(size=(96_000, 8)).clip(-3, 3)


def refused(path: Path, model: LiveModel) -> str:
    with pytest.raises(MondegreenError) as caught:
        read_clip(path, model.classifier)
    assert str(path.parent) not in str(caught.value)  # nobody's business
    return str(caught.value)


def lying_wav(path: Path, *, data_bytes: int) -> Path:
    """Change the length that the header declares."""
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = data_bytes.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def lying_flac(path: Path, seconds: int) -> Path:
    """Change the 36 bits of the stream's description that hold the number of samples."""
    content = bytearray(path.read_bytes())
    place = 4 + 4 + 13  # marker, block header, sizes, rate and depth
    total = (int.from_bytes(content[place : place + 5], "big") >> 36 << 36) + seconds * 16_000
    content[place : place + 5] = total.to_bytes(5, "big")
    path.write_bytes(content)
    return path


def test_what_is_no_audio_is_refused(files: Path, model: LiveModel) -> None:
    for name, content in {
        "empty.wav": b"",
        "text.wav": b"hello",
        "zip.mp3": b"PK\3\4" * 99,
    }.items():
        (files / name).write_bytes(content)
        assert name in (message := refused(files / name, model))
        assert "decoded" in message
    assert "not exist" in refused(files / "missing.wav", model)


def test_headers_that_lie_are_refused(write: Write, model: LiveModel) -> None:
    path = write("cut.wav", NOISE[:16_000, 0])
    assert "truncated" in refused(lying_wav(path, data_bytes=10**6), model)
    path = write("none.wav", NOISE[:16_000, 0])
    assert "no samples" in refused(lying_wav(path, data_bytes=0), model)
    path = lying_flac(write("long.flac", NOISE[:16_000, 0]), seconds=86_400)
    assert "86400 s" in refused(path, model)


def test_a_header_that_claims_too_little_does_not_let_more_in(
    write: Write, model: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("two.wav", NOISE[:32_000, 0])
    monkeypatch.setattr("mondegreen.live.clips.MAX_SECONDS", 1.5)
    monkeypatch.setattr(SoundReader, "_check", lambda self: setattr(self, "frames", 10))
    assert "lasts 2 s" in refused(path, model)


def test_samples_that_are_no_numbers_are_refused(write: Write, model: LiveModel) -> None:
    x = NOISE[:16_000, 0].copy()
    for wrong in (np.nan, np.inf):
        x[999] = wrong
        assert "NaN" in refused(write("wrong.wav", x, subtype="FLOAT"), model)


def test_too_large_and_too_long_is_refused(write: Write, model: LiveModel, files: Path) -> None:
    (files / "large.wav").write_bytes(bytes(MAX_BYTES + 1))
    assert "up to 10 MB" in refused(files / "large.wav", model)
    path = write("minutes.mp3", np.zeros(600 * 8_000), 8_000)
    assert path.stat().st_size < MAX_BYTES
    message = refused(path, model)
    assert "lasts 600 s" in message and f"up to {MAX_SECONDS:.0f} s" in message
    assert "channels" in refused(write("many.wav", np.zeros((99, 40))), model)
    assert "999999 Hz" in refused(write("fast.wav", np.zeros(99), 999_999), model)


def test_any_rate_and_number_of_channels_will_do(write: Write, model: LiveModel) -> None:
    clip = read_clip(write("many.wav", NOISE, 96_000), model.classifier)
    assert clip.x.shape == (1, 1, 16_384) and clip.seconds == 1.0 and clip.start == 0.0
    assert not clip.silent and float(clip.x.abs().max()) <= 1.0
    assert bool((clip.x[..., 16_000:] == 0).all())  # a second is shorter than what is heard


def test_an_mp3_is_heard_as_the_wav_it_was_made_of(write: Write, model: LiveModel) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    wav = read_clip(write("tone.wav", tone), model.classifier).x.flatten()
    mp3 = read_clip(write("tone.mp3", tone), model.classifier).x.flatten()
    spectra = torch.fft.rfft(torch.stack([wav, mp3])).abs()
    assert spectra.argmax(dim=1).tolist() == [spectra[0].argmax()] * 2


@pytest.mark.parametrize("samples", [1, 800, 16_000, 16_384])
def test_a_short_clip_is_what_the_classifier_reads(
    samples: int, write: Write, model: LiveModel
) -> None:
    path = write("short.wav", NOISE[:samples, 0], subtype="PCM_16")
    clip = read_clip(path, model.classifier)
    assert torch.equal(clip.x, quantize(model.classifier.read(path)))
    assert clip.seconds == samples / 16_000


def test_silence_is_known(write: Write, model: LiveModel) -> None:
    assert read_clip(write("silent.wav", np.zeros(16_000)), model.classifier).silent
    nearly = np.zeros(16_000)
    nearly[5] = 1 / 32_768
    assert not read_clip(write("nearly.wav", nearly), model.classifier).silent


def test_a_word_late_in_a_recording_is_found(write: Write, model: LiveModel) -> None:
    x = np.zeros(16_000 * 20)
    x[16_000 * 13 : 16_000 * 13 + 8_000] = NOISE[:8_000, 0]
    clip = read_clip(write("late.wav", x), model.classifier)
    assert clip.start <= 13.0 and clip.start + model.clip_seconds >= 13.5
    assert clip.start + model.clip_seconds / 2 == pytest.approx(13.25, abs=0.02)  # in the middle


@settings(max_examples=30, deadline=None)
@given(length=st.integers(1, 5_000), window=st.integers(1, 2_000), seed=st.integers(0, 99))
def test_no_window_on_the_grid_holds_much_more(length: int, window: int, seed: int) -> None:
    x = torch.randn(length, generator=torch.Generator().manual_seed(seed))
    start = loudest_start(x, window, 1_000)
    energies = [float(x[at : at + window].square().sum()) for at in range(0, length, 10)]
    full = energies[: max(1, (length - window) // 10 + 1)]
    assert float(x[start : start + window].square().sum()) >= 0.99 * max(full)
