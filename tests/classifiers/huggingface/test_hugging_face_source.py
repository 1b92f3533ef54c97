"""Folders and hub names where a classifier is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mondegreen.classifiers.huggingface import from_huggingface
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.sheet import save_sheet
from mondegreen.classifiers.sources.opening import open_source
from mondegreen.cli import main
from mondegreen.errors import MondegreenError

Save = Callable[..., Path]


@pytest.fixture
def hub(save_model: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model in the hub's cache, and no network."""
    repository = tmp_path / "cache" / "models--someone--spotter"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.parent.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    save_model().rename(snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("MONDEGREEN_ALLOWED", str(tmp_path / "allowed"))
    return "hf:someone/spotter"


def test_a_folder_is_a_classifier(save_model: Save) -> None:
    folder = save_model()
    classifier = load_classifier(folder, clip_samples=3_000)
    assert (classifier.name, classifier.clip_samples) == ("wav2vec2", 3_000)
    assert load_classifier(folder).fingerprint() == load_classifier(folder).fingerprint()


def test_adopting_shows_what_is_told_and_what_is_assumed(
    save_model: Save, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_model("AST", problem_type="multi_label_classification")
    main.main(["adopt", str(folder), "--out", str(tmp_path / "adopted")])
    shown = capsys.readouterr().out
    for text in ("multi label classification", "6799 samples", "assumed", "off its own extractor"):
        assert text in shown
    sheet = load_classifier(tmp_path / "adopted")
    assert sheet.fingerprint() == load_classifier(folder).fingerprint()


def test_placeholders_get_names_when_adopted(
    save_model: Save, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_model(id2label={0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"})
    words = ["adopt", str(folder), "--out", str(tmp_path / "adopted")]
    for given, message in (
        ((), "LABEL_0, LABEL_1 and so on. Name them in the order of its answers: --labels"),
        (("--labels", "a", "b"), "2 labels were given, and it answers with 3"),
    ):
        assert main.main([*words, *given]) == 2
        assert message in " ".join(capsys.readouterr().err.split())
    assert main.main([*words, "--labels", "a", "b", "c"]) == 0
    named = load_classifier(tmp_path / "adopted")
    assert named.labels == ("a", "b", "c")
    assert named.fingerprint() == from_huggingface(folder, labels=["a", "b", "c"]).fingerprint()
    assert load_classifier(folder, labels=["c", "b", "a"]).labels == ("c", "b", "a")


def test_a_hub_name_is_a_classifier(hub: str) -> None:
    assert load_classifier(hub, sample_rate=16_000).name == "spotter"


def test_what_the_files_say_is_not_said_again(save_model: Save) -> None:
    folder = save_model()
    with pytest.raises(MondegreenError, match="hears 16000 Hz, not 8000"):
        load_classifier(folder, sample_rate=8_000)
    with pytest.raises(MondegreenError, match="leave --scaling out"):
        load_classifier(folder, scaling="int16")


def test_a_sheet_fetches_nothing_from_the_hub_that_nobody_asked_for(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_sheet(tmp_path / "adopted", open_source(hub))
    assert load_classifier(tmp_path / "adopted").name == "spotter"
    monkeypatch.setenv("MONDEGREEN_ALLOWED", str(tmp_path / "elsewhere"))
    with pytest.raises(MondegreenError, match="fetches from the Hugging Face hub"):
        load_classifier(tmp_path / "adopted")
