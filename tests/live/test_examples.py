"""Clips that are ready to be attacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mondegreen.data.espeak import find_engine
from mondegreen.errors import MondegreenError
from mondegreen.live.clips import read_clip
from mondegreen.live.examples import folder_examples, synthetic_examples
from mondegreen.live.models import LiveModel


def test_synthetic_voices_are_heard_rightly(model: LiveModel, tmp_path: Path) -> None:
    try:
        find_engine()
    except MondegreenError:
        pytest.skip("needs the extra 'speech'")
    found = synthetic_examples(model.classifier, tmp_path)
    assert len(found) >= 5
    for example in found:
        heard = model.classifier(read_clip(example.path, model.classifier).x)
        assert model.classifier.labels[int(heard.argmax())] == example.label
    assert sorted(tmp_path.iterdir()) == sorted(example.path for example in found)


def test_without_a_synthesiser_there_are_none(
    model: LiveModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MondegreenError("none")

    monkeypatch.setattr("mondegreen.live.examples.find_engine", missing)
    assert synthetic_examples(model.classifier, tmp_path) == []


def test_a_folder_of_clips_is_copied(model: LiveModel, tmp_path: Path) -> None:
    source, place = tmp_path / "mine", tmp_path / "place"
    place.mkdir()
    (source / "dog").mkdir(parents=True)
    (source / "empty").mkdir()
    for name in ("dog/b.wav", "dog/a.flac"):
        soundfile.write(source / name, 0.1 * np.ones(800), 16_000)
    (found,) = folder_examples(source, model.classifier, place)
    assert (found.label, found.path) == ("dog", place / "0.flac")
    assert found.path.read_bytes() == (source / "dog/a.flac").read_bytes()
    soundfile.write(source / "own.wav", 0.1 * np.ones(800), 16_000)
    (source / "broken.wav").write_text("no sound")
    assert [one.label for one in folder_examples(source, model.classifier, place)] == ["own"]


def test_a_folder_without_clips_is_an_error(model: LiveModel, tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="is no folder"):
        folder_examples(tmp_path / "nowhere", model.classifier, tmp_path)
    with pytest.raises(MondegreenError, match="holds no sound files"):
        folder_examples(tmp_path, model.classifier, tmp_path)
    (tmp_path / "broken.wav").write_text("no sound")
    with pytest.raises(MondegreenError, match="decoded"):
        folder_examples(tmp_path, model.classifier, tmp_path)
