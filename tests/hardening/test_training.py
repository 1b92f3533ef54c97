"""Hardening from beginning to end: it helps, it keeps the limit, it resumes bit for bit."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.augment import Augment, AugmentConfig
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import Generator
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.hearing_floor import raise_floor
from mondegreen.hardening.methods import build
from mondegreen.hardening.training import Hardener
from mondegreen.hardening.validation import robust_accuracy
from mondegreen.runs import Run

OPTIONS = Hardening(
    method="pgd",
    steps=2,
    epochs=4,
    batch_size=24,
    snr_db=(18.0, 22.0),
    select_db=20.0,
    select_steps=4,
    learning_rate=2e-2,
    average=0.8,
    max_loss=20.0,
    augment=AugmentConfig(speed=0.0, noise_probability=0.0, babble_probability=0.0),
)


def hardener(
    folder: Path,
    options: Hardening,
    classifier: Classifier,
    config: ClassifierConfig | None,
    splits: dict[str, ClipDataset],
    generator: Generator | None = None,
) -> Hardener:
    augment = Augment(options.augment, classifier.sample_rate)
    return Hardener(
        classifier,
        config,
        build(options, generator),
        options,
        splits=splits,
        augment=augment,
        run=Run(folder, options),
    )


def test_hardening_helps_and_is_loaded_as_any_classifier(
    tmp_path: Path, trained: Classifier, config: ClassifierConfig, splits: dict[str, ClipDataset]
) -> None:
    before = trained.fingerprint()
    options = replace(OPTIONS, max_loss=50.0)
    training = hardener(tmp_path / "run", options, trained, config, splits)
    found = training.fit()
    assert trained.fingerprint() == before
    loaded = load_classifier(tmp_path / "run")
    assert loaded.fingerprint() == found.fingerprint() != before
    attacked = [robust_accuracy(one, splits["train"], 20.0, 8, 7) for one in (trained, loaded)]
    assert attacked[1] > attacked[0] + 0.1
    kept = training.state.selection
    assert kept.within and kept.robust >= training.before["robust"]
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert rows[kept.epoch - 1]["validation/robust"] == kept.robust


@pytest.mark.parametrize("method", ["fast", "refined"])
def test_a_resumed_training_repeats_an_uninterrupted_one(
    method: str,
    tmp_path: Path,
    trained: Classifier,
    config: ClassifierConfig,
    splits: dict[str, ClipDataset],
    generator: Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = replace(OPTIONS, method=method, steps=None, generator_every=2)  # type: ignore[arg-type]
    start = {name: value.clone() for name, value in generator.state_dict().items()}
    whole = hardener(tmp_path / "whole", options, trained, config, splits, generator)
    whole.fit()

    generator.load_state_dict(start)
    cut = hardener(tmp_path / "cut", options, trained, config, splits, generator)
    step = Hardener._step

    def interrupted(
        self: Hardener, x: Tensor, label: Tensor, random: torch.Generator
    ) -> dict[str, float]:
        if self.state.step == 6:  # of four steps an epoch
            signal.raise_signal(signal.SIGINT)
        return step(self, x, label, random)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Hardener, "_step", interrupted)
        cut.fit()
    del cut  # and with it the lock on its folder
    torch.manual_seed(99)
    generator.load_state_dict(start)
    resumed = hardener(tmp_path / "cut", options, trained, config, splits, generator)
    assert resumed.state.epoch == 1 and resumed.state.step == 7
    resumed.fit()
    for one, other in (
        (whole.state.classifier, resumed.state.classifier),
        (whole.state.average, resumed.state.average),
    ):
        assert one.fingerprint() == other.fingerprint()
    files = [tmp_path / run / "checkpoints/best/classifier.safetensors" for run in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()
    rows = [
        [
            {k: v for k, v in json.loads(line).items() if "seconds" not in k}
            for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()
        ]
        for run in ("whole", "cut")
    ]
    assert rows[0] == rows[1] and len(rows[0]) == 4


def test_minutes_choose_the_epochs_after_the_first(
    tmp_path: Path, trained: Classifier, config: ClassifierConfig, splits: dict[str, ClipDataset]
) -> None:
    options = replace(OPTIONS, method="fast", steps=None, minutes=1e-6, epochs=50)
    training = hardener(tmp_path / "run", options, trained, config, splits)
    training.fit()
    assert training.state.epoch == training.state.epochs == 1


def test_it_stops_where_nothing_better_comes(
    tmp_path: Path, trained: Classifier, config: ClassifierConfig, splits: dict[str, ClipDataset]
) -> None:
    options = replace(
        OPTIONS, method="fast", steps=None, learning_rate=1e-12, patience=2, epochs=9, average=0.0
    )
    training = hardener(tmp_path / "run", options, trained, config, splits)
    training.fit()
    assert training.state.epoch == training.state.selection.epoch + 2 < 9


def test_any_differentiable_classifier_can_be_hardened(
    tmp_path: Path, splits: dict[str, ClipDataset]
) -> None:
    """One of the user's own, of which no description can be written: its weights are kept."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(1024, 8), nn.Tanh(), nn.Linear(8, 3))
    own = Classifier(
        module, labels=("high", "low", "middle"), sample_rate=4000, clip_samples=1024, name="own"
    ).freeze()
    options = replace(OPTIONS, method="trades", epochs=1)
    found = hardener(tmp_path / "run", options, own, None, splits).fit()
    assert found.fingerprint() != own.fingerprint()
    assert not any(parameter.requires_grad for parameter in found.parameters())
    best = tmp_path / "run" / "checkpoints" / "best"
    assert [path.name for path in best.iterdir()] == ["classifier.safetensors"]


def test_the_checkpoint_of_another_classifier_is_refused(
    tmp_path: Path, trained: Classifier, config: ClassifierConfig, splits: dict[str, ClipDataset]
) -> None:
    options = replace(OPTIONS, method="fast", steps=None, epochs=1)
    hardener(tmp_path / "run", options, trained, config, splits).fit()
    torch.manual_seed(8)
    other = Classifier.from_config(config).freeze()
    with pytest.raises(MondegreenError, match="another classifier"):
        hardener(tmp_path / "run", options, other, config, splits)


def test_a_raised_floor_keeps_the_weights_and_deafens_to_the_faint(
    trained: Classifier, config: ClassifierConfig
) -> None:
    raised, changed = raise_floor(trained, config, 10.0)
    assert changed.front_end.floor == 10.0  # type: ignore[union-attr]
    for kept, weight in zip(raised.parameters(), trained.parameters(), strict=True):
        assert torch.equal(kept, weight)
    faint = 1e-4 * torch.randn(2, 1, 1024, generator=torch.Generator().manual_seed(0))
    one, other = raised(faint)
    assert torch.allclose(one, other, atol=1e-4)
    one, other = trained(faint)
    assert not torch.allclose(one, other, atol=1e-2)
    with pytest.raises(MondegreenError, match="or more"):
        raise_floor(trained, config, 1e-9)
