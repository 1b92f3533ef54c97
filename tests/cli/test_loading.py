"""Which classifier belongs to a generator's run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mondegreen.cli.loading import classifier_folder
from mondegreen.errors import MondegreenError
from mondegreen.zoo import resolve


def run(folder: Path, classifier: str) -> Path:
    (folder / "checkpoints" / "best").mkdir(parents=True)
    (folder / "checkpoints" / "best" / "generator.json").write_text("{}")
    (folder / "config.json").write_text(json.dumps({"classifier": classifier}))
    return folder


def test_a_generator_may_be_trained_against_a_shipped_model(tmp_path: Path) -> None:
    found = classifier_folder(run(tmp_path, "zoo:speech-commands"))
    assert found == resolve(Path("zoo:speech-commands"))


def test_what_is_gone_and_what_is_no_generator_is_told(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="which is gone; give --classifier"):
        classifier_folder(run(tmp_path / "first", str(tmp_path / "nothing")))
    spotter = tmp_path / "spotter"
    (spotter / "checkpoints" / "best").mkdir(parents=True)
    (spotter / "checkpoints" / "best" / "classifier.json").write_text("{}")
    (spotter / "config.json").write_text("{}")
    with pytest.raises(MondegreenError, match=r"generator\.json"):
        classifier_folder(spotter)
