"""Universal perturbations: their level, their files, and that training finds what is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch
from torch import Tensor

from mondegreen.attacks.universal import (
    UniversalAttack,
    UniversalConfig,
    UniversalPerturbation,
    describe_universal,
    load_universal,
    save_universal,
)
from mondegreen.attacks.universal_training import (
    UniversalTrainer,
    UniversalTraining,
    validate_universal,
)
from mondegreen.budgets import SNR, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset, open_splits
from mondegreen.data.folder import open_corpus
from mondegreen.errors import MondegreenError
from mondegreen.gan.config import BudgetSchedule
from mondegreen.runs import Run

RATE, SAMPLES = 8000, 4000
TONES = {"low": 300.0, "middle": 900.0, "high": 2100.0}


def perturbations(classifier: Classifier) -> UniversalPerturbation:
    config = describe_universal(classifier, "perturbation", 20.0)
    return UniversalPerturbation(config).draw(torch.Generator().manual_seed(1))


def clips(count: int = 3) -> Tensor:
    levels = torch.logspace(-3, -0.8, count)[:, None, None]
    return levels * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(4))


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ClipDataset]:
    """Tones of random phase with noise, thirty speakers a label."""
    root = tmp_path_factory.mktemp("tones")
    rng = np.random.default_rng(7)
    time: npt.NDArray[np.float64] = np.arange(SAMPLES) / RATE
    for label, frequency in TONES.items():
        (root / "data" / label).mkdir(parents=True)
        for speaker in range(30):
            x = 0.3 * np.sin(2 * np.pi * frequency * time + rng.uniform(0, 6))
            x += 0.003 * rng.standard_normal(SAMPLES)
            path = root / "data" / label / f"{speaker:08x}_nohash_0.wav"
            soundfile.write(path, x, RATE)
    corpus = open_corpus(root / "data", labels=tuple(TONES))
    parts = open_splits(corpus, sample_rate=RATE, clip_samples=SAMPLES, cache_folder=root / "cache")
    return {str(name): data for name, data in parts.items()}


@pytest.mark.parametrize("text", ["snr:20", "snr:35", "l2:0.3", "linf:0.004"])
def test_the_budget_is_just_met(tone_spotter: Classifier, text: str) -> None:
    budget, x = parse_budget(text), clips()
    universal = perturbations(tone_spotter)
    delta = universal(x, torch.tensor([0, 1, 2]), budget)
    torch.testing.assert_close(budget.norm(delta), budget.bound(x), rtol=1e-5, atol=0.0)
    assert bool(budget.satisfied(x, delta).all())
    # It is one waveform a target: the same for every clip, but for its level.
    two = universal(x[:2], torch.tensor([2, 2]), budget)[:, 0].detach()
    assert float(torch.nn.functional.cosine_similarity(two[0], two[1], dim=0)) > 0.9999


def test_the_attack_keeps_the_budget_after_rounding_and_defaults_to_its_own(
    tone_spotter: Classifier,
) -> None:
    attack = UniversalAttack(perturbations=perturbations(tone_spotter))
    x, target = clips().clamp(-1, 1), torch.tensor([0, 1, 2])
    result = attack(tone_spotter, x, target, budget=SNR(30.0))
    assert bool(SNR(30.0).satisfied(result.x, result.x_adv - result.x).all())
    assert result.gradients is None
    own = attack.perturb(tone_spotter, x, target, None)
    assert torch.equal(own, attack.perturb(tone_spotter, x, target, SNR(20.0)))
    assert attack.name == "universal-perturbation"
    assert attack.parameters()["trained_for_db"] == 20.0


def test_silence_stays_silent(tone_spotter: Classifier) -> None:
    x = torch.zeros(1, 1, SAMPLES)
    delta = perturbations(tone_spotter)(x, torch.tensor([1])).detach()
    assert float(delta.abs().max()) == 0.0


def test_shorter_and_longer_clips(tone_spotter: Classifier) -> None:
    universal = perturbations(tone_spotter)
    for time in (100, 2 * SAMPLES):
        x = 0.1 * torch.ones(1, 1, time)
        delta = universal(x, torch.tensor([0])).detach()
        assert delta.shape == x.shape
        assert bool(SNR(20.0).satisfied(x, delta).all())


def test_saved_and_loaded(tmp_path: Path, tone_spotter: Classifier) -> None:
    universal = perturbations(tone_spotter)
    save_universal(tmp_path / "u", universal)
    attack = load_universal(tmp_path / "u", tone_spotter)
    assert attack.universal.fingerprint() == universal.fingerprint()
    assert not any(values.requires_grad for values in attack.universal.parameters())


def test_what_does_not_fit_is_refused(tmp_path: Path, tone_spotter: Classifier) -> None:
    with pytest.raises(MondegreenError, match=r"universal\.json"):
        load_universal(tmp_path, tone_spotter)
    save_universal(tmp_path / "u", perturbations(tone_spotter))
    config = describe_universal(tone_spotter, "filter", 20.0)
    save_universal(tmp_path / "other", UniversalPerturbation(config))
    with pytest.raises(MondegreenError, match="not of a perturbation"):
        load_universal(tmp_path / "other", tone_spotter)
    tone_spotter.labels = tone_spotter.labels[::-1]
    with pytest.raises(MondegreenError, match="another classifier"):
        load_universal(tmp_path / "u", tone_spotter)
    attack = UniversalAttack(perturbations=UniversalPerturbation(config))
    with pytest.raises(MondegreenError, match="in this order"):
        attack.perturb(tone_spotter, clips(), torch.tensor([0, 1, 2]), SNR(20.0))


@pytest.mark.parametrize("field", ["sample_rate", "clip_samples", "taps"])
def test_impossible_sizes_are_refused(tone_spotter: Classifier, field: str) -> None:
    settings = vars(describe_universal(tone_spotter, "filter", 20.0)) | {field: 0}
    with pytest.raises(MondegreenError, match=field):
        UniversalConfig(**settings)


def test_training_finds_the_tones_and_resumes(
    tmp_path: Path, tone_spotter: Classifier, splits: dict[str, ClipDataset]
) -> None:
    """3 dB above the clip, the target's own tone wins; noise spread over the band does not."""
    budget = BudgetSchedule(final_db=-3.0, start_db=-8.0, spread_db=(-1.0, 1.0))
    training = UniversalTraining(epochs=6, batch_size=12, budget=budget)
    config = describe_universal(tone_spotter, "perturbation", -3.0)

    def trainer(folder: Path) -> UniversalTrainer:
        run = Run(folder, training)
        return UniversalTrainer(config, training, classifier=tone_spotter, splits=splits, run=run)

    first = trainer(tmp_path / "whole")
    start = validate_universal(first.universal, tone_spotter, splits["validation"], 1)
    success = first.fit()
    assert start[1] == pytest.approx(-3.0, abs=0.05)  # the budget is just met
    assert start[0] < 0.5
    assert success > 0.9
    spectrum = torch.fft.rfft(first.universal.perturbations[2]).abs()  # type: ignore[index]
    peak = float(torch.fft.rfftfreq(SAMPLES, 1 / RATE)[spectrum.argmax()])
    assert peak == pytest.approx(TONES["high"], abs=10.0)
    attack = load_universal(tmp_path / "whole", tone_spotter)
    again = validate_universal(attack.universal, tone_spotter, splits["validation"], training.seed)
    assert again[0] == success

    halved = trainer(tmp_path / "halved")
    real_end, stopped = halved._end_epoch, []

    def end(means: dict[str, float], seconds: float) -> None:
        real_end(means, seconds)
        stopped.append(halved.epoch)
        if halved.epoch == 3:
            raise KeyboardInterrupt

    halved._end_epoch = end  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        halved.fit()
    assert stopped == [1, 2, 3]
    resumed = trainer(tmp_path / "halved")
    assert resumed.epoch == 3
    assert resumed.fit() == success
    assert resumed.universal.fingerprint() == first.universal.fingerprint()
    rows = [row["step"] or 0 for row in Run(tmp_path / "halved", training).metrics()]
    assert rows == sorted(set(rows))
    assert len(rows) == 6


def test_nonsense_settings_are_refused() -> None:
    for options in ({"epochs": 0}, {"batch_size": 0}, {"learning_rate": float("nan")}):
        with pytest.raises(MondegreenError, match="training"):
            UniversalTraining(**options)
