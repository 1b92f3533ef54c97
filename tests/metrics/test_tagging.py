"""Average precision, F1 and its best threshold, against their definitions."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.metrics.tagging import average_precision, best_threshold, f1

CLIPS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30)


def by_definition(scores: list[float], truth: list[bool]) -> float:
    """Precision at every level that is reached, weighted by the recall gained there."""
    area, before = 0.0, 0.0
    for level in sorted(set(scores), reverse=True):
        on = [there for score, there in zip(scores, truth, strict=True) if score >= level]
        recall = sum(on) / sum(truth)
        area += (recall - before) * sum(on) / len(on)
        before = recall
    return area


def test_average_precision_of_a_known_ranking() -> None:
    truth = torch.tensor([True, False, True, True, False])
    scores = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    assert average_precision(scores, truth) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert average_precision(scores, ~truth) == pytest.approx((1 / 2 + 2 / 5) / 2)
    assert average_precision(torch.zeros(5), truth) == pytest.approx(3 / 5)  # nothing is told apart
    assert math.isnan(average_precision(scores, torch.zeros(5, dtype=torch.bool)))


@given(CLIPS)
def test_average_precision_is_what_its_definition_says(clips: list[tuple[int, bool]]) -> None:
    scores, truth = [float(score) for score, _ in clips], [there for _, there in clips]
    found = average_precision(torch.tensor(scores), torch.tensor(truth))
    if any(truth):
        assert found == pytest.approx(by_definition(scores, truth))
    else:
        assert math.isnan(found)


@given(CLIPS)
def test_no_threshold_is_better_than_the_best(clips: list[tuple[int, bool]]) -> None:
    scores = torch.tensor([score / 6 for score, _ in clips])
    truth = torch.tensor([there for _, there in clips])
    best = best_threshold(scores, truth)
    assert 0.0 < best < 1.0
    if truth.any():
        others = [f1(scores > level / 12 - 1e-3, truth) for level in range(1, 12)]
        assert f1(scores > best, truth) >= max(o for o in others if not math.isnan(o)) - 1e-12
    else:
        assert best == 0.5


def test_f1() -> None:
    found, truth = torch.tensor([True, True, False, False]), torch.tensor([True, False, True, True])
    assert f1(found, truth) == pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))
    assert math.isnan(f1(torch.tensor([False]), torch.tensor([False])))
