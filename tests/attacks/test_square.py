"""The random search by bursts: what it tries, what it keeps, and how far it gets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mondegreen.attacks.square import SquareAttack
from mondegreen.budgets import L2, SNR, Linf
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.gan.validation import draw_targets

SAMPLES = 800


class Listener:
    """Remembers what it is asked, and answers as it is told to."""

    def __init__(self, improves: bool) -> None:
        self.asked: list[Tensor] = []
        self.improves = improves

    def __call__(self, x: Tensor) -> Tensor:
        """Return a probability of label 0 that rises with every query, or never."""
        self.asked.append(x[:, 0].clone() * 32_768)
        wanted = 0.1 + 1e-3 * len(self.asked) * self.improves
        return torch.tensor([[wanted, 1.0 - wanted]]).expand(len(x), 2)


def clip() -> Tensor:
    return 0.1 * torch.randn(1, 1, SAMPLES, generator=torch.Generator().manual_seed(5))


def differences(listener: Listener) -> list[Tensor]:
    """Return the steps by which each candidate differs from the clip."""
    return [asked[0] - listener.asked[0][0] for asked in listener.asked[1:]]


def test_a_burst_is_a_stretch_of_a_tone() -> None:
    listener = Listener(improves=False)
    SquareAttack(queries=200, share=0.2).against(listener, clip(), [0], budget=Linf(0.01))
    begins, pitches = [], []
    for steps in differences(listener):
        touched = torch.nonzero(steps).flatten()
        assert int(touched[-1] - touched[0]) < 160  # nothing helped, so nothing was kept
        assert float(steps.abs().max()) <= 327
        begins.append(int(touched[0]))
        pitches.append(float((steps.sign().diff().abs() == 2).sum()) / 320)
    assert min(begins) < 60
    assert max(begins) > SAMPLES - 160 - 60
    thirds = torch.tensor(pitches).quantile(torch.tensor([0.1, 0.5, 0.9])).tolist()
    assert thirds[0] < 0.012 < thirds[1] < 0.09 < 0.2 < thirds[2]  # evenly in octaves


def test_what_helps_is_kept_and_what_does_not_is_dropped() -> None:
    listener = Listener(improves=True)
    attack = SquareAttack(queries=60, share=0.05)
    attack.against(listener, clip(), [0], budget=SNR(20.0))
    touched = [int((steps != 0).sum()) for steps in differences(listener)]
    assert touched[0] <= 40
    assert touched[-1] > 10 * 40
    tail = differences(listener)[-1]
    kept = torch.corrcoef(torch.stack([differences(listener)[-2], tail]))[0, 1]
    assert float(kept) > 0.9


@pytest.mark.parametrize("budget", [SNR(20.0), L2(0.5)])
def test_every_candidate_uses_all_of_a_euclidean_budget(budget: SNR | L2) -> None:
    listener, x = Listener(improves=True), clip()
    SquareAttack(queries=20).against(listener, x, [0], budget=budget)
    bound = float(budget.bound(x))
    for steps in differences(listener):
        assert 0.98 * bound < float(torch.linalg.vector_norm(steps)) / 32_768 <= bound


def test_the_size_of_a_burst() -> None:
    for size, expected in ((0.1, 0.1), (None, 0.2), (0.5, 0.5)):
        listener = Listener(improves=True)
        SquareAttack(queries=40, size=size, share=0.05).against(
            listener, clip(), [0], budget=SNR(20.0)
        )
        last, tail = differences(listener)[-2:]
        similar = torch.nn.functional.cosine_similarity(last, tail, dim=0)
        angle = float(similar.acos().tan())  # a burst is nearly orthogonal to what is there
        assert angle == pytest.approx(expected, rel=0.3)


def test_under_a_maximum_norm_a_burst_is_twice_as_large_and_clipped() -> None:
    listener = Listener(improves=False)
    SquareAttack(queries=60, share=0.5).against(listener, clip(), [0], budget=Linf(0.01))
    steps = torch.cat([one[one != 0] for one in differences(listener)])
    clipped = float((steps.abs() >= 326).double().mean())
    assert clipped == pytest.approx(2 / 3, abs=0.05)  # where a sine exceeds a half


def test_under_a_euclidean_norm_a_burst_swells_and_fades() -> None:
    listener = Listener(improves=False)
    SquareAttack(queries=60, share=0.5).against(listener, clip(), [0], budget=L2(1.0))
    energy = torch.stack([one.square() for one in differences(listener)])
    for steps in energy:
        begin, end = torch.nonzero(steps).flatten()[[0, -1]].tolist()
        eighth = (end + 1 - begin) // 8
        edges = steps[begin : begin + eighth].sum() + steps[end + 1 - eighth : end + 1].sum()
        assert float(edges / steps.sum()) < 0.1  # of the eight eighths, the first and the last


def test_a_clip_that_is_shorter_than_a_stretch_of_one_sample() -> None:
    x = torch.zeros(1, 1, 3)
    result = SquareAttack(queries=5, share=0.1).against(
        Listener(improves=True), x, [0], budget=Linf(0.1)
    )
    assert result.queries is not None
    assert result.queries.tolist() == [5]
    SquareAttack(queries=5, share=1.0).against(Listener(improves=True), x, [0], budget=L2(0.1))


class ToneLover:
    """Likes a short tone in the middle of the clip, as long as it is not heard as label 0."""

    def __init__(self, x: Tensor) -> None:
        time = torch.arange(SAMPLES)
        tone = torch.sin(0.5 * time) * torch.exp(-(((time - 400) / 100.0) ** 2))
        self.x, self.tone = x, tone / tone.norm()

    def __call__(self, x: Tensor) -> Tensor:
        """Return probabilities."""
        wanted = (0.2 + (x - self.x)[:, 0] @ self.tone).clamp(0.0, 1.0)
        return torch.stack([wanted, 1.0 - wanted], dim=1)


def test_it_finds_the_tone_that_is_wanted() -> None:
    x = clip()
    budget = L2(0.25)  # 0.45 is the most that can be reached
    reached = []
    for queries in (10, 60, 600):
        attack = SquareAttack(queries=queries)
        result = attack.against(ToneLover(x), x, [0], budget=budget)
        reached.append(float(result.logits.exp()[0, 0]))
    assert reached[0] < reached[1] < reached[2]
    assert reached[2] > 0.28
    enough = SquareAttack(queries=600).against(ToneLover(x), x, [0], budget=L2(0.7))
    assert bool(enough.success)
    assert enough.queries is not None
    assert int(enough.queries) < 600
    away = SquareAttack(queries=600, untargeted=True)
    assert bool(away.against(ToneLover(x), x, [1], budget=L2(0.7)).success)


def test_what_makes_no_sense_is_refused() -> None:
    for options, message in (
        ({"share": 0.0}, "share is 0.0"),
        ({"share": 1.5}, "share is 1.5"),
        ({"size": 0.0}, "size is 0.0"),
        ({"size": float("inf")}, "size is inf"),
    ):
        with pytest.raises(MondegreenError, match=message):
            SquareAttack(**options)  # type: ignore[arg-type]


def test_two_hundred_queries_fool_the_shipped_spotter(real_data: Path) -> None:
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    data = open_test_split(options, *shape, "validation")
    random = torch.Generator().manual_seed(1)
    x, label = data.sample(10, random)
    target = draw_targets(label, torch.arange(10), random)
    result = SquareAttack(queries=200)(classifier, x, target, budget=SNR(15.0))
    assert float(result.success.double().mean()) >= 0.7
