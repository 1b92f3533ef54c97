"""Whole recordings: any length, rate and channels; the budget of the file as written."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.chunks import STRETCH_CLIPS, ChunkedAttack
from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.recording import (
    AttackedRecording,
    attack_recording,
    describe,
    hear,
    hear_file,
    read_beginning,
    to_windows,
)
from mondegreen.attacks.streaming import StreamingOptions
from mondegreen.audio import read_audio, resample
from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.classifiers.loading import load_classifier
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import load_generator
from mondegreen.metrics.snr import snr_db
from mondegreen.zoo import resolve

RATE, SAMPLES, TONES = 8000, 4000, (300.0, 900.0, 2100.0)


class AddTone(Attack):
    """Adds the target's tone at a fixed level."""

    def __init__(self, *, level: float) -> None:
        self.level = level

    @property
    def name(self) -> str:
        return "add-tone"

    def parameters(self) -> dict[str, Any]:
        return {"level": self.level}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        time = torch.arange(x.shape[2]) / RATE
        frequency = torch.tensor(TONES)[target]
        tone = torch.sin(2 * torch.pi * frequency[:, None, None] * time)
        return self.level * tone.expand_as(x)


def tone(frequency: float, level: float = 0.3, seconds: float = 0.5, rate: int = RATE) -> Tensor:
    time = torch.arange(round(seconds * rate)) / rate
    return level * torch.sin(2 * torch.pi * frequency * time)


def write(path: Path, *channels: Tensor, rate: int = RATE, subtype: str = "PCM_24") -> Path:
    soundfile.write(path, torch.stack(channels, dim=1).numpy(), rate, subtype=subtype)
    return path


def both(found: AttackedRecording) -> tuple[Tensor, Tensor]:
    """Return the original as rounded to 16 bits and what was written, read by other code."""
    x, x_adv = (torch.from_numpy(read_audio(file)[0]) for file in (found.path, found.output))
    return (x * 32768).round().clamp(-32768, 32767) / 32768, x_adv


def test_windows_are_padded_and_keep_every_sample() -> None:
    x = torch.arange(1.0, 11.0)
    windows = to_windows(x, 4)
    assert windows.shape == (3, 1, 4)
    assert torch.equal(windows.flatten()[:10], x)
    assert torch.equal(windows.flatten()[10:], torch.zeros(2))


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 44_101])
@pytest.mark.parametrize("seconds", [0.25, 0.5, 1.3])
@pytest.mark.parametrize("channels", [1, 2])
def test_recordings_of_any_shape(
    tmp_path: Path, tone_spotter: Classifier, rate: int, seconds: float, channels: int
) -> None:
    x = tone(300.0, 0.3, seconds, rate)
    path = write(tmp_path / "clip.wav", *[x] * channels, rate=rate)
    output = tmp_path / "out" / "clip.wav"
    found = attack_recording(AddTone(level=0.6), tone_spotter, path, "high", None, output)
    assert (found.before.label, found.after.label) == ("low", "high")
    samples, written_rate = read_audio(output)
    assert written_rate == rate
    assert samples.shape == (channels, len(x))
    assert hear(tone_spotter, torch.from_numpy(samples), rate).label == "high"
    row = describe(found, "high")
    assert row["success"] is True
    assert row["snr_db"] == pytest.approx(20 * np.log10(0.3 / 0.6), abs=0.7)


@pytest.mark.parametrize("seconds", [1 / RATE, 0.05, 0.2, 0.5, 0.5 + 1 / RATE, 1.7])
@pytest.mark.parametrize("streaming", [None, StreamingOptions(16.0, 8.0)])
def test_lengths(
    tmp_path: Path, tone_spotter: Classifier, seconds: float, streaming: StreamingOptions | None
) -> None:
    path = write(tmp_path / "clip.wav", tone(300.0, 0.3, seconds) + 0.1)
    output = tmp_path / "out.wav"
    attack = AddTone(level=0.1)
    found = attack_recording(
        attack, tone_spotter, path, "high", SNR(20.0), output, streaming=streaming
    )
    x, x_adv = both(found)
    assert x.shape == x_adv.shape == (1, round(seconds * RATE))
    assert found.seconds == pytest.approx(seconds)
    assert found.snr_db >= 20.0
    assert len(found.before.probabilities) == max(1, -(-x.shape[1] // SAMPLES))
    assert len(found.after.probabilities) == len(found.before.probabilities)
    if x.shape[1] > 1:
        assert not torch.equal(x, x_adv)


@pytest.mark.parametrize("budget", [SNR(20.0), L2(0.5), Linf(0.01)])
@pytest.mark.parametrize("streaming", [None, StreamingOptions(64.0, 16.0)])
@pytest.mark.parametrize("rate", [8000, 44_100])
def test_the_file_keeps_the_budget(
    tmp_path: Path,
    tone_spotter: Classifier,
    budget: Budget,
    streaming: StreamingOptions | None,
    rate: int,
) -> None:
    level = torch.cat([torch.full((rate,), value) for value in (1.0, 0.01, 0.3, 0.0, 0.8)])
    left, right = tone(300.0, 0.4, 5.0, rate) * level, tone(500.0, 0.01, 5.0, rate) * level
    path = write(tmp_path / "stereo.wav", left, right, rate=rate)
    attack, output = AddTone(level=0.3), tmp_path / "out.wav"
    found = attack_recording(
        attack, tone_spotter, path, "high", budget, output, streaming=streaming
    )
    x, x_adv = both(found)
    assert found.snr_db == pytest.approx(float(snr_db(x[None], x_adv[None])[0]), abs=1e-9)
    clips = 1 if streaming else STRETCH_CLIPS
    stretch = -(-clips * SAMPLES * rate // RATE)
    whole = isinstance(budget, SNR) and streaming is not None  # a stream owes it to the past
    parts = [(0, x.shape[1])] if whole else pairwise([*range(0, x.shape[1], stretch), x.shape[1]])
    ratios = []
    for start, stop in parts:
        part, change = x[None, :, start:stop], (x_adv - x)[None, :, start:stop]
        assert bool(budget.norm(change) <= budget.bound(part) * (1 + 1e-9))
        ratios.append(float(snr_db(part, part + change)[0]))
    if streaming is None:
        assert found.worst_snr_db == pytest.approx(min(ratios), abs=1e-3)
    assert float((x_adv - x).abs().max()) > 0.001


def test_hearing_a_file_is_hearing_its_samples(tmp_path: Path, tone_spotter: Classifier) -> None:
    x = torch.cat([tone(f, 0.3, 9.0, 22_050) for f in (300.0, 900.0, 2100.0, 900.0)])
    path = write(tmp_path / "clip.wav", x, 0.5 * x, rate=22_050, subtype="PCM_16")
    found = hear_file(tone_spotter, path)
    samples = torch.from_numpy(read_audio(path)[0])
    mono = resample(samples.mean(dim=0), 22_050, RATE)
    wanted = predict(tone_spotter, to_windows(mono, SAMPLES))
    assert found.label == "middle"
    torch.testing.assert_close(found.probabilities, wanted, atol=1e-4, rtol=0.0)
    again = hear(tone_spotter, samples, 22_050).probabilities
    torch.testing.assert_close(again, wanted, atol=1e-4, rtol=0.0)


def test_what_is_heard_is_what_was_written(tmp_path: Path, tone_spotter: Classifier) -> None:
    path = write(tmp_path / "clip.wav", tone(300.0, 0.3, 20.0, 11_025), rate=11_025)
    found = attack_recording(
        AddTone(level=0.3), tone_spotter, path, "high", SNR(6.0), tmp_path / "out.wav"
    )
    for heard, file in ((found.before, path), (found.after, found.output)):
        again = hear_file(tone_spotter, file)
        assert heard.label == again.label
        torch.testing.assert_close(heard.probabilities, again.probabilities, atol=1e-5, rtol=0.0)


def test_a_silent_recording_has_no_ratio(tmp_path: Path, tone_spotter: Classifier) -> None:
    path = write(tmp_path / "silent.wav", torch.zeros(3 * SAMPLES))
    for streaming in (None, StreamingOptions()):
        found = attack_recording(
            AddTone(level=0.5),
            tone_spotter,
            path,
            "high",
            SNR(20.0),
            tmp_path / "out.wav",
            streaming=streaming,
        )
        assert describe(found, "high")["snr_db"] is None
        assert describe(found, "high")["worst_snr_db"] is None
        assert not read_audio(found.output)[0].any()


def test_a_stream_is_aligned_with_its_recording(tmp_path: Path, tone_spotter: Classifier) -> None:
    path = write(tmp_path / "clip.wav", tone(300.0, 0.3, 1.3), subtype="PCM_16")
    found = attack_recording(
        AddTone(level=0.0),
        tone_spotter,
        path,
        "high",
        None,
        tmp_path / "out.wav",
        streaming=StreamingOptions(32.0, 8.0),
    )
    assert torch.equal(*both(found))
    assert found.latency_ms == 40.0
    assert found.real_time_factor is not None
    assert found.real_time_factor > 0


def test_the_perturbation_has_no_click_at_the_seams(tone_spotter: Classifier) -> None:
    # A tone that is no multiple of the hop: every window starts it anew, with another phase.
    x = 0.3 * torch.ones(1, 20 * SAMPLES)
    chunked = ChunkedAttack(AddTone(level=0.01), tone_spotter, "low", None, RATE, 1)
    delta = (torch.cat([chunked.push(x), chunked.flush()], dim=1) - x)[0]
    bent = (delta[2:] - 2 * delta[1:-1] + delta[:-2]).abs()
    assert float(bent.max()) < 0.01 * (2 * torch.pi * 300 / RATE) ** 2 * 1.1 + 2 / 32768


def test_problems_leave_no_file(tmp_path: Path, tone_spotter: Classifier) -> None:
    x = np.zeros(30 * RATE)
    x[-1] = np.nan
    soundfile.write(tmp_path / "nan.wav", x, RATE, subtype="FLOAT")
    attack, output = AddTone(level=0.1), tmp_path / "out" / "x.wav"
    with pytest.raises(MondegreenError, match=r"nan\.wav holds NaN"):
        attack_recording(attack, tone_spotter, tmp_path / "nan.wav", "high", None, output)
    assert list(output.parent.iterdir()) == []
    with pytest.raises(MondegreenError, match="no label"):
        attack_recording(attack, tone_spotter, tmp_path / "nan.wav", "loud", None, output)


def test_the_beginning_of_a_file(tmp_path: Path) -> None:
    x = tone(300.0, 0.3, 1.0)
    path = write(tmp_path / "clip.wav", x, -x, subtype="PCM_16")
    beginning, rate = read_beginning(path, 0.25)
    assert rate == RATE
    assert torch.equal(beginning, torch.from_numpy(read_audio(path)[0])[:, : RATE // 4])
    assert read_beginning(path, 7.0)[0].shape == (2, RATE)


def test_words_in_a_long_recording_are_heard_as_the_target(tmp_path: Path, real_data: Path) -> None:
    folder = resolve(Path("zoo:speech-commands"))
    classifier = load_classifier(folder)
    attack = GeneratorAttack(generator=load_generator(folder, classifier))
    clips = sorted((real_data / "speech_commands" / "no").iterdir())[:12]
    pause = torch.zeros(4_000)
    words = torch.cat([torch.cat([torch.from_numpy(read_audio(c)[0][0]), pause]) for c in clips])
    noise = 0.002 * torch.randn(len(words), generator=torch.Generator().manual_seed(0))
    path = write(tmp_path / "long.wav", words + noise, rate=16_000, subtype="PCM_16")
    found = attack_recording(attack, classifier, path, "yes", SNR(20.0), tmp_path / "out.wav")
    assert (found.before.label, found.after.label) == ("no", "yes")
    assert found.worst_snr_db >= 20.0
    heard = torch.from_numpy(read_audio(found.output)[0][0])
    windows = heard.unfold(0, classifier.clip_samples, 1_000)[:, None]
    index = classifier.label_index("yes")
    success = predict(classifier, windows).argmax(dim=1) == index
    before = predict(classifier, (words + noise).unfold(0, classifier.clip_samples, 1_000)[:, None])
    assert float(success.float().mean()) > 0.6
    assert float((before.argmax(dim=1) == index).float().mean()) < 0.3
