"""Sheets of adopted models: they save work, and never start anything by themselves."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from tests.classifiers.strangers.raw import LABELS, RATE, SAMPLES, as_onnx, served

import mondegreen
from mondegreen.classifiers.consent import VARIABLE
from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.ensemble import EnsembleConfig, Member
from mondegreen.classifiers.sheet import save_sheet
from mondegreen.classifiers.sources import open_source
from mondegreen.cli.loading import classifier_folder
from mondegreen.configs import to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import write_json

HERE = Path(__file__).parent / "strangers"
WORDS = ("stop", "go", "yes")
PLACE = "their_spotter.py:build"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stranger's Python file, adopted as ``mine``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "allowed"))
    for name in [name for name in sys.modules if name.startswith("their_spotter")]:
        monkeypatch.delitem(sys.modules, name)
    shutil.copy(HERE / "spotter.py", tmp_path / "their_spotter.py")
    save_sheet(tmp_path / "mine", open_source(PLACE, WORDS, ModelOptions(8000, 4000)))
    return tmp_path


def never(*_: object, **__: object) -> None:
    raise AssertionError("this was not to be called")


def test_a_sheet_says_all_that_is_needed(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = open_source(PLACE, WORDS, ModelOptions(8000, 4000)).classifier
    monkeypatch.setattr("mondegreen.classifiers.adopting.probe", never)
    classifier = mondegreen.load_classifier("mine")
    assert (classifier.labels, classifier.sample_rate, classifier.clip_samples) == (
        WORDS,
        8000,
        4000,
    )
    assert classifier.fingerprint() == asked.fingerprint() and classifier.name == "build"
    x = 0.1 * torch.randn(2, 1, 4000)
    assert torch.equal(classifier(x), asked(x)) and not classifier.training
    assert mondegreen.load_classifier(Path("mine/classifier.json")).differentiable


def test_somebody_elses_sheet_runs_nothing(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree("allowed")
    monkeypatch.delitem(sys.modules, "their_spotter")
    monkeypatch.setattr("mondegreen.classifiers.sources.python_code.import_file", never)
    with pytest.raises(MondegreenError, match=r"runs the Python code of their_spotter.py:build"):
        mondegreen.load_classifier("mine")
    monkeypatch.undo()
    monkeypatch.chdir(workplace)
    monkeypatch.setenv(VARIABLE, str(workplace / "allowed"))
    assert mondegreen.load_classifier("mine", allow_code=True).labels == WORDS
    assert not Path("allowed").exists()


def test_a_changed_file_is_refused(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mondegreen.classifiers.sources.python_code.import_file", never)
    with Path("their_spotter.py").open("a") as file:
        file.write("\nprint('more')\n")
    with pytest.raises(MondegreenError, match=r"their_spotter.py has changed since .*adopt it"):
        mondegreen.load_classifier("mine")
    # A sheet that was made to fit the changed file names something that nobody asked for.
    sheet = json.loads(Path("mine/classifier.json").read_text())
    import hashlib

    sheet["source"]["sha256"] = hashlib.sha256(Path("their_spotter.py").read_bytes()).hexdigest()
    Path("mine/classifier.json").write_text(json.dumps(sheet))
    with pytest.raises(MondegreenError, match="nobody has asked for on this machine"):
        mondegreen.load_classifier("mine")
    Path("their_spotter.py").unlink()
    with pytest.raises(MondegreenError, match=r"model their_spotter.py is gone"):
        mondegreen.load_classifier("mine")


def test_other_weights_are_refused(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["their_spotter"].torch, "manual_seed", lambda _: None)
    with pytest.raises(MondegreenError, match="its weights or its code have changed"):
        mondegreen.load_classifier("mine")


def test_files_start_nothing(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's config.json and an ensemble's list name the code itself, not a sheet."""
    for place in (PLACE, "https://example.invalid/listen"):
        write_json(workplace / "generator/config.json", {"classifier": place})
        with pytest.raises(MondegreenError, match=f"--classifier {place}"):
            classifier_folder(Path("generator"))
        config = EnsembleConfig((Member(Path(place), "a", "b"),) * 2)
        write_json(workplace / "both/ensemble.json", to_dict(config))
        with pytest.raises(MondegreenError, match="never start programs"):
            mondegreen.load_classifier("both")
    write_json(workplace / "generator/config.json", {"classifier": "mine"})
    assert classifier_folder(Path("generator")) == Path("mine")
    write_json(workplace / "generator/config.json", {"classifier": "gone"})
    with pytest.raises(MondegreenError, match="which is gone"):
        classifier_folder(Path("generator"))


def test_an_onnx_file_only_computes_and_may_move(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    as_onnx(workplace / "raw.onnx")
    opened = open_source("raw.onnx", LABELS, ModelOptions(RATE, SAMPLES))
    save_sheet(workplace / "graph", opened)
    shutil.move("raw.onnx", "graph/raw.onnx")
    shutil.rmtree("allowed")  # no note is needed
    monkeypatch.chdir("graph")
    again = mondegreen.load_classifier(workplace / "graph")
    assert again.fingerprint() == opened.classifier.fingerprint() and not again.differentiable


def test_a_service_is_not_asked_unseen(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as server:
        save_sheet(workplace / "there", open_source(server.url))
        asked = len(server.seen)
        assert mondegreen.load_classifier("there").labels == LABELS
        assert len(server.seen) == asked + 1  # what it is, and nothing more
        shutil.rmtree("allowed")
        with pytest.raises(MondegreenError, match="sends clips to http://"):
            mondegreen.load_classifier("there")
        assert len(server.seen) == asked + 1


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("labels", 7, "labels: expected a list"),
        ("contract", {"layout": "sideways"}, "sideways"),
        ("surprise", 1, "unknown field 'surprise'"),
        ("source", {"place": PLACE, "kind": "onnx", "sha256": None, "bytes": None}, "no source of"),
    ],
)
def test_damaged_sheets_are_named(workplace: Path, key: str, value: object, message: str) -> None:
    sheet = json.loads(Path("mine/classifier.json").read_text())
    Path("mine/classifier.json").write_text(json.dumps(sheet | {key: value}))
    with pytest.raises(MondegreenError, match=message):
        mondegreen.load_classifier("mine")
