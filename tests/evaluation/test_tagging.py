"""What is measured of a tagger, counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

import mondegreen
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.tag_goals import TagGoals
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import open_tagged
from mondegreen.data.options import DataOptions, open_tags
from mondegreen.data.tags import TaggedClips
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.tagging import measure_tagger, refuse_met, tune

HEARD = {  # what the tagger says of rain and dog, in log-odds, and what is true
    "a": ((3.0, -2.0), ("rain",)),
    "b": ((1.0, 2.0), ("dog",)),
    "c": ((-1.0, -3.0), ("rain",)),
    "d": ((-2.0, 1.0), ("dog",)),
}


class Heard(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 8.0 * x[:, 0, :2]


@pytest.fixture
def goals() -> TagGoals:
    tagger = Classifier(
        Heard(), labels=("rain", "dog"), sample_rate=4000, clip_samples=64, name="heard"
    )
    return TagGoals(tagger, ["+rain", "calm=-rain-dog"]).freeze()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = ["file,tags,fold"]
    for fold in range(1, 6):
        for name, (odds, tags) in HEARD.items():
            x = np.zeros(64)
            x[:2] = np.array(odds) / 8
            x[2:] = 0.001 * fold
            soundfile.write(tmp_path / f"{name}{fold}.wav", x, 4000)
            lines.append(f"{name}{fold}.wav,{';'.join(tags)},{fold}")
    (tmp_path / "tags.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def opened(folder: Path, goals: TagGoals) -> tuple[TaggedClips, dict[str, ClipDataset]]:
    options = DataOptions(folder, split="fold-1", cache=folder / "cache")
    return open_tags(options, goals.goals, 4000, 64)


def test_a_tagger_is_measured(
    goals: TagGoals, opened: tuple[TaggedClips, dict[str, ClipDataset]]
) -> None:
    tagged, parts = opened
    found = measure_tagger(goals, parts["test"], tagged)
    rain, dog = found.tags
    assert (found.clips, rain.clips, dog.clips) == (4, 2, 2)
    # Rain is heard in a and b and there in a and c: ranked a, b, c, d.
    assert (rain.accuracy, rain.f1) == (0.5, 0.5)
    assert rain.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert (dog.accuracy, dog.f1, dog.average_precision) == (1.0, 1.0, 1.0)
    assert found.mean_average_precision == pytest.approx((1 + 2 / 3) / 4 + 0.5)
    met = {row.label: (row.truly_met, row.heard_met) for row in found.goals}
    assert met == {"+rain": (0.5, 0.5), "calm": (0.0, 0.25)}
    assert found.several == 0.0
    refuse_met(found)


def test_goals_that_nearly_all_clips_meet_are_refused(
    goals: TagGoals, opened: tuple[TaggedClips, dict[str, ClipDataset]]
) -> None:
    tagged, parts = opened
    loose = TagGoals(goals.tagger, ["+rain"], 0.01)
    with pytest.raises(MondegreenError, match=r"the goal \+rain: 100\.0 % of the untouched clips"):
        refuse_met(measure_tagger(loose, parts["test"], tagged))


def test_thresholds_are_those_of_the_highest_f1(
    goals: TagGoals, opened: tuple[TaggedClips, dict[str, ClipDataset]]
) -> None:
    tagged, parts = opened
    rain, dog = tune(goals.tagger, parts["validation"], tagged)
    odds = torch.tensor([3.0, 1.0, -1.0, -2.0]).sigmoid()
    assert rain == pytest.approx(float(odds[2] + odds[3]) / 2, abs=1e-3)  # a, b and c: F1 0.8
    heard = torch.tensor([2.0, 1.0, -2.0]).sigmoid()
    assert dog == pytest.approx(float(heard[1] + heard[2]) / 2, abs=1e-3)


def test_clips_are_opened_from_python(folder: Path, goals: TagGoals) -> None:
    clips = mondegreen.open_clips(folder, goals, split="fold-1", cache=folder / "cache")
    names = ["none", "+rain", "calm"]
    assert [names[label] for label in clips["test"].labels.tolist()] == ["none"] * 2 + ["+rain"] * 2
    assert open_tagged(folder).known == ("dog", "rain")
