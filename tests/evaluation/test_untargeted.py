"""Untargeted comparisons: any label but a clip's own is a success, for every attack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import SNR, Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.bench import Bench, CompareOptions
from mondegreen.evaluation.cells import Cell, build_cells
from mondegreen.evaluation.compare import compare
from mondegreen.evaluation.evaluate import EvaluationOptions, all_pairs, evaluate
from mondegreen.evaluation.recipes import cross, recipe
from mondegreen.evaluation.results import Setting, write_evaluation
from mondegreen.evaluation.specs import Sources
from mondegreen.metrics.success import escape_matrix, success_rates
from mondegreen.report.results import load_results

FEW = EvaluationOptions(batch_size=4, quality_pairs=0, samples=1, timing_repeats=0)


class Next(Attack):
    """Makes a clip the label after its own; leaves clips of the label 'c' alone."""

    untargeted = True

    @property
    def name(self) -> str:
        return "next"

    def parameters(self) -> dict[str, Any]:
        return {"untargeted": True}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        third = x.shape[2] // 3
        delta = torch.zeros_like(x)
        for row, label in enumerate(target.tolist()):
            if label != 2:
                delta[row, :, (label + 1) * third : (label + 2) * third : 2] = 0.9
        return delta


def test_every_clip_is_a_pair_with_its_own_label(classifier: Classifier, data: ClipDataset) -> None:
    pairs = all_pairs(classifier, data, untargeted=True)
    assert sorted(pairs.clip.tolist()) == list(range(6))
    assert pairs.target.tolist() == pairs.source.tolist() == [0, 0, 1, 1, 2, 2]
    only = all_pairs(classifier, data, ("b",), untargeted=True)
    assert only.target.tolist() == [1, 1]
    kept = pairs.take([0, 3])
    assert kept.untargeted and len(kept) == 2


def test_every_count_is_right(tmp_path: Path, classifier: Classifier, data: ClipDataset) -> None:
    found = evaluate(Next(), classifier, data, budget=None, options=FEW)
    setting = Setting(Next(), classifier, data, None, "test", "speaker", 1024)
    content = write_evaluation(tmp_path / "run", found, setting, "not measured", 1)
    assert content["goal"] == "untargeted" and content["pairs"] == 6
    # Both a become b, both b become c; one c is heard rightly, the silent one as a.
    assert content["success_rate"] == pytest.approx(5 / 6)
    assert content["baseline_rate"] == pytest.approx(2 / 6) == 1 - content["clean_accuracy"]
    # Heard rightly before: both a, one b, one c.
    assert content["success_rate_correct"] == pytest.approx(3 / 4)
    assert content["success_matrix"] == [[None, 1.0, 0.0], [0.0, None, 1.0], [0.5, 0.0, None]]
    assert content["pair_counts"] == [[0, 2, 2], [2, 0, 2], [2, 2, 0]]
    assert content["per_target"]["a"]["success_rate"] == 1.0
    json.dumps(content, allow_nan=False)
    assert load_results(tmp_path / "run" / "results.json").baseline_rate == pytest.approx(1 / 3)


def test_rates_by_hand() -> None:
    rates = success_rates(
        source=[0, 0, 1, 2],
        target=[0, 0, 1, 2],
        before=[0, 1, 1, 2],
        after=[1, 1, 1, 0],
        untargeted=True,
    )
    assert (rates.rate, rates.correct, rates.baseline) == (3 / 4, 2 / 3, 1 / 4)
    with pytest.raises(ValueError, match="own label"):
        success_rates([0], [1], [0], [1], untargeted=True)


def test_a_row_of_the_matrix_adds_up_to_its_success() -> None:
    random = np.random.default_rng(0)
    source, after = random.integers(4, size=(2, 300))
    shares, counts = escape_matrix(source, after, 5)
    for label in range(4):
        mine = source == label
        assert np.nansum(shares[label]) == pytest.approx((after[mine] != label).mean())
        assert counts[label].tolist() == [0 if n == label else mine.sum() for n in range(5)]
    assert np.isnan(shares[4]).all() and not counts[4].any()
    with pytest.raises(ValueError, match=r"0\.\.1"):
        escape_matrix([0], [2], 2)
    with pytest.raises(ValueError, match="one entry"):
        escape_matrix([0, 1], [2], 2)


def test_a_comparison_states_its_goal(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    options = CompareOptions(batch_size=4, quality_pairs=0, timing_rounds=1)
    place = Bench(classifier, data, "test", "speaker", options, untargeted=True)
    cells = [
        Cell("next", Next(), None),
        Cell("pgd", ProjectedGradient(steps=3, untargeted=True), SNR(3.0)),
    ]
    content = compare(cells, place, tmp_path / "run")
    assert content["goal"] == "untargeted"
    assert content["pairs"]["count"] == content["pairs"]["available"] == 6
    assert content["baseline_rate"] == pytest.approx(1 - content["clean_accuracy"])
    assert content["cells"][0]["success_rate"] == pytest.approx(5 / 6)
    text = (tmp_path / "run" / "pairs.csv").read_text()
    assert "a/s00_nohash_0.wav,a,a,1," in text
    with pytest.raises(MondegreenError, match="goal: untargeted, now targeted"):
        compare(cells[:1], Bench(classifier, data, "test", "speaker", options), tmp_path / "run")


def test_attack_and_pairs_have_one_goal(classifier: Classifier, data: ClipDataset) -> None:
    pairs = all_pairs(classifier, data)
    with pytest.raises(MondegreenError, match="next is untargeted"):
        evaluate(Next(), classifier, data, budget=None, options=FEW, pairs=pairs)


def test_attacks_are_made_untargeted_or_refused(classifier: Classifier) -> None:
    cells = build_cells(cross(["pgd:steps=3"], ["snr:20"]), classifier, Sources(), untargeted=True)
    assert cells[0].attack.untargeted and cells[0].label == "pgd:steps=3"
    assert cells[0].attack.parameters()["untargeted"] is True
    for text in ("universal", "filter"):
        with pytest.raises(MondegreenError, match=f"'{text}' only reaches targets"):
            build_cells(cross([text], ["snr:20"]), classifier, Sources(), untargeted=True)
    for goal in (True, False):
        wrong = str(not goal).lower()
        with pytest.raises(MondegreenError, match="one goal"):
            entries = cross([f"pgd:untargeted={wrong}"], ["snr:20"])
            build_cells(entries, classifier, Sources(), untargeted=goal)


def test_recipes_leave_out_what_cannot_escape() -> None:
    kinds = {entry.spec.kind for entry in recipe("curves", untargeted=True)}
    assert "generator" in kinds and not kinds & {"universal", "filter"}
