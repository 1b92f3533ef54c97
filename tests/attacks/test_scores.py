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
        (torch.tensor([[3.0, 5.0]]), "softmax"),
        (torch.tensor([0.2, 0.8]), "shape"),
        (torch.tensor([[0.2], [0.8]]), "shape"),
        (torch.tensor([[1.0]]), "two or more"),
        (torch.tensor([[0.2, 0.8]]), "target 2"),
    ],
)
def test_answers_that_make_no_sense_are_refused(answer: Tensor, message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        SquareAttack().against(lambda x: answer, torch.zeros(1, 1, 9), [2], budget=None)


def test_the_first_of_equals_is_heard_and_wins_over_one_that_is_not() -> None:
    answers = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.45, 0.45]])  # both lead by nothing
    scores = Scores(lambda y: answers, torch.zeros(1, 1, 3), torch.tensor([1]), None)
    scores(torch.arange(1), torch.arange(6.0).view(1, 2, 3))
    assert scores.heard.tolist() == [True]
    assert float(scores.x_adv[0, 0, 0] * 32_768) == 3.0


def test_untargeted_what_rises_is_the_probability_of_any_other_label() -> None:
    x, target = torch.zeros(2, 1, 3), torch.tensor([1, 0])
    scores = Scores(lambda y: y, x, target, None, untargeted=True)
    found = torch.tensor([[[0.5, 0.3, 0.2], [0.1, 0.9, 0.0]], [[0.6, 0.4, 0.0], [0.2, 0.3, 0.5]]])
    fit = scores.fitness(torch.arange(2), found.double(), "probability")
    torch.testing.assert_close(fit, torch.tensor([[0.7, 0.1], [0.4, 0.8]]).double())


def test_a_probability_may_exceed_one_by_a_rounding() -> None:
    answer = torch.tensor([[0.0, 1.0 + 1e-6]])
    result = SquareAttack().against(lambda x: answer, torch.zeros(1, 1, 9), [1], budget=None)
    assert bool(result.success.all())
