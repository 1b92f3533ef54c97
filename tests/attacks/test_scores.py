"""The counted score function: what it keeps, what it refuses."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mondegreen.attacks.scores import Scores
from mondegreen.attacks.square import SquareAttack
from mondegreen.errors import MondegreenError


def test_the_best_candidate_is_kept_and_ties_are_broken_as_arg_max_does() -> None:
    first = torch.tensor([[0.5, 0.5, 0.0], [0.6, 0.4, 0.0], [0.2, 0.3, 0.5], [0.5, 0.5, 0.0]])
    answers = [first, torch.tensor([[0.4, 0.5, 0.1], [0.6, 0.4, 0.0]])]
    x, target = torch.zeros(2, 1, 3), torch.tensor([1, 0])
    scores = Scores(lambda y: answers[int(len(y) == 2)], x, target, None, queries=3)
    rows = torch.arange(2)
    steps = torch.arange(12.0).view(2, 2, 3)
    scores(rows, steps)
    assert scores.heard.tolist() == [False, True]
    assert scores.going(rows).tolist() == [True, False]
    assert (scores.x_adv[:, 0, 0] * 32_768).tolist() == [0.0, 9.0]
    torch.testing.assert_close(scores.probabilities, first[[0, 3]].double())
    fit = scores.fitness(rows, first.view(2, 2, 3).double(), "probability")
    torch.testing.assert_close(fit, torch.tensor([[0.5, 0.4], [0.2, 0.5]]).double())
    margin = scores.fitness(rows, first.view(2, 2, 3).double(), "margin")
    assert float(margin[0, 1]) == pytest.approx(math.log(0.4 / 0.6))
    cut = scores(rows, steps + 100.0)
    assert cut.shape == (2, 1, 3)  # the limit left one query a clip
    assert scores.heard.tolist() == [True, True]
    assert scores.queries.tolist() == [3, 3]
    assert (scores.x_adv[:, 0, 0] * 32_768).tolist() == [100.0, 106.0]
    assert scores(rows, steps).shape == (2, 0, 3)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (torch.tensor([[0.2, math.nan]]), "no probabilities"),
        (torch.tensor([[-3.0, 5.0]]), "softmax"),
        (torch.tensor([0.2, 0.8]), "shape"),
        (torch.tensor([[0.2], [0.8]]), "shape"),
        (torch.tensor([[1.0]]), "two or more"),
        (torch.tensor([[0.2, 0.8]]), "target 2"),
    ],
)
def test_answers_that_make_no_sense_are_refused(answer: Tensor, message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        SquareAttack().against(lambda x: answer, torch.zeros(1, 1, 9), [2], budget=None)
