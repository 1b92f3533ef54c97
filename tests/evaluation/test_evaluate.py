"""An attack whose outcome is known in advance, measured over a data set."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.audio import float_to_pcm16, quantize, wav_round_trip, write_wav
from mondegreen.budgets import SNR, Budget
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.evaluation.pairs import _turns, draw_kept, draw_pairs, every_pair
from mondegreen.evaluation.results import Setting, results, write_evaluation

SAMPLES = 1024
LABELS = ("a", "b", "c")
FEW = EvaluationOptions(batch_size=4, quality_pairs=5, samples=1, timing_repeats=1)


class Burst(Attack):
    """Adds a burst in the target's third, but fails on purpose for the target 'c'."""

    @property
    def name(self) -> str:
        return "burst"

    def parameters(self) -> dict[str, Any]:
        return {"level": 0.9}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        delta = torch.zeros_like(x)
        third = SAMPLES // 3
        for row, index in enumerate(target.tolist()):
            if index != 2:
                delta[row, :, index * third : (index + 1) * third : 2] = 0.9
        return delta


def setting(classifier: Classifier, data: ClipDataset, budget: Budget | None) -> Setting:
    return Setting(Burst(), classifier, data, budget, "test", "speaker", 1024)


def test_every_count_is_right(classifier: Classifier, data: ClipDataset) -> None:
    found = evaluate(Burst(), classifier, data, budget=None, options=FEW)
    content = results(found, setting(classifier, data, None), "not measured")
    # 6 clips x 2 targets; towards 'c' only the untouched clips that sound like 'c' would count.
    assert content["pairs"] == 12
    assert content["pair_counts"] == [[0, 2, 2], [2, 0, 2], [2, 2, 0]]
    matrix = content["success_matrix"]
    assert matrix[0] == [None, 1.0, 0.0]
    assert matrix[1] == [1.0, None, 0.0]
    assert matrix[2] == [1.0, 1.0, None]
    assert content["success_rate"] == pytest.approx(8 / 12)
    # Right at first: both a, one b, one c (a silent clip has equal energies: arg-max is 'a').
    assert content["clean_accuracy"] == pytest.approx(4 / 6)
    # Pairs of rightly heard clips: a->b a->c twice, b->a b->c, c->a c->b: 5 of 8 succeed.
    assert content["success_rate_correct"] == pytest.approx(5 / 8)
    # Untouched clips that hit a target: the b that sounds like a, and the silent c.
    assert content["baseline_rate"] == pytest.approx(2 / 12)
    assert content["dataset"]["silent_clips"] == ["c/s21_nohash_0.wav"]
    assert content["per_target"]["c"]["success_rate"] == 0.0
    assert content["budget"] == {"kind": "none", "value": None}
    assert content["pesq_nb"]["reason"] == "not measured"
    json.dumps(content, allow_nan=False)


def test_silent_clips_and_untouched_clips_have_no_ratio(
    classifier: Classifier, data: ClipDataset
) -> None:
    found = evaluate(Burst(), classifier, data, budget=SNR(20.0), options=FEW)
    content = results(found, setting(classifier, data, SNR(20.0)), None)
    # The silent clip's two pairs, and the other four towards 'c', where nothing was added.
    assert content["snr_db"]["failed"] == 6
    assert content["snr_db"]["min"] >= 20.0 - 1e-4
    assert content["snr_db"]["mean"] == pytest.approx(20.0, abs=0.05)
    assert found.mean_snr_db == content["snr_db"]["mean"]


def test_files_agree_with_each_other(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    found = evaluate(Burst(), classifier, data, budget=SNR(3.0), options=FEW)
    out = tmp_path / "run"
    content = write_evaluation(out, found, setting(classifier, data, SNR(3.0)), None, 1)
    with (out / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == content["pairs"]
    assert np.mean([int(row["success"]) for row in rows]) == content["success_rate"]
    samples = json.loads((out / "samples" / "samples.json").read_text())
    cells = [(sample["source"], sample["target"]) for sample in samples]
    assert sorted(cells) == sorted((s, t) for s in LABELS for t in LABELS if s != t)
    # What the table says of a kept pair is what its WAV file is heard as.
    for sample in samples:
        pcm = soundfile.read(out / "samples" / sample["adversarial"], dtype="int16")[0]
        x_adv = torch.from_numpy(pcm).float()[None, None] / 32768
        heard = predict(classifier, x_adv)[0]
        assert LABELS[int(heard.argmax())] == sample["after"]
        after, before = sample["after_probabilities"], sample["before_probabilities"]
        assert [after[label] for label in LABELS] == pytest.approx(heard.tolist(), abs=1e-6)
        assert after[sample["target"]] == pytest.approx(sample["after_probability"], abs=1e-6)
        assert before[sample["target"]] == pytest.approx(sample["before_probability"], abs=1e-6)


def test_targets_can_be_chosen(classifier: Classifier, data: ClipDataset) -> None:
    found = evaluate(Burst(), classifier, data, budget=None, targets=("b",), options=FEW)
    assert len(found.pairs) == 4
    assert set(found.pairs.target.tolist()) == {1}
    with pytest.raises(MondegreenError, match="no label 'z'"):
        evaluate(Burst(), classifier, data, budget=None, targets=("z",), options=FEW)


def test_the_same_seed_draws_the_same_pairs(classifier: Classifier, data: ClipDataset) -> None:
    first = evaluate(Burst(), classifier, data, budget=None, options=FEW).kept
    second = evaluate(Burst(), classifier, data, budget=None, options=FEW).kept
    assert first.rows == second.rows
    assert len(first.rows) == 6  # one of each cell of the matrix, which is more than 5


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
def test_the_round_trip_in_memory_is_that_of_a_file(tmp_path: Path, normalization: Any) -> None:
    x = torch.empty(3, 1, SAMPLES).uniform_(-1.2, 1.2, generator=torch.Generator().manual_seed(0))
    x_read = wav_round_trip(x, 16_000, normalization)
    assert torch.equal(x_read, quantize(x, normalization))
    for number in range(3):
        write_wav(tmp_path / "x.wav", x[number, 0], 16_000, normalization)
        pcm = torch.from_numpy(soundfile.read(tmp_path / "x.wav", dtype="int16")[0])
        assert torch.equal(pcm, float_to_pcm16(x_read, normalization)[number, 0])


@pytest.mark.parametrize("untargeted", [False, True])
def test_what_is_timed_are_pairs(
    classifier: Classifier, data: ClipDataset, untargeted: bool
) -> None:
    """Not clips that carry the target, nor one pair over and over."""
    asked: list[tuple[Tensor, Tensor]] = []

    class Watched(Burst):
        def perturb(
            self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
        ) -> Tensor:
            asked.append((x, target))
            return super().perturb(classifier, x, target, budget)

    attack = Watched()
    attack.untargeted = untargeted
    options = replace(FEW, timing_repeats=6)
    evaluate(attack, classifier, data, budget=None, options=options)
    timed = asked[-(2 * (2 + options.timing_repeats)) :]  # both sizes, two calls to warm up
    singles = [one for one in timed if len(one[0]) == 1]
    assert len(singles) == 2 + options.timing_repeats
    clips = zip(data.waveforms(), data.labels.tolist(), strict=True)
    said = {x[None].numpy().tobytes(): label for x, label in clips}
    labels = [(said[x.numpy().tobytes()], int(target)) for x, target in singles]
    assert all((label == target) == untargeted for label, target in labels)
    assert len({x.numpy().tobytes() for x, _ in singles}) > 1


def test_nothing_to_attack_is_an_error(classifier: Classifier, data: ClipDataset) -> None:
    only = data.subset((data.labels == 1).nonzero()[:, 0])
    with pytest.raises(MondegreenError, match="nothing to attack"):
        evaluate(Burst(), classifier, only, budget=None, targets=("b",), options=FEW)


def test_probabilities_are_recorded(classifier: Classifier, data: ClipDataset) -> None:
    pairs = evaluate(Burst(), classifier, data, budget=None, options=FEW).pairs
    assert bool((pairs.after_probability[pairs.success] > 0.5).all())
    assert all(math.isfinite(value) for value in pairs.before_probability)


def test_turns_are_counted_within_each_source_and_target() -> None:
    labels = np.random.default_rng(0).integers(5, size=60)
    pairs = every_pair(labels, np.arange(5))
    order = np.random.default_rng(1).permutation(len(pairs))
    seen: dict[tuple[int, int], int] = {}
    for row, turn in zip(order.tolist(), _turns(pairs, order).tolist(), strict=True):
        cell = (int(pairs.source[row]), int(pairs.target[row]))
        assert turn == seen.get(cell, 0)
        seen[cell] = turn + 1


def test_few_of_hundreds_of_labels_are_kept() -> None:
    pairs = every_pair(np.arange(300), np.arange(300))
    kept = draw_kept(pairs, 100, 2, np.random.default_rng(0))
    assert len(kept) == len(set(kept)) == 1000
    drawn = draw_pairs(pairs, 3000, np.random.default_rng(0))
    assert len(drawn) == 3000 and (drawn.before == -1).all() and np.isnan(drawn.snr_db).all()
