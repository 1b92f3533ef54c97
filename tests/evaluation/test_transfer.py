"""Attacks whose outcomes are known, heard by classifiers whose answers are: every rate by hand."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack, Found, SearchingAttack
from mondegreen.audio import quantize
from mondegreen.budgets import SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.ensemble import Ensemble
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.transfer import hear, transfer
from mondegreen.evaluation.transfer_sources import (
    Column,
    Source,
    TransferBench,
    TransferOptions,
    asked_of,
    describe_asked,
)
from mondegreen.metrics.success import bootstrap_interval

SAMPLES, LABELS = 1024, ("a", "b", "c")
LOUD = Linf(0.9)


class Energies(nn.Module):
    """Hears the third of the clip with the most energy, weighted; never less than a bias."""

    weights: Tensor

    def __init__(self, weights: tuple[float, float, float]) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, x: Tensor) -> Tensor:
        parts = x[:, 0, : 3 * (SAMPLES // 3)].reshape(len(x), 3, -1)
        return 100.0 * self.weights * parts.square().sum(dim=2)


def listener(*weights: float, **changes: Any) -> Classifier:
    about: dict[str, Any] = {
        "labels": LABELS,
        "sample_rate": 16_000,
        "clip_samples": SAMPLES,
        "name": "energies",
    }
    a, b, c = weights or (1.0, 1.0, 1.0)
    return Classifier(Energies((a, b, c)), **(about | changes)).freeze()


def column(name: str, classifier: Classifier) -> Column:
    return Column(name, classifier, asked_of(classifier))


class Louder(SearchingAttack):
    """Makes the third that stands for the target loud; with ``untargeted`` the next one."""

    def __init__(
        self, *, level: float = 0.9, fail_after: int = 10**9, untargeted: bool = False
    ) -> None:
        self.level, self.fail_after, self.untargeted = level, fail_after, untargeted
        self.calls: list[tuple[Classifier, Tensor, Tensor]] = []

    @property
    def name(self) -> str:
        return "louder"

    def parameters(self) -> dict[str, Any]:
        return {"level": self.level, "untargeted": self.untargeted}

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        if len(self.calls) >= self.fail_after:
            raise KeyboardInterrupt
        self.calls.append((classifier, x.clone(), target.clone()))
        third = x.shape[2] // 3
        delta = torch.zeros_like(x)
        for row, index in enumerate(target.tolist()):
            place = (index + 1) % 3 if self.untargeted else index
            delta[row, :, place * third : (place + 1) * third : 2] = self.level
        return Found(delta, gradients=torch.full_like(target, 2))


def source(
    attack: Attack, against: Column, columns: tuple[Column, ...], label: str = "it"
) -> Source:
    asked = against.asked
    return Source(label, attack, against.classifier, asked, describe_asked(asked, columns))


@pytest.fixture
def columns() -> tuple[Column, ...]:
    """One that hears as the data says, one that is deaf to 'c', one that nearly is."""
    return (
        column("fair", listener()),
        column("deaf", listener(1.0, 1.0, 0.0)),
        column("dull", listener(1.0, 1.0, 0.05)),
    )


def bench(columns: tuple[Column, ...], data: ClipDataset, **changes: Any) -> TransferBench:
    options = replace(TransferOptions(pairs=-1, batch_size=5), **changes)
    return TransferBench(columns, data, "test", "speaker", LOUD, options)


# ------------------------------------------------------------------ numbers


def test_every_rate_can_be_worked_out(
    tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset
) -> None:
    attack = Louder()
    content = transfer([source(attack, columns[0], columns)], bench(columns, data), tmp_path)
    assert content["pairs"]["count"] == 12 and content["pairs"]["clips"] == 6
    fair, deaf, _ = content["classifiers"]
    # One clip of 'b' sounds like 'a', one of 'c' is silent: everyone hears 'a' there.
    assert fair["clean_accuracy"] == pytest.approx(4 / 6) and fair["right_pairs"] == 8
    assert deaf["clean_accuracy"] == pytest.approx(3 / 6)
    assert fair["baseline_rate"] == pytest.approx(2 / 12)
    (row,) = content["rows"]
    assert row["asked"] == [{"name": "energies", "fingerprint": columns[0].asked[0].fingerprint}]
    assert row["against"] == "fair" and row["gradients_per_clip"] == 2.0
    assert row["queries_per_clip"] is None
    assert [cell["seen"] for cell in row["cells"]] == [True, False, False]
    assert row["cells"][0]["success_rate"] == 1.0
    # The deaf one never hears 'c', a third of the targets: it is left with what else there is.
    assert row["cells"][1]["success_rate"] == pytest.approx(8 / 12)
    assert row["cells"][0]["untargeted_rate"] == 1.0
    rows = list(csv.DictReader((tmp_path / "pairs.csv").open()))
    assert len(rows) == 12
    for number, name in enumerate(("fair", "deaf", "dull")):
        title = f"{row['name']} heard by {name}"
        cell = row["cells"][number]
        hits = [one[title] == one["target"] for one in rows]
        assert cell["success_rate"] == pytest.approx(np.mean(hits))
        away = [
            one[title] != one["source"]
            for one in rows
            if one[f"untouched heard by {name}"] == one["source"]
        ]
        assert cell["untargeted_rate"] == pytest.approx(np.mean(away))
        groups = [one["clip"].split("/")[1][:3] for one in rows]
        random = np.random.default_rng(1024)
        assert tuple(cell["success_interval"]) == bootstrap_interval(hits, groups, random)
    json.dumps(content, allow_nan=False)


def test_all_rows_meet_the_same_pairs_and_ask_what_they_are_made_against(
    tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset
) -> None:
    first, second = Louder(), Louder(level=0.1)
    sources = [source(first, columns[0], columns), source(second, columns[1], columns)]
    transfer(sources, bench(columns, data, pairs=7), tmp_path)
    assert len(first.calls) == len(second.calls) == 2
    for one, two in zip(first.calls, second.calls, strict=True):
        assert one[0] is columns[0].classifier and two[0] is columns[1].classifier
        assert torch.equal(one[1], two[1]) and torch.equal(one[2], two[2])


def test_an_untargeted_attack_gets_the_labels_and_has_no_target_to_hit(
    tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset
) -> None:
    attack = Louder(untargeted=True)
    content = transfer([source(attack, columns[0], columns)], bench(columns, data), tmp_path)
    given = torch.cat([target for _, _, target in attack.calls])
    assert given.tolist() == bench(columns, data).draw().source.tolist()
    cell = content["rows"][0]["cells"][0]
    assert cell["success_rate"] is None and cell["success_interval"] is None
    assert cell["untargeted_rate"] == 1.0


class AlwaysB(nn.Module):
    """Hears 'b' whatever there is."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tensor([0.0, 1.0, 0.0]).expand(len(x), -1)


def test_who_was_right_about_nothing_has_no_untargeted_rate(
    tmp_path: Path, data: ClipDataset
) -> None:
    stubborn = Classifier(
        AlwaysB(), labels=LABELS, sample_rate=16_000, clip_samples=SAMPLES, name="b"
    ).freeze()
    both = (column("fair", listener()), column("stubborn", stubborn))
    place = replace(bench(both, data), targets=("b",))
    content = transfer([source(Louder(), both[0], both)], place, tmp_path)
    assert content["pairs"]["targets"] == ["b"]
    assert content["classifiers"][1]["baseline_rate"] == 1.0
    assert content["classifiers"][1]["right_pairs"] == 0
    cell = content["rows"][0]["cells"][1]
    assert cell["success_rate"] == 1.0 and cell["untargeted_rate"] is None
    assert cell["untargeted_interval"] is None


def test_scoring_is_on_the_16_bit_grid_in_each_listeners_own_scale(data: ClipDataset) -> None:
    x = data.waveforms([0, 2, 4])

    class Keeps(Energies):
        def forward(self, x: Tensor) -> Tensor:
            self.got = x
            return super().forward(x)

    module = Keeps((1.0, 1.0, 1.0))
    paper = Classifier(
        module, labels=LABELS, sample_rate=16_000, clip_samples=SAMPLES, name="p",
        normalization="paper",
    )  # fmt: skip
    hear(paper, x, "pcm")
    assert torch.equal(module.got, data.waveforms([0, 2, 4], "paper"))
    assert torch.equal(quantize(module.got, "paper"), module.got)
    hear(paper, module.got, "paper")
    assert torch.equal(module.got, data.waveforms([0, 2, 4], "paper"))


def test_the_budget_is_kept(tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset) -> None:
    quiet = replace(bench(columns, data), budget=SNR(12.0))
    content = transfer([source(Louder(), columns[0], columns)], quiet, tmp_path)
    assert content["budget"] == {"kind": "snr", "value": 12.0}
    assert content["rows"][0]["snr_db"]["min"] >= 12.0 - 1e-4
    assert content["rows"][0]["snr_db"]["failed"] == 2  # a silent clip, with two targets


# ------------------------------------------------------------------ who was asked


def test_members_of_an_ensemble_count_as_seen(
    tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset
) -> None:
    together = Ensemble([columns[0].classifier, columns[2].classifier]).freeze()
    asked = asked_of(together)
    row = Source("it", Louder(), together, asked, describe_asked(asked, columns))
    content = transfer([row], bench(columns, data), tmp_path)
    assert [cell["seen"] for cell in content["rows"][0]["cells"]] == [True, False, True]
    assert content["rows"][0]["against"] == "fair + dull"
    whole = column("both", together)
    other = Source("it", Louder(), columns[0].classifier, columns[0].asked, "fair")
    assert other.saw(whole) and not other.saw(columns[1])


def test_what_was_asked_is_told_in_few_words() -> None:
    four = tuple(column(f"c{n}", listener(1.0, 1.0, 0.1 * n)) for n in range(4))
    stranger = asked_of(listener(5.0, 1.0, 1.0, name="stranger"))
    asked = [one for each in four for one in each.asked]
    assert describe_asked(asked, four) == "all"
    assert describe_asked(asked[1:], four) == "all but c0"
    assert describe_asked(asked[:2], four) == "c0 + c1"
    assert describe_asked(asked[:1], four) == "c0"
    assert describe_asked(stranger, four) == "stranger"
    assert describe_asked([*asked[:3], *stranger], four) == "c0 + c1 + c2 + stranger"
    assert describe_asked([*asked, *stranger], four) == "c0 + c1 + c2 + 2 others"


# ------------------------------------------------------------------ resumption


def test_an_interrupted_transfer_continues_and_may_grow(
    tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset
) -> None:
    place = bench(columns, data)
    first = source(Louder(), columns[0], columns)
    broken = source(Louder(fail_after=1), columns[1], columns)
    with pytest.raises(KeyboardInterrupt):
        transfer([first, broken], place, tmp_path)
    files = sorted(path.name for path in (tmp_path / "rows").iterdir())
    assert files == ["it-against-fair--linf-0.9.json"]
    assert not (tmp_path / "transfer.json").exists()
    idle = source(Louder(fail_after=0), columns[0], columns)
    told: list[str] = []
    second = source(Louder(), columns[1], columns)
    content = transfer([idle, second], place, tmp_path, tell=told.append)
    assert told == ["2 of 2: it against deaf"]
    written = (tmp_path / "transfer.json").read_bytes()
    again = source(Louder(fail_after=0), columns[1], columns)
    assert transfer([idle, again], place, tmp_path) == json.loads(written)
    assert (tmp_path / "transfer.json").read_bytes() == written
    more = transfer([idle, again, source(Louder(), columns[2], columns)], place, tmp_path)
    assert more["rows"][:2] == json.loads(json.dumps(content["rows"])) and len(more["rows"]) == 3


def test_a_row_measured_otherwise_is_refused(
    tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset
) -> None:
    row = source(Louder(), columns[0], columns)
    transfer([row], bench(columns, data), tmp_path)
    for place, named in (
        (bench(columns, data, seed=5), "seed: 1024, now 5"),
        (bench(columns[:2], data), "columns"),
        (bench(columns, data, pairs=4), "pairs"),
    ):
        with pytest.raises(MondegreenError, match=named):
            transfer([row], place, tmp_path)
    with pytest.raises(MondegreenError, match=r"attack\.level: 0\.9, now 0\.5"):
        transfer([source(Louder(level=0.5), columns[0], columns)], bench(columns, data), tmp_path)


# ------------------------------------------------------------------ what is refused


def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, columns: tuple[Column, ...], data: ClipDataset
) -> None:
    fair = columns[0]
    for others, named in (
        ((), "two or more classifiers"),
        ((column("fair", listener(2.0, 1.0, 1.0)),), "different names, not fair, fair"),
        ((column("again", fair.classifier),), "fair and again are the same classifier"),
        ((column("x", listener(labels=("a", "c", "b"))),), "differ in labels"),
        ((column("x", listener(sample_rate=8000)),), "differ in sample rate"),
        ((column("x", listener(clip_samples=512)),), "differ in clip samples"),
    ):
        with pytest.raises(MondegreenError, match=named):
            bench((fair, *others), data)
    row = source(Louder(), fair, columns)
    for rows, named in (([], "needs attacks"), ([row, row], "twice: .*it-against-fair")):
        with pytest.raises(MondegreenError, match=named):
            transfer(rows, bench(columns, data), tmp_path)
    for changes in ({"pairs": 0}, {"batch_size": 0}, {"seed": -1}):
        with pytest.raises(MondegreenError, match="batch-size"):
            replace(TransferOptions(), **changes)
