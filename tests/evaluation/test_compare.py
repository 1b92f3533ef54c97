"""Attacks whose outcomes are known, compared: on the same pairs, resumable, never mixed."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import SNR, Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.evaluation.bench import Bench, CompareOptions
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.compare import compare
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.evaluation.pairs import draw_pairs, every_pair
from mondegreen.evaluation.results import outcome
from mondegreen.metrics.success import bootstrap_interval

QUICK = CompareOptions(batch_size=4, quality_pairs=0, timing_rounds=2)


class Seen(Attack):
    """Remembers the clips and targets that it got; the level decides what it changes."""

    def __init__(self, *, level: float = 0.9, fail_after: int = 10**9) -> None:
        self.level = level
        self.fail_after = fail_after
        self.batches: list[tuple[Tensor, Tensor]] = []

    @property
    def name(self) -> str:
        return "seen"

    def parameters(self) -> dict[str, Any]:
        return {"level": self.level}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        if len(self.batches) >= self.fail_after:
            raise KeyboardInterrupt
        self.batches.append((x.clone(), target.clone()))
        third = x.shape[2] // 3
        delta = torch.zeros_like(x)
        for row, index in enumerate(target.tolist()):
            delta[row, :, index * third : (index + 1) * third : 2] = self.level
        return delta


def bench(classifier: Classifier, data: ClipDataset, **changes: Any) -> Bench:
    return Bench(classifier, data, "test", "speaker", replace(QUICK, **changes))


def cells_of(*attacks: Attack, budgets: tuple[Budget | None, ...] = (None, SNR(3.0))) -> list[Cell]:
    return [
        Cell(f"attack-{number}", attack, budget)
        for budget in budgets
        for number, attack in enumerate(attacks)
    ]


# ------------------------------------------------------------------ pairs


def test_every_cell_meets_the_same_pairs(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    first, second = Seen(level=0.9), Seen(level=0.1)
    compare(cells_of(first, second), bench(classifier, data, pairs=5), tmp_path / "run")
    # Two budgets and then the timing: the same clips in the same order for both attacks.
    assert len(first.batches) == len(second.batches) > 4
    for one, two in zip(first.batches, second.batches, strict=True):
        assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
    with (tmp_path / "run" / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 and all(row["source"] != row["target"] for row in rows)


def test_drawn_pairs_are_spread_over_source_and_target() -> None:
    labels = np.repeat(np.arange(4), [9, 5, 3, 3])
    pairs = every_pair(labels, np.arange(4))
    drawn = draw_pairs(pairs, 24, np.random.default_rng(3))
    assert set(Counter(zip(drawn.source, drawn.target, strict=True)).values()) == {2}
    places = list(zip(drawn.target.tolist(), drawn.clip.tolist(), strict=True))
    assert places == sorted(places)  # the order they had, so that batches share a target
    again = draw_pairs(pairs, 24, np.random.default_rng(3))
    other = draw_pairs(pairs, 24, np.random.default_rng(4))
    assert again.clip.tolist() == drawn.clip.tolist() != other.clip.tolist()
    every = draw_pairs(pairs, -1, np.random.default_rng(3))
    assert every.clip.tolist() == pairs.clip.tolist()
    # A few of everything, each pair once, before any cell of the matrix gets a third.
    most = draw_pairs(pairs, 30, np.random.default_rng(3))
    assert len(set(zip(most.clip.tolist(), most.target.tolist(), strict=True))) == 30
    assert max(Counter(zip(most.source, most.target, strict=True)).values()) == 3


def test_the_fingerprint_knows_the_pairs() -> None:
    pairs = every_pair(np.array([0, 1, 2]), np.arange(3))
    names, labels = ["a/1", "b/1", "c/1"], ["a", "b", "c"]
    print_ = pairs.fingerprint(names, labels)
    assert pairs.take([0, 1]).fingerprint(names, labels) != print_
    assert pairs.fingerprint(["a/2", "b/1", "c/1"], labels) != print_
    assert pairs.take(np.arange(6)).fingerprint(names, labels) == print_


# ------------------------------------------------------------------ numbers


def test_the_numbers_are_those_of_evaluate(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    place, budget = bench(classifier, data, pairs=7), SNR(3.0)
    attack = Seen(level=0.4)
    content = compare([Cell("it", attack, budget)], place, tmp_path / "run")
    options = EvaluationOptions(batch_size=2, quality_pairs=0, samples=0, timing_repeats=0)
    found = evaluate(attack, classifier, data, budget=budget, options=options, pairs=place.draw())
    wanted = outcome(found, data, 1024, "not asked for")
    cell = content["cells"][0]
    assert cell["success_rate"] == wanted["success_rate"] == found.pairs.success.mean()
    groups = np.array([clip.group for clip in data.clips])[found.pairs.clip]
    random = np.random.default_rng(1024)
    assert tuple(cell["success_interval"]) == bootstrap_interval(
        found.pairs.success, groups, random
    )
    assert cell["snr_db"] == wanted["snr_db"] and cell["snr_db"]["min"] >= 3.0 - 1e-4
    assert content["clean_accuracy"] == pytest.approx(4 / 6)
    assert content["pairs"] | {"fingerprint": ""} == {
        "count": 7,
        "available": 12,
        "quality": 0,
        "clips": len(set(found.pairs.clip.tolist())),
        "groups": len(set(groups)),
        "targets": ["a", "b", "c"],
        "fingerprint": "",
    }
    json.dumps(content, allow_nan=False)


def test_all_pairs_give_what_evaluate_gives(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    attack = Seen()
    content = compare([Cell("it", attack, None)], bench(classifier, data), tmp_path / "run")
    options = EvaluationOptions(quality_pairs=0, samples=0, timing_repeats=0)
    found = evaluate(attack, classifier, data, budget=None, options=options)
    assert content["pairs"]["count"] == len(found.pairs) == 12
    assert content["cells"][0]["success_rate"] == found.pairs.success.mean()


def test_the_difference_to_the_generator_is_that_of_the_same_pairs(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    place = bench(classifier, data)
    cells = [
        Cell("other", Seen(level=0.9), None),
        Cell("generator", Seen(level=0.1), None),
        Cell("other", Seen(level=0.9), SNR(3.0)),
    ]
    content = compare(cells, place, tmp_path / "run")
    found, own, alone = (cell["against_generator"] for cell in content["cells"])
    assert own is None and alone is None
    with (tmp_path / "run" / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    gained = np.array([int(row["other--none"]) - int(row["generator--none"]) for row in rows])
    assert found["difference"] == gained.mean() != 0.0
    groups = np.array([clip.group for clip in data.clips])[place.draw().clip]
    random = np.random.default_rng(1024)
    assert tuple(found["interval"]) == bootstrap_interval(gained, groups, random, least=-1.0)
    assert compare(cells, place, tmp_path / "run") == content


def test_quality_is_scored_on_the_same_pairs_of_every_cell(
    tmp_path: Path, classifier: Classifier, data: ClipDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Tensor] = []

    def listen(x: Tensor, *_: object) -> None:
        heard.append(x)
        raise MissingExtraError("pesq", "quality")

    monkeypatch.setattr("mondegreen.evaluation.results.quality", listen)
    cells = cells_of(Seen(level=0.9), Seen(level=0.1))
    content = compare(cells, bench(classifier, data, quality_pairs=3), tmp_path / "run")
    assert len(heard) == 4 and all(len(x) == 3 for x in heard)
    assert all(torch.equal(x, heard[0]) for x in heard)
    assert content["pairs"]["quality"] == 3
    assert "mondegreen[quality]" in content["cells"][0]["pesq_nb"]["reason"]


# ------------------------------------------------------------------ resumption


def test_an_interrupted_comparison_continues(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    place = bench(classifier, data)
    broken = cells_of(Seen(), Seen(level=0.5, fail_after=1), budgets=(None,))
    with pytest.raises(KeyboardInterrupt):
        compare(broken, place, tmp_path / "run")
    files = sorted(path.name for path in (tmp_path / "run" / "cells").iterdir())
    assert files == ["attack-0--none.json", "attack-1--none.part"]
    before = (tmp_path / "run" / "cells" / files[0]).read_bytes()
    first, second = Seen(), Seen(level=0.5)
    told: list[str] = []
    content = compare(
        cells_of(first, second, budgets=(None,)), place, tmp_path / "run", tell=told.append
    )
    assert (tmp_path / "run" / "cells" / files[0]).read_bytes() == before
    # The second still had two of its three batches of 4 to do, the first was only timed.
    assert len(second.batches) - len(first.batches) == 2
    assert told[0] == "attack-1, no budget: goes on after batch 1"
    assert len(told) == 2 and told[1].startswith("2 of 2: attack-1")
    assert [cell["label"] for cell in content["cells"]] == ["attack-0", "attack-1"]


def test_a_finished_comparison_is_not_touched_but_may_grow(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    place = bench(classifier, data)
    cells = cells_of(Seen(), budgets=(None,))
    content = compare(cells, place, tmp_path / "run")
    written = (tmp_path / "run" / "comparison.json").read_bytes()
    idle = Seen(fail_after=0)
    assert compare(cells_of(idle, budgets=(None,)), place, tmp_path / "run") == content
    assert (tmp_path / "run" / "comparison.json").read_bytes() == written
    more = compare([*cells, Cell("other", Seen(level=0.2), None)], place, tmp_path / "run")
    assert len(more["cells"]) == 2
    assert more["cells"][0]["created"] == content["cells"][0]["created"]


@pytest.mark.parametrize(
    ("change", "named"),
    [({"seed": 5}, "seed: 1024, now 5"), ({"pairs": 4}, "pairs"), ({"batch_size": 2}, "batch")],
)
def test_a_cell_measured_otherwise_is_refused(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    change: dict[str, int],
    named: str,
) -> None:
    cells = cells_of(Seen(), budgets=(None,))
    compare(cells, bench(classifier, data), tmp_path / "run")
    with pytest.raises(MondegreenError, match=named):
        compare(cells, bench(classifier, data, **change), tmp_path / "run")


def test_another_attack_of_the_same_name_is_refused(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    place = bench(classifier, data)
    compare(cells_of(Seen(), budgets=(None,)), place, tmp_path / "run")
    with pytest.raises(MondegreenError, match=r"attack\.level: 0\.9, now 0\.5.*--out"):
        compare(cells_of(Seen(level=0.5), budgets=(None,)), place, tmp_path / "run")
    (tmp_path / "run" / "cells" / "attack-0--none.json").write_text("{}")
    with pytest.raises(MondegreenError, match="damaged"):
        compare(cells_of(Seen(), budgets=(None,)), place, tmp_path / "run")


def test_nothing_or_the_same_twice_is_refused(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    place = bench(classifier, data)
    with pytest.raises(MondegreenError, match="needs cells"):
        compare([], place, tmp_path)
    twice = [Cell("it", Seen(), None), Cell("it", Seen(), None)]
    with pytest.raises(MondegreenError, match="it--none"):
        compare(twice, place, tmp_path)
    with pytest.raises(MondegreenError, match="pairs not 0"):
        CompareOptions(pairs=0)
