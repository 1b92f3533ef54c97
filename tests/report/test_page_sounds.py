"""The sounds of the page: which fit, which one it opens with, and how they are drawn."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mondegreen.audio import read_audio, write_wav
from mondegreen.report.page import write_report
from mondegreen.report.pairs import load_samples
from mondegreen.report.views import featured, hear


def test_the_page_keeps_to_its_size(evaluation: Path) -> None:
    samples = load_samples(evaluation, ("low", "mid", "high"))
    samples = [samples[0], samples[0], *samples]
    whole = hear(samples)
    assert all(view.sound is not None for view in whole)
    one = whole[0].sound
    assert one is not None
    tight = hear(samples, limit=2 * one.weight + one.weight // 2)
    # entries 0, 1 and 2 are of one cell: others come first after its first
    assert [view.sound is not None for view in tight] == [True, False, False, True, False, False]
    assert [view.sample for view in tight] == samples


def test_page_opens_with_the_success_of_median_snr(evaluation: Path) -> None:
    views = hear(load_samples(evaluation, ("low", "mid", "high")))
    assert [view.sample.success for view in views] == [True, False, True, False]
    opening = featured(views)
    assert opening is not None and opening.index == 2
    assert opening.sound is not None and views[2].sound is not None
    assert opening.sound.weight > views[2].sound.weight  # its pictures are finer
    assert featured([views[1], views[3]]) is None
    assert featured(hear(load_samples(evaluation, ("low", "mid", "high")), limit=0)) is None


def test_loud_perturbations_are_amplified_less(evaluation: Path) -> None:
    samples = load_samples(evaluation, ("low", "mid", "high"))
    quiet, loud = evaluation / "samples" / "0.original.wav", evaluation / "samples" / "loud.wav"
    original, rate = read_audio(quiet)
    write_wav(loud, -torch.from_numpy(original), rate)
    sound = hear([replace(samples[0], adversarial=loud)])[0].sound
    assert sound is not None
    assert sound.gain_db == pytest.approx(0.0, abs=0.01)  # twice 0.5 is full scale already


def test_perturbation_is_drawn_as_it_is_and_ten_times_behind(evaluation: Path) -> None:
    samples = load_samples(evaluation, ("low", "mid", "high"))
    raised = evaluation / "samples" / "raised.wav"
    original, rate = read_audio(evaluation / "samples" / "0.original.wav")
    write_wav(raised, torch.from_numpy(original) + 0.04, rate)
    sound = hear([replace(samples[0], adversarial=raised)])[0].sound
    assert sound is not None
    behind, front = sound.tracks[2].waveform.split("/>", 1)
    # 0.4 and 0.04 of a scale that ends at 0.54, the adversarial clip's peak
    for drawn, level in ((behind, 0.4), (front, 0.04)):
        spans = re.findall(r"M\d+ (\d+)V", drawn)
        assert {int(high) for high in spans} == {round(40 - 39 * level / 0.54)}


def test_no_page_is_larger_than_15_megabytes(evaluation: Path) -> None:
    """A pair of 40 s of noise weighs 10 MB, and twice that where the page opens with it."""
    noise = torch.empty(1, 40 * 48_000).uniform_(-0.5, 0.5)
    write_wav(evaluation / "samples" / "0.original.wav", noise, 48_000)
    write_wav(evaluation / "samples" / "0.adversarial.wav", 0.9 * noise, 48_000)
    (evaluation / "samples" / "2.original.wav").unlink()  # the other success
    page = write_report(evaluation).read_text(encoding="utf-8")
    assert len(page.encode()) <= 15_000_000
    assert "Its sounds were left out to keep this page small" in page
    assert "would make this page too large, 1 is missing" in page
    assert "<audio" not in page
