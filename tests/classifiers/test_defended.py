"""A defended classifier is its channel and its classifier, gradients and votes included."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import SNR
from mondegreen.channels import Channel, Gain, Gaussian, Median, Quantize, Streams
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.defended import Defended, parse_defence, save_defended
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.errors import MondegreenError


def clips(count: int = 3) -> Tensor:
    return 0.2 * torch.randn(count, 1, 1024, generator=torch.Generator().manual_seed(2))


class Coin(Channel):
    """Turns each clip into 1 with a given probability, otherwise into -1."""

    @property
    def random(self) -> bool:
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        side = torch.where(streams.uniform(0.0, 1.0) < 0.7, 1.0, -1.0)
        return x * 0.0 + side[:, None, None]


class Sign(nn.Module):
    """Two logits: the mean, and nothing."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=(1, 2))
        return torch.stack([mean, torch.zeros_like(mean)], dim=1)


def coin() -> Classifier:
    return Classifier(Sign(), labels=("up", "down"), sample_rate=4000, clip_samples=8, name="sign")


@pytest.mark.parametrize("text", ["median:samples=5", "quantize:bits=5", "gain:db=-3+quantize"])
def test_answers_are_those_of_channel_and_classifier(text: str, small: Classifier) -> None:
    defence = parse_defence(text)
    x = clips()
    wanted = small(defence.channel(x, sample_rate=4000))
    assert torch.equal(Defended(small, defence.channel)(x), wanted)


def test_a_gradient_passes_rounding_as_if_there_were_none(small: Classifier) -> None:
    x = clips()
    defended = Defended(small, Quantize(bits=6))
    through = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(defended(through).square().sum(), through)
    rounded = Quantize(bits=6)(x, sample_rate=4000).requires_grad_()
    (wanted,) = torch.autograd.grad(small(rounded).square().sum(), rounded)
    assert torch.equal(found, wanted) and bool((found != 0).any())


def test_a_gradient_is_that_of_a_channel_that_has_one(small: Classifier) -> None:
    x = clips()
    through = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(Defended(small, Gain(db=-6.0))(through).sum(), through)
    quieter = (x * 10 ** (-6 / 20)).requires_grad_()
    (wanted,) = torch.autograd.grad(small(quieter).sum(), quieter)
    assert torch.allclose(found, wanted * 10 ** (-6 / 20), atol=1e-7)


def test_the_majority_is_counted() -> None:
    votes = 40
    defended = Defended(coin(), Coin(), votes=votes)
    x = torch.rand(4, 1, 8, generator=torch.Generator().manual_seed(3))
    streams = Streams.of_content(x, defended.seed, votes)
    ups = (streams.uniform(0.0, 1.0) < 0.7).view(4, votes).sum(dim=1).double()
    sure = 1.0 / (1.0 + math.exp(-1.0))  # of the label that one vote is for
    mean = (ups * sure + (votes - ups) * (1.0 - sure)) / votes
    found = defended(x).double().exp()
    assert torch.allclose(found[:, 0], (ups + mean) / (votes + 1), atol=1e-6)
    assert torch.allclose(found.sum(dim=1), torch.ones(4).double(), atol=1e-6)
    assert len(set(ups.tolist())) > 1, "other clips, other draws"
    soft = Defended(coin(), Coin(), votes=votes, combine="mean")(x).double().exp()
    assert torch.allclose(soft[:, 0], mean, atol=1e-6)


def test_votes_have_the_gradient_of_their_mean(small: Classifier) -> None:
    x = clips(2)
    gradients: list[torch.Tensor] = []
    ways: tuple[Literal["majority", "mean"], ...] = ("majority", "mean")
    for combine in ways:
        defended = Defended(small, Gaussian(sigma=0.05), votes=3, combine=combine)
        z = x.clone().requires_grad_()
        gradients += torch.autograd.grad(defended(z)[:, 1].sum(), z)
    assert torch.equal(*gradients) and bool((gradients[0] != 0).any())


def test_a_clip_is_heard_alike_whatever_is_beside_it(small: Classifier) -> None:
    defended = Defended(small, Gaussian(sigma=0.05), votes=4).freeze()
    x = clips(5)
    together = defended(x)
    assert torch.allclose(defended(x[3:4]), together[3:4], atol=1e-5)
    other = Defended(small, Gaussian(sigma=0.05), votes=4, seed=5).freeze()
    assert not torch.allclose(other(x), together, atol=1e-3)
    assert other.fingerprint() == defended.fingerprint(), "the seed is the defender's secret"


def test_the_attackers_copy_has_other_draws_and_gradients(small: Classifier) -> None:
    small.freeze()
    defended = Defended(small, Gaussian(sigma=0.05), votes=9).freeze()
    known = defended.known_to_attacker(4)
    assert (known.votes, known.combine) == (4, "mean") and known.seed != defended.seed
    assert Defended(small, Median()).known_to_attacker(4).votes == 1
    target = torch.tensor([0, 1, 2])
    result = ProjectedGradient(steps=3)(known, clips(), target, budget=SNR(10.0))
    assert bool((result.x_adv != result.x).any())


def test_fingerprints_tell_defences_apart(small: Classifier) -> None:
    prints = {
        small.fingerprint(),
        Defended(small, Median(samples=3)).fingerprint(),
        Defended(small, Median(samples=5)).fingerprint(),
        Defended(small, Gaussian()).fingerprint(),
        Defended(small, Gaussian(), votes=2).fingerprint(),
    }
    assert len(prints) == 5


def test_a_defence_gives_no_gradients_that_the_classifier_has_not(small: Classifier) -> None:
    assert Defended(small, Median()).differentiable
    small.differentiable = False
    assert not Defended(small, Median()).differentiable


def test_what_was_trained_against_the_classifier_behind_may_attack(small: Classifier) -> None:
    defended = Defended(small, Median())
    defended.refuse_other("small", small.fingerprint(), "here")
    defended.refuse_other("defended", defended.fingerprint(), "here")
    with pytest.raises(MondegreenError, match="another classifier"):
        defended.refuse_other("other", "0123", "here")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("median@3", "nothing random"),
        ("gaussian@0", "1 or more"),
        ("nonsense@2", "there is no 'nonsense'"),
    ],
)
def test_wrong_defences_are_refused(text: str, told: str) -> None:
    with pytest.raises(MondegreenError, match=told):
        parse_defence(text)


@pytest.fixture
def place(tmp_path: Path, small: Classifier, small_config: ClassifierConfig) -> Path:
    save_classifier(tmp_path / "small", small, small_config)
    return tmp_path / "small"


def test_a_folder_is_loaded_as_a_classifier(place: Path, tmp_path: Path) -> None:
    made = save_defended(tmp_path / "run", place, parse_defence("gaussian:sigma=0.03@5"), 9)
    loaded = load_classifier(tmp_path / "run")
    assert isinstance(loaded, Defended) and (loaded.votes, loaded.seed) == (5, 9)
    assert torch.equal(loaded(clips()), made(clips()))
    assert not any(weight.requires_grad for weight in loaded.parameters())
    with pytest.raises(MondegreenError, match="defended already"):
        save_defended(tmp_path / "twice", tmp_path / "run", parse_defence("gain"), 1)


def test_another_classifier_in_its_place_is_noticed(
    place: Path, tmp_path: Path, small_config: ClassifierConfig
) -> None:
    save_defended(tmp_path / "run", place, parse_defence("gain"), 1)
    torch.manual_seed(77)
    save_classifier(place, Classifier.from_config(small_config), small_config)
    with pytest.raises(MondegreenError, match="Restore it"):
        load_classifier(tmp_path / "run")
    path = tmp_path / "run" / "defended.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"classifier": str(tmp_path / "run")}))
    with pytest.raises(MondegreenError, match="defended already"):
        load_classifier(tmp_path / "run")
    path.write_text("[]")
    with pytest.raises(MondegreenError, match="expected an object"):
        load_classifier(tmp_path / "run")


def test_a_file_never_starts_a_program(place: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.py"
    trap.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(MondegreenError, match="adopt it"):
        save_defended(tmp_path / "run", Path(f"{trap}:build"), parse_defence("gain"), 1)
    save_defended(tmp_path / "run", place, parse_defence("gain"), 1)
    path = tmp_path / "run" / "defended.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"classifier": f"{trap}:build"}))
    with pytest.raises(MondegreenError, match="Files never start programs"):
        load_classifier(tmp_path / "run")
    assert not (tmp_path / "ran").exists()
