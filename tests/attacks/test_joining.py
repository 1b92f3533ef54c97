"""Overlapping windows: every sample once, no seams, whatever the pieces."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.joining import WINDOWS_AT_ONCE, WindowedPerturbation, fade_in
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier

CLIP = 400


class Copy(Attack):
    """The perturbation is the window, times a number for each window."""

    def __init__(self, *, levels: tuple[float, ...] = (1.0,)) -> None:
        self.levels = levels
        self.windows: list[Tensor] = []
        self.most = 0

    @property
    def name(self) -> str:
        return "copy"

    def parameters(self) -> dict[str, Any]:
        return {"levels": self.levels}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        assert target.shape == (len(x),)
        self.most = max(self.most, len(x))
        levels = []
        for window in x:
            levels.append(self.levels[len(self.windows) % len(self.levels)])
            self.windows.append(window[0].clone())
        return x * torch.tensor(levels)[:, None, None]


@pytest.fixture
def any_classifier() -> Classifier:
    module = nn.Sequential(nn.Flatten(), nn.Linear(CLIP, 2))
    return Classifier(module, labels=("a", "b"), sample_rate=8000, clip_samples=CLIP, name="any")


def joined(windows: WindowedPerturbation, x: Tensor, cuts: list[int]) -> Tensor:
    parts = [windows.push(piece) for piece in torch.tensor_split(x, sorted(cuts))]
    return torch.cat([*parts, windows.flush()])


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 5 * CLIP),
    cuts=st.lists(st.integers(0, 5 * CLIP), max_size=5),
    overlap=st.sampled_from([0.0, 0.1, 0.25, 0.5]),
)
def test_equal_windows_join_to_the_whole(samples: int, cuts: list[int], overlap: float) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(CLIP, 2))
    classifier = Classifier(
        module, labels=("a", "b"), sample_rate=8000, clip_samples=CLIP, name="any"
    )
    x = torch.rand(samples, generator=torch.Generator().manual_seed(samples)) - 0.5
    attack = Copy()
    found = joined(WindowedPerturbation(attack, classifier, 1, None, overlap), x, cuts)
    torch.testing.assert_close(found, x, atol=1e-6, rtol=0.0)
    hop = CLIP - int(overlap * CLIP)
    assert len(attack.windows) == 1 + max(0, -(-(samples - CLIP) // hop))
    for number, window in enumerate(attack.windows):
        piece = x[number * hop :][:CLIP]
        assert torch.equal(window[: len(piece)], piece)
        assert not window[len(piece) :].any()


def test_a_stream_is_perturbed_in_bounded_batches(any_classifier: Classifier) -> None:
    attack = Copy()
    joined(WindowedPerturbation(attack, any_classifier, 0, None), torch.rand(100 * CLIP), [])
    assert attack.most == WINDOWS_AT_ONCE
    assert len(attack.windows) == 199


def test_the_time_of_all_calls_is_added_up(
    any_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr("mondegreen.attacks.joining.time.perf_counter", lambda: float(next(clock)))
    windows = WindowedPerturbation(Copy(), any_classifier, 0, None, 0.0)
    joined(windows, torch.rand(2 * CLIP), [CLIP])
    assert windows.milliseconds == 2_000.0


def test_windows_of_other_levels_are_cross_faded(any_classifier: Classifier) -> None:
    windows = WindowedPerturbation(Copy(levels=(1.0, 0.0)), any_classifier, 0, None, 0.25)
    found = joined(windows, torch.ones(2 * CLIP), [])
    hop = CLIP - 100
    torch.testing.assert_close(found[hop:CLIP], fade_in(100).flip(0))
    assert torch.equal(found[:hop], torch.ones(hop))
    assert torch.equal(found[CLIP : 2 * hop], torch.zeros(2 * hop - CLIP))


def second_difference(x: Tensor) -> Tensor:
    return (x[2:] - 2 * x[1:-1] + x[:-2]).abs()


@pytest.mark.parametrize(("overlap", "clicks"), [(0.0, True), (0.125, False), (0.5, False)])
def test_overlap_leaves_no_click(any_classifier: Classifier, overlap: float, clicks: bool) -> None:
    # Windows of opposite sign: the worst that two neighbours can disagree.
    tone = torch.cos(2 * torch.pi * 0.01 * torch.arange(10 * CLIP))
    attack = Copy(levels=(1.0, -1.0))
    found = joined(WindowedPerturbation(attack, any_classifier, 0, None, overlap), tone, [])
    bent = float(second_difference(found).max())
    plain = float(second_difference(tone).max())
    assert (bent > 100 * plain) == clicks
    if not clicks:
        assert bent < 2.5 * plain  # the fade itself bends a little


@pytest.mark.parametrize("overlap", [-0.1, 0.51])
def test_impossible_overlaps(any_classifier: Classifier, overlap: float) -> None:
    with pytest.raises(ValueError, match="overlap"):
        WindowedPerturbation(Copy(), any_classifier, 0, None, overlap)
