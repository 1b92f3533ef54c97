from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from mondegreen.errors import MondegreenError
from mondegreen.gan.losses import (
    AdversarialForm,
    LossWeights,
    classifier_loss,
    discriminator_loss,
    fool_loss,
    generator_loss,
    hinge_loss,
    l2_loss,
    margin_loss,
)

FORMS: tuple[AdversarialForm, ...] = ("least-squares", "log", "log-saturating")
LN3 = math.log(3.0)  # a score whose sigmoid is 3/4


def clip(*samples: float, length: int = 16_384) -> Tensor:
    x = torch.zeros(1, 1, length)
    x[0, 0, : len(samples)] = torch.tensor(samples)
    return x


def test_classifier_loss_is_the_cross_entropy() -> None:
    logits, target = torch.tensor([[0.0, LN3], [2.0, 2.0]]), torch.tensor([1, 0])
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    assert classifier_loss(logits, target).item() == pytest.approx(expected)


def test_classifier_loss_pulls_towards_the_target() -> None:
    logits = torch.zeros(1, 4, requires_grad=True)
    torch.autograd.backward(classifier_loss(logits, torch.tensor([2])))
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([[0.25, 0.25, -0.75, 0.25]]))


@pytest.mark.parametrize(
    ("kappa", "expected"), [(1.0, (2 + 0) / 2), (0.0, 0.5), (5.0, (6 + 1) / 2)]
)
def test_margin_loss_by_hand(kappa: float, expected: float) -> None:
    # Shortfalls without margin: best other 2 against 1, best other 1 against 5.
    logits = torch.tensor([[2.0, 1.0, 0.5], [0.0, 5.0, 1.0]])
    assert margin_loss(logits, torch.tensor([1, 1]), kappa).item() == pytest.approx(expected)


def test_margin_loss_leaves_clips_alone_that_are_fooled_already() -> None:
    logits = torch.tensor([[0.0, 1.0, 0.5], [0.0, 5.0, 1.0]], requires_grad=True)
    torch.autograd.backward(margin_loss(logits, torch.tensor([1, 1]), kappa=1.0))
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([[0.0, -0.5, 0.5], [0.0, 0.0, 0.0]]))


def test_margin_loss_matches_numpy() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        logits = rng.normal(size=(1, 5)) - 10.0  # all below zero, too
        others = np.delete(logits[0], 2)
        expected = max(0.0, others.max() - logits[0, 2] + 0.25)
        measured = margin_loss(torch.from_numpy(logits), torch.tensor([2]), kappa=0.25)
        assert measured.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("least-squares", (1.0 + (LN3 - 1.0) ** 2) / 2),
        ("log", -(math.log(0.5) + math.log(0.75)) / 2),
        ("log-saturating", (math.log(0.5) + math.log(0.25)) / 2),
    ],
)
def test_fool_loss_by_hand(form: AdversarialForm, expected: float) -> None:
    assert fool_loss(torch.tensor([0.0, LN3]), form).item() == pytest.approx(expected)


@pytest.mark.parametrize("form", ["log", "log-saturating"])
def test_log_forms_of_the_fool_loss_ask_for_a_higher_score(form: AdversarialForm) -> None:
    score = torch.tensor([-3.0, 0.0, 3.0], requires_grad=True)
    torch.autograd.backward(fool_loss(score, form))
    assert score.grad is not None
    assert (score.grad < 0).all()
    # Where the forgery is plain (a low score), the printed form hardly pulls; the other does.
    strongest = score.grad.abs().argmax().item()
    assert strongest == (0 if form == "log" else 2)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("least-squares", 0.5 * ((LN3 - 1.0) ** 2 + (0.0 + 4.0) / 2)),
        (
            "log",
            -0.5 * (math.log(0.75) + (math.log(0.5) + math.log(1 - 1 / (1 + math.exp(-2)))) / 2),
        ),
    ],
)
def test_discriminator_loss_by_hand(form: AdversarialForm, expected: float) -> None:
    loss = discriminator_loss(torch.tensor([LN3]), torch.tensor([0.0, 2.0]), form)
    assert loss.item() == pytest.approx(expected)


def test_log_form_is_the_binary_cross_entropy_of_both_batches() -> None:
    real, adv = torch.randn(7), torch.randn(7)
    scores, genuine = torch.cat([real, adv]), torch.cat([torch.ones(7), torch.zeros(7)])
    expected = F.binary_cross_entropy_with_logits(scores, genuine)
    for form in ("log", "log-saturating"):
        torch.testing.assert_close(discriminator_loss(real, adv, form), expected)


@pytest.mark.parametrize("form", FORMS)
def test_discriminator_learns_to_score_genuine_clips_higher(form: AdversarialForm) -> None:
    real, adv = torch.tensor([0.3], requires_grad=True), torch.tensor([0.3], requires_grad=True)
    torch.autograd.backward(discriminator_loss(real, adv, form))
    assert real.grad is not None and adv.grad is not None
    assert real.grad.item() < 0 < adv.grad.item()
    perfect = discriminator_loss(torch.tensor([1e4]), torch.tensor([-1e4]), form)
    assert perfect.item() >= 0  # bounded below, as eq. 10 as printed is not


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("score", [-1e4, 0.0, 1e4])
def test_extreme_scores_give_finite_losses_and_gradients(
    form: AdversarialForm, score: float
) -> None:
    real, adv = torch.tensor([score], requires_grad=True), torch.tensor([score], requires_grad=True)
    total = discriminator_loss(real, adv, form) + fool_loss(adv, form)
    torch.autograd.backward(total)
    assert real.grad is not None and adv.grad is not None
    assert torch.isfinite(torch.stack([total.detach(), real.grad[0], adv.grad[0]])).all()


def test_log_forms_stay_exact_where_the_sigmoid_saturates() -> None:
    # In float32 sigmoid(50) is 1 and sigmoid(-200) is 0, whose logarithms are lost.
    assert fool_loss(torch.tensor([50.0]), "log").item() == pytest.approx(math.exp(-50.0))
    assert fool_loss(torch.tensor([-200.0]), "log").item() == pytest.approx(200.0)
    assert fool_loss(torch.tensor([200.0]), "log-saturating").item() == pytest.approx(-200.0)


def test_an_unknown_form_or_reading_is_named() -> None:
    score, x = torch.zeros(1), clip(0.0)
    with pytest.raises(MondegreenError, match="'lsgan'"):
        fool_loss(score, "lsgan")  # type: ignore[arg-type]
    with pytest.raises(MondegreenError, match="'lsgan'"):
        discriminator_loss(score, score, "lsgan")  # type: ignore[arg-type]
    with pytest.raises(MondegreenError, match="'l1'"):
        l2_loss(x, x, "l1")  # type: ignore[arg-type]


def test_hinge_loss_is_taken_per_clip_before_the_mean() -> None:
    delta = torch.cat([clip(3.0, 4.0), clip(0.3, -0.4)])  # norms 5 and 0.5
    assert hinge_loss(delta).item() == pytest.approx(2.75)
    assert hinge_loss(delta, c=1.0).item() == pytest.approx((4.0 + 0.0) / 2)


def test_l2_loss_in_both_readings_by_hand() -> None:
    x = torch.full((2, 1, 16_384), 0.25)
    x_adv = x + torch.cat([clip(3.0, -4.0), clip(1.0)])
    assert l2_loss(x, x_adv).item() == pytest.approx((5.0 + 1.0) / 2, rel=1e-5)
    by_code = l2_loss(x, x_adv, "code").item()
    assert by_code == pytest.approx((7.0 + 1.0) / 2 / 16_384, rel=1e-5)


def test_without_clipping_the_hinge_at_zero_is_the_l2_loss() -> None:
    x, delta = torch.zeros(3, 1, 4096), torch.randn(3, 1, 4096)
    torch.testing.assert_close(hinge_loss(delta), l2_loss(x, x + delta))


@given(length=st.integers(1, 40_000), level=st.floats(1e-3, 1.0))
def test_an_even_level_costs_the_same_at_every_length(length: int, level: float) -> None:
    delta = torch.full((2, 1, length), level)
    x = torch.zeros_like(delta)
    assert hinge_loss(delta).item() == pytest.approx(128.0 * level, rel=1e-3)
    assert l2_loss(x, delta).item() == pytest.approx(128.0 * level, rel=1e-3)
    assert l2_loss(x, delta, "code").item() == pytest.approx(level, rel=1e-3)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1.0])
def test_norms_have_finite_gradients_down_to_nothing(size: float) -> None:
    delta = clip(size, -size, length=256).requires_grad_()
    x = torch.zeros_like(delta)
    torch.autograd.backward(
        hinge_loss(delta) + l2_loss(x, x + delta) + l2_loss(x, x + delta, "code")
    )
    assert delta.grad is not None
    assert torch.isfinite(delta.grad).all()
    if size == 0.0:
        assert not delta.grad.any()


@pytest.mark.parametrize(
    "loss",
    [
        lambda h: classifier_loss(h, torch.tensor([0, 2, 1])),
        lambda h: margin_loss(h, torch.tensor([0, 2, 1]), kappa=0.5),
        *(lambda h, form=form: fool_loss(h[:, 0], form) for form in FORMS),
        *(lambda h, form=form: discriminator_loss(h[:, 0], h[:, 1], form) for form in FORMS),
        lambda h: hinge_loss(h[:, None], c=100.0),
        lambda h: l2_loss(torch.ones_like(h[:, None]), h[:, None]),
        lambda h: l2_loss(torch.ones_like(h[:, None]), h[:, None], "code"),
    ],
)
def test_gradients_are_right(loss: Callable[[Tensor], Tensor]) -> None:
    rng = torch.Generator().manual_seed(1)
    h = torch.randn(3, 4, dtype=torch.float64, generator=rng, requires_grad=True)
    assert loss(h).shape == ()
    assert torch.autograd.gradcheck(loss, (h,))


def scalars() -> dict[str, Tensor]:
    names = ("classifier", "fool", "hinge", "l2")
    return {name: torch.tensor(float(10**k)) for k, name in enumerate(names)}


def test_generator_loss_is_eq_5() -> None:
    weights = LossWeights(adversarial=2.0, alpha=3.0, beta=5.0, gamma=7.0)
    assert generator_loss(**scalars(), weights=weights).item() == 7532.0
    # The paper's weights: 1, 1, 1 and 100.
    assert generator_loss(**scalars(), weights=LossWeights()).item() == 111 + 100 * 1000


def test_terms_beyond_the_paper_have_weights_of_their_own() -> None:
    weights = LossWeights(matching=2.0, hearing=3.0)
    matching, hearing = torch.tensor(1.0), torch.tensor(10.0)
    loss = generator_loss(matching=matching, hearing=hearing, weights=weights)
    assert loss.item() == 32.0
    assert weights.warm_up() == LossWeights(adversarial=0.0, matching=2.0, hearing=3.0)


def test_warm_up_drops_the_classifier_alone() -> None:
    weights = LossWeights(alpha=2.0).warm_up()
    assert weights == LossWeights(adversarial=0.0, alpha=2.0, beta=1.0, gamma=100.0)
    terms = scalars() | {"classifier": torch.tensor(math.nan)}
    assert generator_loss(**terms, weights=weights).item() == 20 + 100 + 100_000


def test_absent_terms_count_nothing_and_the_rest_keep_their_gradients() -> None:
    hinge = torch.tensor(2.0, requires_grad=True)
    torch.autograd.backward(generator_loss(hinge=hinge, weights=LossWeights(beta=4.0)))
    assert hinge.grad is not None
    assert hinge.grad.item() == 4.0


def test_a_loss_without_terms_is_refused() -> None:
    nothing = LossWeights(adversarial=0.0, alpha=0.0, beta=0.0, gamma=0.0)
    with pytest.raises(MondegreenError, match="no terms"):
        generator_loss(**scalars(), weights=nothing)


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": -1.0},
        {"gamma": math.nan},
        {"beta": math.inf},
        {"hearing": -1.0},
        {"matching": -1.0},
    ],
)
def test_impossible_weights_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(MondegreenError, match=next(iter(settings))):
        LossWeights(**settings)
