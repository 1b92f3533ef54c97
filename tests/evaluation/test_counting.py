"""What attacks cost: queries and gradients counted at the classifier, and times side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack, Found
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.bench import Bench, CompareOptions
from mondegreen.evaluation.cells import Cell, save
from mondegreen.evaluation.compare import compare, measure_cell
from mondegreen.evaluation.counting import CountedAttack
from mondegreen.evaluation.timing import TimingPlan, alternating_milliseconds

QUICK = CompareOptions(batch_size=4, quality_pairs=0, timing_rounds=2)


class Seen(Attack):
    """Remembers the clips that it got, and makes each the target."""

    def __init__(self, *, level: float = 0.9) -> None:
        self.level = level
        self.batches: list[Tensor] = []

    @property
    def name(self) -> str:
        return "seen"

    def parameters(self) -> dict[str, Any]:
        return {"level": self.level}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        self.batches.append(x.clone())
        third = x.shape[2] // 3
        delta = torch.zeros_like(x)
        for row, index in enumerate(target.tolist()):
            delta[row, :, index * third : (index + 1) * third : 2] = self.level
        return delta


def bench(classifier: Classifier, data: ClipDataset) -> Bench:
    return Bench(classifier, data, "test", "speaker", QUICK)


class Own(Seen):
    """Says itself what it asked for each clip."""

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        delta = self.perturb(classifier, x, target, budget)
        classifier(x)
        return Found(delta, queries=7 + torch.arange(len(x)))


class Climb(Seen):
    """Takes two gradients of every clip, and a third of every second one."""

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        for size in (len(x), len(x), len(x) // 2):
            delta = torch.zeros_like(x[:size]).requires_grad_()
            logits = classifier(x[:size] + delta)
            torch.autograd.grad(logits.sum(), delta)
        with torch.no_grad():
            classifier(x)
        return super().perturb(classifier, x, target, budget)


def test_queries_and_gradients_are_counted_at_the_classifier(
    classifier: Classifier, data: ClipDataset
) -> None:
    attack = CountedAttack(Climb())
    assert attack.per_clip() == {"queries_per_clip": None, "gradients_per_clip": None}
    x = data.waveforms(torch.arange(4))
    attack(classifier, x, torch.tensor([1, 2, 1, 0]), budget=None)
    # The protocol's own look at the result is no query of the attack.
    assert attack.per_clip() == {"queries_per_clip": 3.5, "gradients_per_clip": 2.5}
    classifier(x)
    assert attack.queries == 14 and attack.spent is not None
    assert attack.spent.queries.tolist() == [3.5] * 4 and not attack.spent.clip_by_clip
    assert attack.spent.seconds > 0.0 and attack.spent.memory is None
    assert (attack.name, attack.parameters()) == ("seen", {"level": 0.9})


def test_what_an_attack_counts_itself_comes_first(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    attack = CountedAttack(Own())
    attack(classifier, data.waveforms(torch.arange(3)), torch.tensor([1, 2, 1]), budget=None)
    assert attack.spent is not None and attack.spent.clip_by_clip
    assert attack.spent.queries.tolist() == [7.0, 8.0, 9.0]
    assert attack.spent.gradients.tolist() == [0.0, 0.0, 0.0]
    content = compare(
        [Cell("own", Own(), None), Cell("seen", Seen(), None)],
        bench(classifier, data),
        tmp_path / "run",
    )
    own, seen = content["cells"]
    assert own["queries_per_clip"] == 8.5 and seen["queries_per_clip"] == 0.0
    # All 12 pairs succeed, in three batches with 7 to 10 queries each.
    assert own["success_rate"] == 1.0
    assert own["success_over_queries"] == [[7.0, 0.25], [8.0, 0.5], [9.0, 0.75], [10.0, 1.0]]
    assert seen["success_over_queries"] is None


def test_cells_take_turns_and_slow_ones_are_not_repeated() -> None:
    order: list[tuple[str, int]] = []
    clock = iter(np.cumsum([0.0, *[0.1, 0.0] * 100]).tolist())

    def quick(index: int) -> None:
        order.append(("quick", index))

    def slow(index: int) -> None:
        order.append(("slow", index))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mondegreen.evaluation.timing.time.perf_counter", lambda: next(clock))
        plan = TimingPlan(rounds=3, warmup=1, seconds=0.15)
        found = alternating_milliseconds([quick, slow], plan, torch.device("cpu"))
    names = [name for name, _ in order]
    assert names == ["quick", "slow"] * 3  # one to warm up, two until 0.15 s are over
    assert [len(spent) for spent in found] == [2, 2]
    assert found[0] == pytest.approx([100.0, 100.0])
    with pytest.raises(ValueError, match="0 rounds"):
        alternating_milliseconds([quick], TimingPlan(rounds=0), torch.device("cpu"))


def test_times_are_of_a_clip(tmp_path: Path, classifier: Classifier, data: ClipDataset) -> None:
    attack = Seen()
    content = compare([Cell("it", attack, None)], bench(classifier, data), tmp_path / "run")
    taken = content["cells"][0]["milliseconds_per_clip"]
    assert taken["N"] == 4 and taken["calls"] == [2, 2]
    assert min(taken[name] for name in ("batch1", "batch1_mean", "batchN", "batchN_mean")) > 0
    # 3 batches of 4, then warming up twice and timing twice at 1 and at 4.
    assert [len(x) for x in attack.batches] == [4] * 3 + [1] * 4 + [4] * 4
    assert content["timing"]["warmup"] == 2 and content["timing"]["threads"] >= 1
    assert 0.0 < content["cells"][0]["seconds_per_clip"] < 1.0


def test_what_takes_long_is_not_run_again_to_be_timed(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    slow, quick = Seen(level=0.4), Seen()
    cells = [Cell("slow", slow, None), Cell("quick", quick, None)]
    place = bench(classifier, data)
    for cell in cells:
        pairs = place.draw()
        found = measure_cell(cell, place, pairs)
        found["seconds_per_clip"] = 60.0 if cell.attack is slow else 0.001
        save(tmp_path / "run" / "cells", cell, place.settings(cell, pairs), found)
    slow.batches.clear()
    content = compare(cells, place, tmp_path / "run")
    assert not slow.batches and quick.batches
    assert [cell["milliseconds_per_clip"] is None for cell in content["cells"]] == [True, False]
    assert content["cells"][0]["seconds_per_clip"] == 60.0
