"""An attack whose outcome is known, heard through channels whose effect is: every rate by hand."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import SNR, Budget
from mondegreen.channels import Channel, Streams, parse_channel
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import Cell
from mondegreen.evaluation.channel_bench import ChannelBench, ChannelOptions, measure_channels
from mondegreen.evaluation.channels import Listening, clip_seeds
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.evaluation.results import Setting, results, write_evaluation

SAMPLES, LABELS = 1024, ("a", "b", "c")
FEW = EvaluationOptions(batch_size=4, quality_pairs=0, samples=0, timing_repeats=0)
THIRD = SAMPLES // 3


class Burst(Attack):
    """Adds a burst in the target's third, but fails on purpose for the target 'c'."""

    calls = 0

    @property
    def name(self) -> str:
        return "burst"

    def parameters(self) -> dict[str, Any]:
        return {}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        self.calls += 1
        delta = torch.zeros_like(x)
        for row, index in enumerate(target.tolist()):
            if index != 2:
                delta[row, :, index * THIRD : (index + 1) * THIRD : 2] = 0.9
        return delta


CHANNELS = {
    "nothing": parse_channel("gain:db=0"),
    "deaf": parse_channel("gain:db=-120"),  # equal energies: arg-max is 'a'
    "later": parse_channel(f"shift:ms={1000 * THIRD / 16_000}"),  # a sounds like b, b like c
    "noisy": parse_channel("noise:snr_db=0"),
}


def heard_by(
    classifier: Classifier, data: ClipDataset, options: EvaluationOptions = FEW
) -> Listening:
    listening = Listening(CHANNELS, 7)
    evaluate(Burst(), classifier, data, budget=None, options=options, listening=listening)
    return listening


def test_every_rate_is_right(classifier: Classifier, data: ClipDataset) -> None:
    listening = Listening(CHANNELS, 7)
    found = evaluate(Burst(), classifier, data, budget=None, options=FEW, listening=listening)
    setting = Setting(Burst(), classifier, data, None, "test", "speaker", 1024)
    content = results(found, setting, "not measured")
    nothing, deaf, later, _ = content["channels"]
    assert [row["channel"] for row in content["channels"]] == list(CHANNELS)
    for name in ("clean_accuracy", "baseline_rate", "success_rate", "success_interval"):
        assert nothing[name] == content[name]
    assert nothing["survival_rate"] == 1.0
    # Towards 'c' nothing was done: of these four pairs, the two a are heard rightly and one b.
    assert nothing["true_label_rate"] == pytest.approx(3 / 12)
    # Everything is heard as 'a': two of six clips are, four of twelve pairs want it.
    assert deaf["clean_accuracy"] == pytest.approx(2 / 6)
    assert deaf["baseline_rate"] == deaf["success_rate"] == pytest.approx(4 / 12)
    assert deaf["survival_rate"] == pytest.approx(4 / 8)
    assert deaf["true_label_rate"] == pytest.approx(4 / 12)
    # Bursts arrive a third late. Rightly heard is only the b that sounds like a; the silent c is
    # heard as 'a', which counts once; a pair (a, c) hears b, (b, c) hears c once and b once.
    assert later["clean_accuracy"] == pytest.approx(1 / 6)
    assert later["survival_rate"] == 0.0
    assert later["success_rate"] == pytest.approx(1 / 12)
    assert "noise" not in deaf["settings"] and "Gain(db=-120)" in deaf["settings"]
    json.dumps(content, allow_nan=False)


def test_without_channels_nothing_is_listed(classifier: Classifier, data: ClipDataset) -> None:
    found = evaluate(Burst(), classifier, data, budget=None, options=FEW)
    setting = Setting(Burst(), classifier, data, None, "test", "speaker", 1024)
    assert results(found, setting, "not measured")["channels"] == []


def test_what_is_heard_does_not_depend_on_the_batches(
    classifier: Classifier, data: ClipDataset
) -> None:
    first = heard_by(classifier, data)
    second = heard_by(classifier, data, replace(FEW, batch_size=5))
    assert np.array_equal(first.after, second.after)
    assert np.array_equal(first.before, second.before)


def test_all_versions_of_a_clip_meet_the_same_draw(
    classifier: Classifier, data: ClipDataset
) -> None:
    drawn: list[Tensor] = []

    class Watched(Channel):
        @property
        def random(self) -> bool:
            return True

        def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
            drawn.append(streams.normal(4)[:, 0])
            return x

    listening = Listening({"watched": Watched()}, 7)
    found = evaluate(Burst(), classifier, data, budget=None, options=FEW, listening=listening)
    untouched, attacked = drawn[0], torch.cat(drawn[1:])
    assert torch.equal(untouched[found.pairs.clip], attacked)
    assert len(np.unique(untouched.numpy(), axis=0)) == len(data)
    assert clip_seeds(7, np.array([1])) != clip_seeds(8, np.array([1]))


def test_pairs_tell_what_was_heard(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    listening = Listening(CHANNELS, 7)
    found = evaluate(Burst(), classifier, data, budget=None, options=FEW, listening=listening)
    setting = Setting(Burst(), classifier, data, None, "test", "speaker", 1024)
    content = write_evaluation(tmp_path / "run", found, setting, "not asked for", 0)
    with (tmp_path / "run" / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    for entry in content["channels"]:
        hits = [row[f"after {entry['channel']}"] == row["target"] for row in rows]
        assert np.mean(hits) == pytest.approx(entry["success_rate"])
    assert {row["after deaf"] for row in rows} == {"a"}


def bench(classifier: Classifier, data: ClipDataset, **changes: Any) -> ChannelBench:
    options = ChannelOptions(pairs=-1, batch_size=4, seed=1024)
    made = ChannelBench(classifier, data, "test", "speaker", Listening(CHANNELS, 1024), options)
    return replace(made, **changes)


def test_a_table_of_attacks_and_channels(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    cells = [Cell("burst", Burst(), None), Cell("burst", Burst(), SNR(3.0))]
    content = measure_channels(cells, bench(classifier, data), tmp_path)
    assert content["pairs"]["count"] == content["pairs"]["available"] == 12
    listening = Listening(CHANNELS, 1024)
    found = evaluate(Burst(), classifier, data, budget=None, options=FEW, listening=listening)
    setting = Setting(Burst(), classifier, data, None, "test", "speaker", 1024)
    alone = results(found, setting, "not asked for")
    row = content["rows"][0]
    assert row["success_rate"] == alone["success_rate"]
    assert row["budget"] == {"kind": "none", "value": None}
    for cell, channel, one in zip(
        row["cells"], content["channels"], alone["channels"], strict=True
    ):
        assert {**channel, **cell} == one
    assert "heard" not in row and "after" not in row


def test_a_measurement_continues_and_refuses_another(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    class Fails(Burst):
        def perturb(
            self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
        ) -> Tensor:
            if self.calls == 2:
                raise KeyboardInterrupt
            return super().perturb(classifier, x, target, budget)

    place = bench(classifier, data)
    with pytest.raises(KeyboardInterrupt):
        measure_channels([Cell("burst", Fails(), None)], place, tmp_path)
    again = Burst()
    content = measure_channels([Cell("burst", again, None)], place, tmp_path)
    assert again.calls == 1, "two of three batches were kept"
    whole = measure_channels([Cell("burst", Burst(), None)], place, tmp_path / "whole")
    assert content["rows"][0]["cells"] == whole["rows"][0]["cells"]
    untouched = Burst()
    measure_channels([Cell("burst", untouched, None)], place, tmp_path)
    assert untouched.calls == 0
    fewer = bench(classifier, data, listening=Listening({"deaf": CHANNELS["deaf"]}, 1024))
    with pytest.raises(MondegreenError, match="channels"):
        measure_channels([Cell("burst", Burst(), None)], fewer, tmp_path)


def test_nothing_to_measure_is_refused(
    tmp_path: Path, classifier: Classifier, data: ClipDataset
) -> None:
    cell = Cell("burst", Burst(), None)
    for cells, place in (
        ([], bench(classifier, data)),
        ([cell, cell], bench(classifier, data)),
        ([cell], bench(classifier, data, listening=Listening({}, 1))),
    ):
        with pytest.raises(MondegreenError, match="each once"):
            measure_channels(cells, place, tmp_path)
    with pytest.raises(MondegreenError, match="pairs not 0"):
        ChannelOptions(pairs=0)
