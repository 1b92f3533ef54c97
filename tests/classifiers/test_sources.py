"""Models by name: Python, TorchScript, torch.export and ONNX files, and kinds that others add."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.classifiers.strangers.raw import LABELS, RATE, SAMPLES, Raw, as_onnx, exported, scripted
from torch import Tensor, nn

import mondegreen
from mondegreen.classifiers.adopted import Adopted
from mondegreen.classifiers.contract import Contract, ModelOptions
from mondegreen.classifiers.sources import Model, Source, is_source, open_source
from mondegreen.errors import MondegreenError

HERE = Path(__file__).parent / "strangers"
FACTS: dict[str, Any] = {"labels": list(LABELS), "sample_rate": RATE}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a stranger's Python file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(HERE / "spotter.py", tmp_path / "their_spotter.py")
    return tmp_path


def load(place: str | Path, **options: Any) -> mondegreen.Classifier:
    told = {"labels": LABELS, "sample_rate": RATE, "clip_samples": SAMPLES}
    return mondegreen.load_classifier(place, **{**told, **options})


def contract(classifier: mondegreen.Classifier) -> Contract:
    assert isinstance(classifier.module, Adopted)
    return classifier.module.config.contract


def clips() -> Tensor:
    return 0.2 * torch.randn(5, 1, SAMPLES, generator=torch.Generator().manual_seed(2))


def test_a_python_file(workplace: Path) -> None:
    words = ("stop", "go", "yes")
    told = {"labels": words, "sample_rate": 8000, "clip_samples": 4000}
    classifier = load("their_spotter.py:build", **told)
    assert classifier.name == "build" and classifier.differentiable
    assert contract(classifier).output == "probabilities"
    # What a model says of itself need not be said again.
    described = mondegreen.load_classifier(workplace / "their_spotter.py:Described")
    assert (described.labels, described.sample_rate, described.clip_samples) == (words, 8000, 4000)
    inside = load("their_spotter:build", **told)  # as a module, found in this folder
    assert inside.fingerprint() == classifier.fingerprint()


def test_mistakes_in_a_python_file_are_named(workplace: Path) -> None:
    with pytest.raises(MondegreenError, match=r"their_spotter.py:build"):
        load("their_spotter.py")
    with pytest.raises(MondegreenError, match="no 'absent'"):
        load("their_spotter.py:absent")
    with pytest.raises(MondegreenError, match=r"nowhere.py does not exist"):
        load("nowhere.py:build")
    Path("failing_of_a_user.py").write_text("def build():\n    return missing_name\n")
    with pytest.raises(MondegreenError, match=r"failing_of_a_user.py, line 2: NameError"):
        load("failing_of_a_user.py:build")
    Path("number_of_a_user.py").write_text("build = 7\n")
    with pytest.raises(MondegreenError, match="a int is no model"):
        load("number_of_a_user.py:build")
    with pytest.raises(MondegreenError, match=r"their_spotter.py:build: .*--labels"):
        mondegreen.load_classifier("their_spotter.py:build")


def test_two_files_of_one_name_are_two_models(workplace: Path) -> None:
    for number in ("1", "2"):
        Path(number).mkdir()
        Path(number, "model_of_a_user.py").write_text(
            f"import torch\n\n@torch.no_grad()\ndef hear(x):\n"
            f"    assert x.dim() == 3\n    m = x.mean(2)\n"
            f"    return torch.cat([m, {number} * m - 9, m - 5], 1)\n"
        )
    one, two = (load(f"{n}/model_of_a_user.py:hear", layout="batch-1-time") for n in "12")
    assert not torch.equal(one(clips()), two(clips()))
    assert one.fingerprint() != two.fingerprint()


def test_torchscript(workplace: Path) -> None:
    scripted(workplace / "raw.pt")
    classifier = load("raw.pt")
    torch.testing.assert_close(classifier(clips()), Raw()(clips()))
    assert classifier.differentiable and classifier.name == "raw"
    torch.save(Raw().state_dict(), "weights.pt")
    with pytest.raises(MondegreenError, match="weights alone is no model: give a Python file"):
        load("weights.pt")


@pytest.mark.skipif(torch.__version__.startswith("2.6"), reason="PyTorch 2.6 does not write it")
def test_an_exported_program(workplace: Path) -> None:
    exported(workplace / "raw.pt2", facts=FACTS)
    classifier = mondegreen.load_classifier("raw.pt2")
    assert (classifier.labels, classifier.clip_samples) == (LABELS, SAMPLES)
    torch.testing.assert_close(classifier(clips()), Raw()(clips()))
    classifier.train()  # a recorded graph stays as it was recorded
    assert classifier.differentiable and isinstance(classifier.module, Adopted)
    assert not classifier.module.model.training
    exported(workplace / "two.pt2", batch=2)  # recorded for two clips, and for no other number
    two = load("two.pt2")
    assert contract(two).batch == 2
    torch.testing.assert_close(two(clips()), Raw()(clips()))
    Path("broken.pt2").write_bytes(b"PK no archive")
    with pytest.raises(MondegreenError, match=r"broken.pt2 is no file of torch.export"):
        load("broken.pt2")


def test_an_onnx_file(workplace: Path) -> None:
    pytest.importorskip("onnxruntime")
    as_onnx(workplace / "raw.onnx", facts={"labels": ", ".join(LABELS), "sample_rate": str(RATE)})
    classifier = mondegreen.load_classifier("raw.onnx")
    assert (classifier.labels, classifier.clip_samples) == (LABELS, SAMPLES)
    torch.testing.assert_close(classifier(clips()), Raw()(clips()), rtol=1e-4, atol=1e-4)
    assert not classifier.differentiable
    as_onnx(workplace / "one.onnx", batch=1)
    one = load("one.onnx")
    assert contract(one).batch == 1 and one.fingerprint() != classifier.fingerprint()
    torch.testing.assert_close(one(clips()), classifier(clips()), rtol=1e-4, atol=1e-4)
    Path("broken.onnx").write_bytes(b"none")
    with pytest.raises(MondegreenError, match=r"broken.onnx is not a readable ONNX file"):
        load("broken.onnx")
    with pytest.raises(MondegreenError, match=r"absent.onnx does not exist"):
        load("absent.onnx")


class Elsewhere(Source):
    """A kind of source that another package brings."""

    kind = "elsewhere"

    def model(self, options: ModelOptions) -> Model:
        """Return the tone spotter, whatever the text."""
        return Model(Raw(), self.text, LABELS, ModelOptions(RATE, SAMPLES))


def test_other_packages_add_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("elsewhere", f"{__name__}:Elsewhere", "mondegreen.classifiers")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])

    def points(*, group: str, name: str) -> list[EntryPoint]:
        return [point] if (group, name) == ("mondegreen.classifiers", "elsewhere") else []

    monkeypatch.setattr("mondegreen.classifiers.sources.opening.entry_points", points)
    opened = open_source("elsewhere:shelf/3")
    assert opened.classifier.name == "shelf/3" and opened.source.kind == "elsewhere"
    assert isinstance(opened.classifier.module, nn.Module)


def test_folders_stay_folders(tmp_path: Path) -> None:
    places = ("runs/mine", str(tmp_path), "zoo:speech-commands", "zoo:none", "C:", "a.tflite")
    assert not any(map(is_source, places))
    # A path swallows one of the slashes.
    assert is_source(Path("https://example.org/listen?x=1"))
    with pytest.raises(MondegreenError, match="holds no trained classifier"):
        mondegreen.load_classifier(tmp_path)
