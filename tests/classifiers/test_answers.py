"""From what models return to logits, against softmax and log-odds written out."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from mondegreen.classifiers.answers import fields_of, kind_of, picked, rows, to_logits
from mondegreen.classifiers.contract import Output
from mondegreen.errors import MondegreenError

LOGITS = torch.tensor([[1.0, -2.0, 0.5], [30.0, -30.0, 0.0], [0.0, 0.1, 60.0]])
Pair = namedtuple("Pair", ("hidden", "logits"))


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        (LOGITS, "logits"),
        (LOGITS.softmax(1), "probabilities"),
        (LOGITS.log_softmax(1), "log-probabilities"),
        (-LOGITS.abs(), "logits"),
    ],
)
def test_kinds_are_told_by_their_numbers(numbers: torch.Tensor, kind: Output) -> None:
    assert kind_of(numbers) == kind


def test_what_could_be_two_things_is_asked_for() -> None:
    with pytest.raises(MondegreenError, match="--output sigmoid"):
        kind_of(LOGITS.sigmoid())
    with pytest.raises(MondegreenError, match="NaN or infinity"):
        kind_of(torch.full((1, 2), torch.nan))


@pytest.mark.parametrize("kind", ["logits", "probabilities", "log-probabilities"])
def test_logits_give_the_same_probabilities(kind: Output) -> None:
    given = {
        "logits": LOGITS,
        "probabilities": LOGITS.softmax(1),
        "log-probabilities": LOGITS.log_softmax(1),
    }[kind]
    found = to_logits(given, kind, 3)
    torch.testing.assert_close(found.softmax(1), LOGITS.softmax(1))


def test_the_logarithm_of_a_saturated_softmax_keeps_arg_max_and_gradient() -> None:
    x = torch.tensor([[0.0, 40.0, 200.0]], requires_grad=True)
    logits = to_logits(x.softmax(1), "probabilities", 3)
    assert logits.isfinite().all() and logits.argmax() == 2
    (gradient,) = torch.autograd.grad(logits[0, 1] - logits[0, 2], x)
    assert gradient.isfinite().all()
    near = torch.tensor([[0.0, 5.0, 20.0]], requires_grad=True)
    margin = to_logits(near.softmax(1), "probabilities", 3)
    (slope,) = torch.autograd.grad(margin[0, 1] - margin[0, 2], near)
    torch.testing.assert_close(slope, torch.tensor([[0.0, 1.0, -1.0]]), atol=1e-3, rtol=0.0)


def test_one_number_stands_for_two_labels() -> None:
    p = torch.tensor([[0.9], [0.2]])
    wanted = torch.cat([1.0 - p, p], dim=1)
    for kind, given in (
        ("probabilities", p),
        ("log-probabilities", p.log()),
        ("logits", p.logit()),
    ):
        torch.testing.assert_close(to_logits(given, kind, 2).softmax(1), wanted)  # type: ignore[arg-type]


def test_each_label_by_itself_is_its_log_odds() -> None:
    torch.testing.assert_close(to_logits(LOGITS.sigmoid()[:1], "sigmoid", 3), LOGITS[:1])


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (LOGITS, None),
        (LOGITS.numpy(), None),
        ({"hidden": torch.zeros(3, 9), "logits": LOGITS}, "logits"),
        ((torch.zeros(3, 9), LOGITS), "1"),
        (Pair(torch.zeros(3, 9), LOGITS), "logits"),
        (SimpleNamespace(logits=LOGITS, other=1), "logits"),
    ],
)
def test_the_tensor_is_found_in_whatever_is_returned(answer: Any, field: str | None) -> None:
    for candidate in fields_of(answer):
        try:
            found = rows(picked(answer, candidate), 3, 3)
        except MondegreenError:
            continue
        assert candidate == field
        assert torch.equal(found, LOGITS)
        return
    pytest.fail("nothing was found")


def test_shapes() -> None:
    assert rows(LOGITS[:, None, :, None], 3, 3).shape == (3, 3)
    assert rows(LOGITS[0], 1, 3).shape == (1, 3)
    assert rows(torch.zeros(3), 3, 2).shape == (3, 1)
    with pytest.raises(MondegreenError, match=r"with 3 numbers for each clip, but 5 labels"):
        rows(LOGITS, 3, 5)
    with pytest.raises(MondegreenError, match=r"has the shape \(3, 3\), not \(9, 1\)|\(9, 5\)"):
        rows(LOGITS, 9, 5)
    with pytest.raises(MondegreenError, match="no field 'probs'"):
        picked({"logits": LOGITS}, "probs")
    with pytest.raises(MondegreenError, match="not a tensor"):
        picked(np.str_, None)
