"""Whether labels are in the order of a model's answers, on answers that were made up."""

from __future__ import annotations

import numpy as np
import pytest

from mondegreen.evaluation.label_order import check_labels


@pytest.mark.parametrize("labels", [2, 10, 40])
@pytest.mark.parametrize("right", [0.7, 1.0])
def test_a_permutation_is_found(labels: int, right: float) -> None:
    rng = np.random.default_rng(labels)
    order = np.roll(np.arange(labels), 1)
    label = np.repeat(np.arange(labels), 20)
    answers = np.where(rng.random(len(label)) < right, label, rng.integers(labels, size=len(label)))
    heard = np.argsort(order)[answers]  # the answer that should have been called so
    found = check_labels(label, heard, labels)
    assert found.order == tuple(order.tolist())
    assert found.accuracy_in_order == pytest.approx(right + (1.0 - right) / labels, abs=0.16)
    assert found.accuracy < 0.3


@pytest.mark.parametrize("labels", [2, 10])
def test_guesses_have_no_order(labels: int) -> None:
    label = np.repeat(np.arange(labels), 20)
    for seed in range(50):
        heard = np.random.default_rng(seed).integers(labels, size=len(label))
        found = check_labels(label, heard, labels)
        assert found.order is None and found.best == found.accuracy


def test_a_model_that_is_right_stays_as_it_is() -> None:
    label = np.repeat(np.arange(5), 10)
    found = check_labels(label, label, 5)
    assert (found.accuracy, found.chance, found.order) == (1.0, 0.2, None)
    assert found.above_chance
    assert not check_labels(label, np.zeros(50, dtype=np.int64), 5).above_chance


def test_labels_without_clips_keep_their_place() -> None:
    label = np.repeat([1, 3], 20)
    found = check_labels(label, np.where(label == 1, 3, 1), 5)
    assert found.order == (0, 3, 2, 1, 4)


def test_too_few_clips_tell_no_order() -> None:
    label = np.repeat(np.arange(3), 3)
    few = check_labels(label, (label + 1) % 3, 3)
    assert few.order is None and not few.enough
    many = check_labels(np.tile(label, 10), np.random.default_rng(0).integers(3, size=90), 3)
    assert many.order is None and many.enough
