"""Gradient search through a channel, against a classifier whose answer is known."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.attacks.search import Search
from mondegreen.attacks.through_channel import ChannelSearch
from mondegreen.budgets import SNR
from mondegreen.channels import Channel, Compose, Gain, Streams, parse_channel
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError

RATE, SAMPLES = 8000, 4000


@dataclass(frozen=True, kw_only=True)
class Coin(Channel):
    """Changes the sign of half of the clips."""

    @property
    def random(self) -> bool:
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        return x * (2.0 * streams.below(2).to(x) - 1.0)[:, None, None]


@pytest.fixture
def x() -> Tensor:
    time = torch.arange(SAMPLES) / RATE
    tone = 0.2 * torch.sin(2 * torch.pi * 300.0 * time)
    noise = 0.02 * torch.randn(2, 1, SAMPLES, generator=torch.Generator().manual_seed(1))
    return (tone + noise).mul(32768).round() / 32768


TARGET = torch.tensor([1, 2])


def search(classifier: Classifier, x: Tensor, channel: Channel, draws: int) -> ChannelSearch:
    zero = torch.zeros_like(x)
    return ChannelSearch(
        classifier, x, TARGET, SNR(10), zero, 0.1, channel=channel, draws=draws, seed=7
    )


def test_a_channel_that_does_nothing_changes_nothing(tone_spotter: Classifier, x: Tensor) -> None:
    plain = Search(tone_spotter, x, TARGET, SNR(10), torch.zeros_like(x), 0.1)
    through = search(tone_spotter, x, Gain(db=0.0), draws=3)
    rows = torch.arange(2)
    for one in (plain, through):
        one.begin()
        _, gradient = one.look(rows, "margin", first=True)
        one.move(rows, gradient, 0.5)
    assert torch.allclose(plain.delta, through.delta, atol=1e-6)
    assert torch.allclose(plain.score, through.score, atol=1e-5)
    assert torch.equal(3 * plain.gradients, through.gradients)
    assert torch.equal(3 * plain.queries, through.queries)


def test_gradients_are_means_over_draws(tone_spotter: Classifier, x: Tensor) -> None:
    channel = parse_channel("noise:snr_db=5+gain:db=-6..0")
    one = search(tone_spotter, x, channel, draws=5)
    rows = torch.arange(2)
    _, gradient = one.look(rows, "margin", first=True)
    again = search(tone_spotter, x, channel, draws=5)  # the same seed draws the same
    delta = torch.zeros_like(x, requires_grad=True)
    logits = again._ask(rows, x + delta)
    others = logits.scatter(2, TARGET[:, None, None].expand(2, 5, 1), -torch.inf).amax(dim=2)
    wanted = logits.gather(2, TARGET[:, None, None].expand(2, 5, 1))[:, :, 0]
    (expected,) = torch.autograd.grad((others - wanted).mean(dim=1).sum(), delta)
    assert torch.allclose(gradient, expected, atol=1e-6)
    assert not torch.allclose(logits[0, 0], logits[0, 1]), "draws differ"


def test_clips_draw_for_themselves(tone_spotter: Classifier, x: Tensor) -> None:
    channel = parse_channel("noise:snr_db=5")
    both = search(tone_spotter, x, channel, draws=3)._ask(torch.arange(2), x)
    attack = ChannelSearch(
        tone_spotter,
        x[1:],
        TARGET[1:],
        SNR(10),
        torch.zeros_like(x[1:]),
        0.1,
        channel=channel,
        draws=3,
        seed=7,
    )
    alone = attack._ask(torch.arange(1), x[1:])
    assert torch.allclose(both[1], alone[0], atol=1e-5)


def test_it_reaches_what_the_channel_lets_through(tone_spotter: Classifier, x: Tensor) -> None:
    """The third tone lies above the low-pass: only the search that knows it does not bet on it."""
    budget = SNR(0)
    channel = parse_channel("lowpass:hz=1500+noise:snr_db=15")
    target = torch.tensor([1, 1])

    def heard(attack: ProjectedGradient) -> float:
        x_adv = attack(tone_spotter, x, target, budget=budget).x_adv
        received = channel(
            x_adv.repeat(8, 1, 1), sample_rate=RATE, generator=torch.Generator().manual_seed(3)
        )
        return float((tone_spotter(received).argmax(dim=1) == 1).float().mean())

    blind = heard(ProjectedGradient(steps=8))
    knowing = heard(
        ProjectedGradient(steps=8, kappa=3.0, channel="lowpass:hz=1500+noise:snr_db=15", draws=4)
    )
    assert knowing == 1.0 >= blind


def test_the_sign_of_a_coin_cannot_be_attacked(tone_spotter: Classifier, x: Tensor) -> None:
    """Levels of tones do not know signs, so the mean over both signs is the plain gradient."""
    rows = torch.arange(2)
    plain = Search(tone_spotter, x, TARGET, SNR(10), torch.zeros_like(x), 0.1)
    coin = search(tone_spotter, x, Compose(channels=(Coin(),)), draws=6)
    first, second = (one.look(rows, "margin", first=True)[1] for one in (plain, coin))
    assert torch.allclose(first, second, atol=1e-6)


def test_the_attack_says_what_it_searches_through(tone_spotter: Classifier, x: Tensor) -> None:
    attack = ProjectedGradient(steps=2, channel="gain:db=-3", draws=2)
    assert attack.name == "pgd-2 through gain:db=-3"
    assert attack.parameters()["channel"] == "gain:db=-3"
    assert "channel" not in ProjectedGradient().parameters()
    result = attack(tone_spotter, x, TARGET, budget=SNR(40))
    assert result.gradients is not None and result.gradients.tolist() == [4, 4]
    with pytest.raises(MondegreenError, match="draws is 0"):
        ProjectedGradient(channel="gain", draws=0)
    with pytest.raises(MondegreenError, match="no 'nonsense'"):
        ProjectedGradient(channel="nonsense")


def test_another_seed_meets_other_draws(tone_spotter: Classifier, x: Tensor) -> None:
    one, same, other = (
        ProjectedGradient(steps=2, channel="noise:snr_db=3", seed=seed).perturb(
            tone_spotter, x, TARGET, SNR(25.0)
        )
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
