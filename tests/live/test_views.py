"""Which probabilities are shown, and how foreign words are."""

from __future__ import annotations

import dataclasses

import torch

from mondegreen.live.clips import Clip
from mondegreen.live.models import LiveModel
from mondegreen.live.views import SHOWN, Views, bars


def test_all_labels_are_shown_where_they_are_few() -> None:
    found = bars(("a", "b"), torch.tensor([0.25, 0.75]), torch.tensor([1.0, 0.0]), "b")
    assert [(bar.label, bar.before, bar.after, bar.target) for bar in found] == [
        ("a", 25.0, 100.0, False),
        ("b", 75.0, 0.0, True),
    ]


def test_of_many_labels_the_highest_and_the_target_are_shown() -> None:
    labels = tuple(f"label {n}" for n in range(50))
    before = torch.arange(50) / torch.arange(50).sum()
    after = before.roll(1)
    found = bars(labels, before, after, "label 3")
    assert "label 3" in [bar.label for bar in found] and "label 49" in [bar.label for bar in found]
    assert len(found) == SHOWN + 1
    assert [bar.label for bar in found] == sorted(
        (bar.label for bar in found), key=lambda label: labels.index(label)
    )
    assert all(bar.after is None for bar in bars(labels, before, None, None))


def test_labels_of_a_run_cannot_write_html(model: LiveModel) -> None:
    strange = dataclasses.replace(model)
    labels = ("<script>alert(1)</script>", *model.classifier.labels[1:])
    original = model.classifier.labels
    try:
        strange.classifier.labels = labels
        clip = Clip(torch.zeros(1, 1, 16_384), 0.0, 1.0)
        shares = torch.tensor([0.9] + 9 * [0.1 / 9])
        html = Views().heard(strange, clip, shares)
    finally:
        strange.classifier.labels = original
    assert "<script" not in html and "&lt;script&gt;" in html
