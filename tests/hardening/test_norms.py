"""Batch norm: whose statistics count, and what happens to them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.hardening.config import Norms
from mondegreen.hardening.norms import answer_both, learn, statistics, under_attack


def pair(splits: dict[str, ClipDataset]) -> tuple[Tensor, Tensor]:
    x = splits["train"].waveforms(range(12))
    return x, x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


def moved(classifier: Classifier, before: dict[str, Tensor]) -> bool:
    after = statistics(classifier)
    return any(not torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize(("norms", "moves"), [("frozen", False), ("mixed", True)])
def test_frozen_norms_keep_their_statistics_and_learn_their_scales(
    norms: Norms, moves: bool, trained: Classifier, splits: dict[str, ClipDataset]
) -> None:
    learner = copy.deepcopy(trained).requires_grad_(True)
    before = {name: value.clone() for name, value in statistics(learner).items()}
    learn(learner, norms)
    clean, adversarial = answer_both(learner, *pair(splits), norms)
    (clean.sum() + adversarial.sum()).backward()  # type: ignore[no-untyped-call]
    assert before and moved(learner, before) == moves
    scales = [p for name, p in learner.named_parameters() if p.dim() == 1]
    assert all(p.grad is not None for p in scales)


def test_only_one_batch_of_both_is_normalised_by_both(
    trained: Classifier, splits: dict[str, ClipDataset]
) -> None:
    """What a mixed batch says of clean clips depends on the attacked ones; separate ones do not."""
    x, x_adv = pair(splits)
    answers = {}
    for norms in ("mixed", "separate"):
        for scale in (1.0, 0.1):
            learner = copy.deepcopy(trained)
            torch.manual_seed(0)
            learn(learner, "mixed")
            learner.module.get_submodule("1.dropout").eval()
            answers[norms, scale] = answer_both(learner, x, scale * x_adv, norms)[0]
    assert torch.allclose(answers["separate", 1.0], answers["separate", 0.1], atol=1e-5)
    assert not torch.allclose(answers["mixed", 1.0], answers["mixed", 0.1], atol=1e-2)


def test_the_attack_meets_the_classifier_as_it_is_in_use(
    trained: Classifier, splits: dict[str, ClipDataset]
) -> None:
    learner = copy.deepcopy(trained).requires_grad_(True)
    learner.module.requires_grad_(True)
    first = next(iter(learner.parameters())).requires_grad_(False)
    learner.train()
    x, _ = pair(splits)
    with under_attack(learner):
        assert torch.equal(learner(x), trained(x))
        assert not any(p.requires_grad for p in learner.parameters())
    assert learner.training and not first.requires_grad
    assert sum(not p.requires_grad for p in learner.parameters()) == 1


@pytest.mark.parametrize("training", [False, True])
def test_after_an_attack_the_mode_is_what_it_was(training: bool, trained: Classifier) -> None:
    learner = copy.deepcopy(trained).train(training)
    with under_attack(learner):
        assert not learner.training
    assert learner.training == training
