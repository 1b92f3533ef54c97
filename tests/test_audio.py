from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.audio import (
    Normalization,
    fit_length,
    float_to_pcm16,
    pcm16_to_float,
    quantize,
    read_audio,
    read_mono,
    resample,
    write_wav,
)
from mondegreen.data.excerpts import duration
from mondegreen.errors import MondegreenError

ALL_STEPS = torch.arange(-32768, 32768, dtype=torch.int32).to(torch.int16)


def tone(samples: int, rate: float, frequency: float = 440.0) -> npt.NDArray[np.float64]:
    wave: npt.NDArray[np.float64] = 0.5 * np.sin(2 * np.pi * frequency * np.arange(samples) / rate)
    return wave


@pytest.mark.parametrize(
    ("subtype", "tolerance"),
    [
        ("PCM_U8", 2**-7),
        ("PCM_16", 2**-15),
        ("PCM_24", 2**-23),
        ("PCM_32", 2**-23),
        ("FLOAT", 2**-24),
        ("DOUBLE", 2**-24),
    ],
)
def test_wav_of_any_depth(tmp_path: Path, subtype: str, tolerance: float) -> None:
    wanted = tone(1000, 16000)
    soundfile.write(str(tmp_path / "x.wav"), wanted, 16000, subtype=subtype)
    samples, rate = read_audio(tmp_path / "x.wav")
    assert samples.shape == (1, 1000)
    assert samples.dtype == np.float32
    assert rate == 16000
    assert np.abs(samples[0] - wanted).max() <= tolerance


@pytest.mark.parametrize("name", ["x.flac", "x.au", "x.aiff"])
def test_lossless_formats(tmp_path: Path, name: str) -> None:
    pcm = (tone(1000, 16000) * 32768).astype(np.int16)
    soundfile.write(str(tmp_path / name), pcm, 16000, subtype="PCM_16")
    assert np.array_equal(read_audio(tmp_path / name)[0][0], pcm / 32768)


@pytest.mark.parametrize("name", ["x.ogg", "x.mp3"])
def test_lossy_formats(tmp_path: Path, name: str) -> None:
    wanted = tone(16000, 16000)
    soundfile.write(str(tmp_path / name), wanted, 16000)
    samples = read_audio(tmp_path / name)[0][0]
    middle = slice(4000, 12000)
    correlation = np.correlate(samples[3000:13000], wanted[middle], mode="valid").max()
    assert correlation / np.sum(wanted[middle] ** 2) == pytest.approx(1.0, abs=0.05)


def test_stereo_is_averaged(tmp_path: Path) -> None:
    stereo = np.array([[1000, 3000], [-32768, 0], [5, 5]], dtype=np.int16)
    soundfile.write(str(tmp_path / "x.wav"), stereo, 8000)
    assert read_audio(tmp_path / "x.wav")[0].shape == (2, 3)
    assert (read_mono(tmp_path / "x.wav", 8000) * 32768).tolist() == [2000, -16384, 5]


def test_loud_floats_are_clipped(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "x.wav"), np.array([3.0, -2.0, 0.25]), 8000, subtype="FLOAT")
    assert read_mono(tmp_path / "x.wav", 8000).tolist() == [1.0, -1.0, 0.25]


def test_read_mono_resamples(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "x.wav"), tone(8000, 8000), 8000, subtype="FLOAT")
    x = read_mono(tmp_path / "x.wav", 16000).numpy()
    assert x.shape == (16000,)
    assert np.abs(x - tone(16000, 16000))[200:-200].max() < 1e-3


def whole_wav(tmp_path: Path, samples: int = 1000) -> bytes:
    path = tmp_path / "whole.wav"
    soundfile.write(str(path), tone(samples, 16000), 16000)
    return path.read_bytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    soundfile.write(str(tmp_path / "x.wav"), np.array([0.0, value]), 8000, subtype="FLOAT")
    with pytest.raises(MondegreenError, match=r"x\.wav holds NaN or infinite"):
        read_audio(tmp_path / "x.wav")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be decoded"),
        (b"to be or not to be, that is the question" * 9, "cannot be decoded"),
        (b"RIFF\xff\xff\xff\xffWAVE", "cannot be decoded"),
    ],
    ids=["empty", "text", "header"],
)
def test_files_that_are_no_audio(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(MondegreenError, match=message):
        read_audio(tmp_path / "x.wav")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "x.wav"):
        with pytest.raises(MondegreenError, match="does not exist or is not a file"):
            read_audio(path)


def test_no_samples(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "x.wav"), np.zeros(0), 8000)
    with pytest.raises(MondegreenError, match="holds no samples"):
        read_audio(tmp_path / "x.wav")


def test_a_recording_of_hours(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "x.wav"), np.zeros(3601, dtype=np.int16), 1)
    with pytest.raises(MondegreenError, match="3601 s; cut it"):
        read_audio(tmp_path / "x.wav")


@given(st.integers(1, 2000))
def test_truncated_wav(tmp_path_factory: pytest.TempPathFactory, missing: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.wav"
    path.write_bytes(whole_wav(path.parent)[:-missing])
    with pytest.raises(MondegreenError, match=rf"x\.wav is truncated: {missing} bytes"):
        read_audio(path)


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_truncated_compressed_files(tmp_path: Path, suffix: str) -> None:
    """What remains is an error or is heard as far as it goes, but never zeros or noise."""
    path = tmp_path / f"x.{suffix}"
    noise = np.random.default_rng(0).normal(0, 0.1, 20_000)
    soundfile.write(str(path), noise, 16000)
    whole = read_audio(path)[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        part = read_audio(path)[0]
    except MondegreenError as error:
        assert str(path) in str(error)
        return
    assert np.array_equal(part, whole[:, : part.shape[1]])


@pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFF000])
def test_wav_of_unknown_length_is_whole(tmp_path: Path, declared: int) -> None:
    """Programs that write to a pipe cannot go back to fill in the length."""
    content = whole_wav(tmp_path)
    path = tmp_path / "x.wav"
    path.write_bytes(content[:40] + struct.pack("<I", declared) + content[44:])
    assert np.array_equal(read_audio(path)[0], read_audio(tmp_path / "whole.wav")[0])


def test_wav_with_other_chunks_is_whole(tmp_path: Path) -> None:
    content = whole_wav(tmp_path)
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    path = tmp_path / "x.wav"
    path.write_bytes(content[:36] + odd + content[36:] + odd)
    assert np.array_equal(read_audio(path)[0], read_audio(tmp_path / "whole.wav")[0])


def test_pcm_is_a_power_of_two() -> None:
    assert np.array_equal(pcm16_to_float(ALL_STEPS).numpy(), ALL_STEPS.numpy() / np.float32(32768))


def test_paper_is_equation_12() -> None:
    exact = 2 / 65535 * (ALL_STEPS.double().numpy() - 32767) + 1
    assert np.abs(pcm16_to_float(ALL_STEPS, "paper").numpy() - exact).max() < 2**-24


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
def test_every_step_survives_the_round_trip(normalization: Normalization) -> None:
    x = pcm16_to_float(ALL_STEPS, normalization)
    assert x.dtype == torch.float32
    assert x.abs().max() <= 1
    back = float_to_pcm16(x, normalization)
    assert back.dtype == torch.int16
    assert torch.equal(back, ALL_STEPS)
    assert torch.equal(quantize(x, normalization), x)


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
@given(x=st.floats(-3, 3, width=32))
def test_rounding_goes_to_the_nearest_step(normalization: Normalization, x: float) -> None:
    clipped = min(1.0, max(-1.0, x))
    ideal = clipped * 32768 if normalization == "pcm" else (clipped - 1) * 65535 / 2 + 32767
    step = float_to_pcm16(torch.tensor(x), normalization).item()
    assert abs(step - min(32767, ideal)) <= 0.5 + 1e-9


@pytest.mark.parametrize(("old", "new"), [(8000, 16000), (44100, 16000), (16000, 11025)])
def test_resampled_tone_is_the_analytic_tone(old: int, new: int) -> None:
    x = torch.from_numpy(tone(old, old)).float()
    y = resample(x, old, new).numpy()
    assert y.shape == (new,)
    assert np.abs(y - tone(new, new))[300:-300].max() < 2e-3


def test_resampling_removes_what_would_alias() -> None:
    x = torch.from_numpy(tone(16000, 16000, 6000.0)).float()
    assert resample(x, 16000, 8000)[200:-200].abs().max() < 5e-3


@given(samples=st.integers(1, 500), old=st.sampled_from([8000, 12000, 16000]), new=st.just(16000))
def test_resampled_length(samples: int, old: int, new: int) -> None:
    assert resample(torch.zeros(2, 1, samples), old, new).shape == (2, 1, -(-samples * new // old))


def test_resample_to_the_same_rate_changes_nothing() -> None:
    x = torch.randn(2, 1, 30)
    assert resample(x, 16000, 16000) is x


def test_resample_is_linear_in_its_gradient() -> None:
    x = torch.randn(1, 1, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: resample(x, 8000, 6000), x)


@given(samples=st.integers(1, 50), wanted=st.integers(1, 50))
def test_fit_length(samples: int, wanted: int) -> None:
    x = torch.arange(1.0, samples + 1).expand(2, 1, -1)
    y = fit_length(x, wanted)
    kept = min(samples, wanted)
    assert y.shape == (2, 1, wanted)
    assert torch.equal(y[..., :kept], x[..., :kept])
    assert not y[..., kept:].any()


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
def test_written_wav_holds_the_rounded_samples(
    tmp_path: Path, normalization: Normalization, rng: torch.Generator
) -> None:
    x = (torch.randn(2, 500, generator=rng) * 0.6).requires_grad_()
    write_wav(tmp_path / "new" / "x.wav", x, 22050, normalization)
    pcm, rate = soundfile.read(str(tmp_path / "new" / "x.wav"), dtype="int16")
    assert rate == 22050
    assert np.array_equal(pcm.T, float_to_pcm16(x.detach(), normalization).numpy())
    assert soundfile.info(str(tmp_path / "new" / "x.wav")).subtype == "PCM_16"


def test_a_wav_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MondegreenError, match="cannot write"):
        write_wav(tmp_path / "file" / "x.wav", torch.zeros(10), 16000)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **options: object) -> None:
        raise soundfile.LibsndfileError(2, "Error writing: ")

    monkeypatch.setattr(soundfile, "write", full)
    with pytest.raises(MondegreenError, match=r"cannot write .*x\.wav"):
        write_wav(tmp_path / "x.wav", torch.zeros(10), 16000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [44_101, 47_999, 16_001])
def test_rates_without_a_common_divisor_are_resampled_too(rate: int) -> None:
    time = torch.arange(rate) / rate
    envelope = torch.sin(torch.pi * time).square()  # quiet at both ends, as clips are
    x = torch.sin(2 * torch.pi * 440 * time) * envelope
    y = resample(x, rate, 16_000)
    assert len(y) == 16_000
    time = torch.arange(16_000) / 16_000
    expected = torch.sin(2 * torch.pi * 440 * time) * torch.sin(torch.pi * time).square()
    assert float((y - expected).abs().max()) < 1e-2


def test_absurd_sample_rates_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "fast.wav", np.zeros(100), 2_000_000)
    with pytest.raises(MondegreenError, match=r"fast\.wav has a sample rate of 2000000 Hz"):
        read_audio(tmp_path / "fast.wav")


def test_a_rate_of_one_hertz_ends_soon() -> None:
    assert len(resample(torch.zeros(5), 1, 16_000)) == 80_000


def test_a_name_too_long_is_an_error_like_others() -> None:
    # From Python 3.14 on, such a file is just not there.
    said = "cannot read" if sys.version_info < (3, 14) else "does not exist"
    with pytest.raises(MondegreenError, match=said):
        read_audio(Path("a" * 300 + ".wav"))


def test_a_name_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    path.write_bytes(b"RIFF")
    for read in (read_audio, duration):
        with pytest.raises(MondegreenError, match=r"caf\\udce9\.wav is no UTF-8; rename"):
            read(path)
