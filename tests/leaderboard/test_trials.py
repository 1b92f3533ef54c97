"""A trial counts what the evaluation counts, and what it does not know is not searched through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import SNR
from mondegreen.channels import parse_channel
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.defended import Defended
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.leaderboard.remeasure import cheapest
from mondegreen.leaderboard.smoke import compare_smoke
from mondegreen.leaderboard.trials import Outcome, Trial, right_clips, try_out
from mondegreen.report.leaderboard.entry import Smoke, SmokeFigure

RATE, SAMPLES = 8000, 2000
TONES = {"a": 500.0, "b": 1000.0, "c": 2000.0}


class Spotter(nn.Module):
    """Hears the loudest of three tones."""

    basis: Tensor

    def __init__(self) -> None:
        super().__init__()
        angles = 2 * torch.pi * torch.tensor([*TONES.values()])[:, None] * torch.arange(SAMPLES)
        self.register_buffer("basis", torch.stack([(angles / RATE).sin(), (angles / RATE).cos()]))

    def forward(self, x: Tensor) -> Tensor:
        """Return levels in dB."""
        parts = torch.einsum("bt,clt->bcl", x[:, 0], self.basis) / SAMPLES
        return 10 * torch.log10(parts.square().sum(dim=1) + 1e-6)


@pytest.fixture
def spotter() -> Classifier:
    return Classifier(
        Spotter(), labels=tuple(TONES), sample_rate=RATE, clip_samples=SAMPLES, name="tones"
    ).freeze()


@pytest.fixture
def data(tmp_path: Path) -> ClipDataset:
    """Eight clips of each tone, under another tone that is ever louder."""
    time = np.arange(SAMPLES) / RATE
    hertz = list(TONES.values())
    for place, label in enumerate(TONES):
        (tmp_path / "clips" / label).mkdir(parents=True)
        for take in range(8):
            other = hertz[(place + 1 + take % 2) % 3]
            x = 0.2 * np.sin(2 * np.pi * hertz[place] * time)
            x += (0.05 + 0.018 * take) * np.sin(2 * np.pi * other * time)
            soundfile.write(tmp_path / "clips" / label / f"s{take}_nohash_0.wav", x, RATE)
    corpus = folder_corpus(tmp_path / "clips", labels=tuple(TONES))
    cache = ClipCache.build(
        corpus, sample_rate=RATE, clip_samples=SAMPLES, folder=tmp_path / "cache"
    )
    return ClipDataset(corpus, cache)


@pytest.mark.parametrize("untargeted", [True, False])
def test_a_trial_counts_what_the_evaluation_counts(
    spotter: Classifier, data: ClipDataset, untargeted: bool
) -> None:
    attack = ProjectedGradient(steps=2, untargeted=untargeted)
    budget = SNR(11.0)
    options = EvaluationOptions(
        pairs=20, quality_pairs=0, samples=0, timing_repeats=0, seed=7, batch_size=64
    )
    wanted = evaluate(attack, spotter, data, budget=budget, options=options)
    trial = Trial("pgd", attack, budget, spotter)
    (found,) = try_out([trial], spotter, data, 20, 7)
    assert found == Outcome(int(wanted.pairs.success.sum()), 20)
    assert 0 < found.successes < 20
    right = right_clips(spotter, data)
    assert right.rate == pytest.approx(wanted.clean_accuracy)


def test_clips_are_heard_as_the_defence_hears_them(spotter: Classifier, data: ClipDataset) -> None:
    trial = Trial("pgd", ProjectedGradient(steps=2, untargeted=True), SNR(5.0), spotter)
    (plain,) = try_out([trial], spotter, data, 24, 1)
    assert plain.rate > 0.9
    muffled = Defended(spotter, parse_channel("lowpass:hz=700")).freeze()  # leaves tone "a" alone
    (heard,) = try_out([trial], muffled, data, 24, 1)
    assert heard.rate < plain.rate


def smoke(right: int, *successes: int) -> Smoke:
    figures = tuple(
        SmokeFigure(f"a{n}", "targeted", "snr:20", 24, one) for n, one in enumerate(successes)
    )
    return Smoke("voices", 60, right, figures)


def test_figures_agree_within_the_binomial_interval() -> None:
    same = compare_smoke(smoke(40, 12, 0), smoke(40, 12, 0))
    assert all(agrees for *_, agrees in same)
    near = compare_smoke(smoke(41, 13, 1), smoke(40, 12, 0))
    assert all(agrees for *_, agrees in near)
    # Wilson's interval of 12 in 24 ends at 0.686, so 16 lie within and 17 do not.
    far = compare_smoke(smoke(40, 17, 0), smoke(40, 12, 0))
    assert [agrees for *_, agrees in far] == [True, False, True]
    assert compare_smoke(smoke(40, 16), smoke(40, 12))[1][3]


def test_nothing_is_made_again_of_rows_without_settings() -> None:
    assert cheapest([]) == []
