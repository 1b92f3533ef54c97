"""Training through channels: what is drawn, what the losses see, and that it resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import torch
from lightning_fabric import Fabric

from mondegreen.audio import write_wav
from mondegreen.channels import parse_channel
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus
from mondegreen.errors import MondegreenError
from mondegreen.gan.batches import Batch
from mondegreen.gan.channel_mix import ChannelMix, Passage
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.losses import LossWeights
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.gan.validation import validate
from mondegreen.generators.generator import describe_classifier
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.runs import Run

SAMPLES = 1024
NAMES = ("noise:snr_db=0..20", "quantize:bits=5", "lowpass:hz=1000")
TRAINING = GeneratorTraining(
    epochs=2,
    warm_up_epochs=0,
    batch_size=3,
    weights=LossWeights(alpha=0.0, beta=0.0, gamma=0.0),
    discriminator=None,
    budget=BudgetSchedule(final_db=10.0, start_db=0.0),
    patience=0,
)


@pytest.fixture
def data(tmp_path: Path) -> ClipDataset:
    random = torch.Generator().manual_seed(3)
    for number, label in enumerate(("low", "high")):
        for take in range(4):
            (tmp_path / "clips" / label).mkdir(parents=True, exist_ok=True)
            x = 0.2 * torch.sin(0.3 * (number + 1) * torch.arange(SAMPLES))
            x = x + 0.02 * torch.randn(SAMPLES, generator=random)
            write_wav(tmp_path / "clips" / label / f"s{take}_nohash_0.wav", x, 8000)
    corpus = folder_corpus(tmp_path / "clips")
    cache = ClipCache.build(
        corpus, sample_rate=8000, clip_samples=SAMPLES, folder=tmp_path / "cache"
    )
    return ClipDataset(corpus, cache)


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    front_end = LogMelConfig(
        sample_rate=8000, window=128, hop=64, fft=128, filters=12, high=3800.0, coefficients=10
    )
    config = ClassifierConfig(
        labels=("high", "low"),
        front_end=front_end,
        backbone=TCResNetConfig(width=0.25),
        sample_rate=8000,
        clip_samples=SAMPLES,
    )
    return Classifier.from_config(config).freeze()


def trainer(
    folder: Path, classifier: Classifier, data: ClipDataset, mix: ChannelMix | None
) -> GeneratorTrainer:
    network = SpectralConfig(window=128, hop=64, patch=1, width=8, blocks=1, bands=24)
    return GeneratorTrainer(
        describe_classifier(classifier, network, (), 10.0),
        TRAINING,
        classifier=classifier,
        splits={"train": data, "validation": data},
        unlabelled=None,
        augment=None,
        channels=mix,
        run=Run(folder, TRAINING),
        fabric=Fabric(accelerator="cpu", devices=1),
    )


def mix(share: float = 0.7, names: tuple[str, ...] = NAMES) -> ChannelMix:
    found = ChannelMix.parse(names, share)
    assert found is not None
    return found


def test_what_is_met_follows_from_the_seed_and_from_the_place_in_the_batch() -> None:
    noise = parse_channel("noise:snr_db=0..20")
    x = torch.rand(4, 1, SAMPLES, generator=torch.Generator().manual_seed(1)) - 0.5
    whole = Passage(noise, 5)(x, 8000)
    assert torch.equal(Passage(noise, 5)(x, 8000), whole)
    assert torch.equal(Passage(noise, 5, before=3)(x[3:], 8000), whole[3:])
    assert not torch.equal(Passage(noise, 6)(x, 8000), whole)
    assert mix().passages(7) == [Passage(channel, 7) for channel in mix().channels]


def test_channels_are_drawn_as_often_as_asked(rng: torch.Generator) -> None:
    drawn = [mix().draw(rng) for _ in range(2000)]
    through = [one for one in drawn if one is not None]
    assert len(through) / len(drawn) == pytest.approx(0.7, abs=0.04)
    names = [repr(one.channel) for one in through]
    shares = [names.count(repr(channel)) / len(names) for channel in mix().channels]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.05)
    assert len({one.seed for one in through}) == len(through)


def test_no_channels_are_no_mix() -> None:
    assert ChannelMix.parse((), 0.5) is None and ChannelMix.parse(NAMES, 0.0) is None
    with pytest.raises(MondegreenError, match="channel-share"):
        ChannelMix.parse(NAMES, 1.5)
    with pytest.raises(MondegreenError, match="nonsense"):
        ChannelMix.parse(["nonsense"], 0.5)


@pytest.mark.parametrize("kind", ["certain", "none"])
def test_the_classifier_hears_the_channel_and_the_size_is_measured_before(
    tmp_path: Path, classifier: Classifier, data: ClipDataset, kind: Literal["certain", "none"]
) -> None:
    """A channel 120 dB down leaves the classifier nothing to hear; the SNR stays the budget's."""
    deaf = mix(1.0, ("gain:db=-120",)) if kind == "certain" else None
    work = trainer(tmp_path / "run", classifier, data, deaf)
    x, target = data.waveforms()[:4], torch.zeros(4, dtype=torch.int64)
    x_adv = x + 0.1 * x.flip(2)
    passage = deaf.passages(1)[0] if deaf else None
    loss, losses = work.objective(Batch(x, target, passage=passage), x_adv.requires_grad_(), None)
    silent = classifier(torch.zeros_like(x))
    expected = torch.nn.functional.cross_entropy(silent if deaf else classifier(x_adv), target)
    assert losses["generator/classifier"] == pytest.approx(float(expected.detach()), abs=1e-3)
    assert losses["train/snr_db"] == pytest.approx(20.0, abs=0.1)
    assert loss.requires_grad


def test_gradients_reach_the_generator_through_a_codec(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    work = trainer(tmp_path / "run", classifier, data, mix(1.0, ("mp3:kbps=32",)))
    before = [one.detach().clone() for one in work.state.generator.parameters()]
    next(iter(work._epoch()))
    after = work.state.generator.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_interrupted_training_through_channels_continues_bit_for_bit(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    whole = trainer(tmp_path / "whole", classifier, data, mix())
    whole.fit()
    first = trainer(tmp_path / "parts", classifier, data, mix())
    assert list(first._epoch())
    first.state.epoch += 1
    first._end_epoch({}, 0.0)
    next(iter(first._epoch()))  # a step that never reaches a checkpoint
    second = trainer(tmp_path / "parts", classifier, data, mix())
    second.fit()
    pairs = zip(
        whole.state.generator.parameters(), second.state.generator.parameters(), strict=True
    )
    assert all(torch.equal(a, b) for a, b in pairs)
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in whole.run.metrics()]
    again = [{k: v for k, v in row.items() if k != "seconds"} for row in second.run.metrics()]
    assert rows[-1] == again[-1] and "validation/channels" in rows[-1]


def test_validation_weighs_both(tmp_path: Path, classifier: Classifier, data: ClipDataset) -> None:
    work = trainer(tmp_path / "run", classifier, data, None)
    generator, every = work.state.average, torch.arange(2)
    plain = validate(generator, classifier, data, every, 1)
    found = validate(generator, classifier, data, every, 1, mix(0.7))
    assert found["validation/direct"] == plain["validation/success"]
    weighed = 0.3 * found["validation/direct"] + 0.7 * found["validation/channels"]
    assert found["validation/success"] == pytest.approx(weighed)
    nothing = validate(generator, classifier, data, every, 1, mix(0.7, ("gain:db=0",)))
    assert nothing["validation/channels"] == plain["validation/success"]
