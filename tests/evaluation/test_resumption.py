"""A cell that is killed continues after its last finished batch, as if nothing had happened."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack, Found
from mondegreen.budgets import SNR, Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.evaluation.bench import Bench, CompareOptions
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.compare import compare
from mondegreen.evaluation.partial import Partial

SMALL = CompareOptions(batch_size=2, quality_pairs=5, timing_rounds=1)
MEASURED = ("seconds_per_clip", "duration_seconds", "created", "peak_memory_bytes")


class Slots(Attack):
    """Puts energy into the third of the target, for some of the clips; stops when told."""

    def __init__(self, *, stop_after: int = 10**9) -> None:
        self.stop_after, self.calls = stop_after, 0

    @property
    def name(self) -> str:
        return "slots"

    def parameters(self) -> dict[str, Any]:
        return {}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        return self.search(classifier, x, target, budget).delta

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        if self.calls >= self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        third = x.shape[2] // 3
        delta = torch.zeros_like(x)
        for row, index in enumerate(target.tolist()):
            level = 0.9 * float(x[row].abs().max())
            delta[row, :, index * third : (index + 1) * third : 3] = level
        return Found(delta, queries=target + 1, gradients=target)


def bench(classifier: Classifier, data: ClipDataset) -> Bench:
    return Bench(classifier, data, "test", "speaker", SMALL)


def cell(attack: Attack) -> Cell:
    return Cell("slots", attack, SNR(6.0))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Tensor]]:
    """The waveforms that were given to PESQ."""
    given: list[tuple[Tensor, Tensor]] = []

    def listen(x: Tensor, x_adv: Tensor, *_: object) -> None:
        given.append((x, x_adv))
        raise MissingExtraError("pesq", "quality")

    monkeypatch.setattr("mondegreen.evaluation.results.quality", listen)
    return given


@pytest.mark.parametrize("batches", [1, 3, 5])
def test_the_result_is_that_of_a_run_without_a_break(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    heard: list[tuple[Tensor, Tensor]],
    batches: int,
) -> None:
    place = bench(classifier, data)
    compare([cell(Slots())], place, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        compare([cell(Slots(stop_after=batches))], place, tmp_path / "broken")
    part = tmp_path / "broken" / "cells" / "slots--snr-6.part"
    assert len(list(part.glob("*.npz"))) == batches
    again = Slots()
    compare([cell(again)], place, tmp_path / "broken")
    assert again.calls - 6 == 6 - batches  # 6 to be timed: 2 + 1 at both batch sizes
    assert not part.exists()
    one, two = (
        json.loads((tmp_path / name / "cells" / "slots--snr-6.json").read_text())
        for name in ("whole", "broken")
    )
    assert 0.0 < one["success_rate"] < 1.0
    for name in MEASURED:
        one.pop(name), two.pop(name)
    assert one == two
    # What is heard is bit by bit the same, too.
    (x, x_adv), (other_x, other_x_adv) = heard
    assert len(x) == 5 and torch.equal(x, other_x) and torch.equal(x_adv, other_x_adv)


def test_batches_of_other_settings_are_refused(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare([cell(Slots(stop_after=1))], bench(classifier, data), tmp_path)
    other = Bench(classifier, data, "test", "speaker", CompareOptions(batch_size=3))
    with pytest.raises(MondegreenError, match=r"slots--snr-6\.part.*batch_size: 2, now 3"):
        compare([cell(Slots())], other, tmp_path)


def test_a_damaged_batch_is_named(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "cell.part", {"seed": 1})
    assert partial.found() is None and partial.load(0) is None
    partial.save(0, {"after": np.array([1, 2])})
    assert partial.found() == {"seed": 1}
    found = partial.load(0)
    assert found is not None and found["after"].tolist() == [1, 2]
    assert partial.load(1) is None
    (tmp_path / "cell.part" / "000000.npz").write_bytes(b"PK half of it")
    with pytest.raises(MondegreenError, match=r"cell\.part to begin"):
        partial.load(0)
    # Objects would be executed when they are read, so they are not.
    np.savez(tmp_path / "cell.part" / "000000.npz", after=np.array([{}], dtype=object))
    with pytest.raises(MondegreenError, match="damaged"):
        partial.load(0)
    partial.remove()
    assert not partial.folder.exists()


KILLED = """
import os, signal, sys
from pathlib import Path

folder, tests = map(Path, sys.argv[1:])
sys.path.insert(0, str(tests))
import conftest
from test_resumption import Slots, bench, cell, compare

class Dies(Slots):
    def search(self, *arguments):
        if self.calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().search(*arguments)

corpus = conftest.folder_corpus(folder / "clips")
cache = conftest.ClipCache.build(
    corpus, sample_rate=16_000, clip_samples=conftest.SAMPLES, folder=folder / "cache"
)
spotter = conftest.Classifier(
    conftest.Slots(),
    labels=conftest.LABELS,
    sample_rate=16_000,
    clip_samples=conftest.SAMPLES,
    name="slots",
).freeze()
place = bench(spotter, conftest.ClipDataset(corpus, cache))
compare([cell(Dies())], place, folder / "run")
"""


def test_a_process_that_is_killed_loses_one_batch(
    tmp_path: Path,
    classifier: Classifier,
    data: ClipDataset,
    heard: list[tuple[Tensor, Tensor]],
) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    part = tmp_path / "run" / "cells" / "slots--snr-6.part"
    assert sorted(path.name for path in part.glob("*.npz")) == ["000000.npz", "000001.npz"]
    again = Slots()
    found = compare([cell(again)], bench(classifier, data), tmp_path / "run")
    assert again.calls == 4 + 6  # the rest of the six, and those to be timed
    whole = compare([cell(Slots())], bench(classifier, data), tmp_path / "whole")
    assert found["cells"][0]["success_over_queries"] == whole["cells"][0]["success_over_queries"]
    assert found["cells"][0]["success_rate"] == whole["cells"][0]["success_rate"]
    assert torch.equal(heard[0][1], heard[1][1])
