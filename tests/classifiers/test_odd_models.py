"""Models that do what models should not: write into their input, hide what they keep."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.classifiers.strangers.raw import LABELS, RATE, SAMPLES, Raw, as_onnx
from torch import Tensor, nn

import mondegreen
from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import SNR
from mondegreen.classifiers.adopted import Adopted
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.consent import VARIABLE
from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sheet import save_sheet
from mondegreen.classifiers.sources import open_source
from mondegreen.errors import MondegreenError
from mondegreen.metrics.snr import snr_db


def adopted(module: Callable[..., Any], **options: Any) -> Classifier:
    given = {"labels": LABELS, "sample_rate": RATE, "clip_samples": SAMPLES, **options}
    return Classifier.from_module(module, **given)


def sounds(count: int = 2) -> Tensor:
    return 0.2 * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(1))


def found(classifier: Classifier) -> dict[str, str]:
    assert isinstance(classifier.module, Adopted)
    return {one.what: one.found for one in classifier.module.findings}


class Louder(Raw):
    """Takes the mean away and amplifies, in place."""

    def forward(self, audio: Tensor) -> Tensor:
        audio -= audio.mean(dim=-1, keepdim=True)
        audio *= 4.0
        return super().forward(audio)


def test_a_model_that_writes_into_its_input_spoils_no_clip() -> None:
    classifier = adopted(Louder(), layout="batch-1-time")
    assert classifier.differentiable
    x = sounds()
    before = x.clone()
    expected = Louder()(x.clone())
    assert torch.allclose(classifier(x), expected) and torch.equal(x, before)
    attacked = ProjectedGradient(steps=2)(classifier, x, torch.tensor([0, 1]), budget=SNR(20.0))
    assert bool((snr_db(attacked.x, attacked.x_adv) >= 20.0 - 1e-3).all())


def test_an_own_module_that_writes_into_its_input_is_told() -> None:
    classifier = Classifier(
        Louder(), labels=LABELS, sample_rate=RATE, clip_samples=SAMPLES, name="louder"
    )
    with pytest.raises(MondegreenError, match="changes its input in place"):
        classifier(sounds())


class Counting(Raw):
    """Counts its calls, and makes a buffer at the first one."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def forward(self, audio: Tensor) -> Tensor:
        self.calls += 1
        if not hasattr(self, "gain"):
            self.register_buffer("gain", torch.ones(1), persistent=False)
        return super().forward(audio)


def test_buffers_that_change_are_no_part_of_the_fingerprint() -> None:
    classifier = adopted(Counting())
    assert "calls" in found(classifier)["changes while it answers"]
    before = classifier.fingerprint()
    classifier(sounds())
    assert classifier.fingerprint() == before
    assert adopted(Raw()).fingerprint() != before
    assert "changes while it answers" not in found(adopted(Raw()))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent)])
    monkeypatch.setenv(VARIABLE, str(tmp_path / "allowed"))
    np.save("weights.npy", np.eye(3))
    Path("odd_models.py").write_text(
        "import numpy as np, torch\n"
        "from tests.classifiers.strangers.raw import Raw\n"
        "from tests.classifiers.test_odd_models import Counting\n"
        "class Hidden:\n"
        "    def __init__(self): self.nets = {'one': [Raw()]}\n"
        "    def __call__(self, x): return self.nets['one'][0](x)\n"
        "class Mixed:\n"
        "    def __init__(self): self.weights, self.net = np.load('weights.npy'), Raw()\n"
        "    def __call__(self, x): return self.net(x) @ torch.tensor(self.weights).float()\n"
    )
    return tmp_path


def of_sheet(name: str) -> Classifier:
    return mondegreen.load_classifier(name)


def save(name: str) -> None:
    save_sheet(
        Path(name),
        open_source(f"odd_models.py:{name}", LABELS, ModelOptions(RATE, SAMPLES)),
    )


def test_a_model_that_counts_is_loaded_again(workplace: Path) -> None:
    save("Counting")
    for _ in range(2):
        classifier = of_sheet("Counting")
        classifier(sounds())
    assert classifier.fingerprint() == of_sheet("Counting").fingerprint()


def test_a_module_in_a_list_is_found(workplace: Path) -> None:
    save("Hidden")
    model = of_sheet("Hidden")
    assert sum(parameter.numel() for parameter in model.parameters()) == sum(
        parameter.numel() for parameter in Raw().parameters()
    )


def test_weights_that_nobody_sees_are_missed(workplace: Path) -> None:
    save("Mixed")
    of_sheet("Mixed")
    np.save("weights.npy", np.eye(3)[[1, 2, 0]])
    with pytest.raises(MondegreenError, match="answers otherwise than when it was adopted"):
        of_sheet("Mixed")


def test_answers_of_several_lengths_are_a_damage(workplace: Path) -> None:
    save("Counting")
    path = Path("Counting/classifier.json")
    sheet = json.loads(path.read_text())
    assert len(sheet["answers"]) == 3
    path.write_text(json.dumps(sheet | {"answers": [[1.0], [1.0, 2.0]]}))
    with pytest.raises(MondegreenError, match="answers: expected rows of one length"):
        of_sheet("Counting")


class Whole(nn.Module):
    """Takes 16-bit samples, as whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.raw = Raw()

    def forward(self, audio: Tensor) -> Tensor:
        answer: Tensor = self.raw(audio.float() / 32768.0)
        return answer


def test_an_onnx_file_of_whole_numbers_gets_them(tmp_path: Path) -> None:
    as_onnx(tmp_path / "whole.onnx", network=Whole(), kind=torch.int16)
    opened = open_source(tmp_path / "whole.onnx", LABELS, ModelOptions(RATE))
    assert found(opened.classifier)["scaling"] == "int16"
    x = (sounds() * 32768.0).round() / 32768.0
    assert torch.allclose(opened.classifier(x), Raw()(x), atol=1e-3)


def test_a_model_that_hears_nothing_is_warned_of() -> None:
    deaf = adopted(lambda x: torch.zeros(len(x), 3) + torch.tensor([1.0, 2.0, 3.0]))
    assert "alike" in found(deaf)["different clips"]
    assert "different clips" not in found(adopted(Raw()))


def test_keys_that_are_no_texts() -> None:
    raw = Raw()
    assert found(adopted(lambda x: {0: raw(x)}))["field of the answer"] == "0"


def test_two_fields_that_fit_and_differ() -> None:
    raw = Raw()
    with pytest.raises(MondegreenError, match=r"fields 0 and 1 .* --field"):
        adopted(lambda x: (raw(x).roll(1, 1), raw(x)), layout="batch-1-time")
    assert found(adopted(lambda x: (raw(x), raw(x) / 2)))["field of the answer"] == "0"
    named = adopted(lambda x: {"other": raw(x).roll(1, 1), "logits": raw(x)})
    assert found(named)["field of the answer"] == "logits"


def test_layers_without_a_size_are_told() -> None:
    with pytest.raises(MondegreenError, match="call it once"):
        adopted(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)))


@pytest.mark.parametrize("rate", [np.int64(RATE), float(RATE), 10**400, "a rate of its own"])
def test_attributes_by_the_same_name(workplace: Path, rate: Any) -> None:
    model = Raw()
    model.labels, model.sample_rate = 3, rate  # type: ignore[assignment]
    module = sys.modules.setdefault("odd_attributes", type(sys)("odd_attributes"))
    module.model = model  # type: ignore[attr-defined]
    opened = open_source("odd_attributes:model", LABELS, ModelOptions(RATE, SAMPLES))
    assert opened.classifier.labels == LABELS
    del sys.modules["odd_attributes"]


def test_sounds_of_another_shape_are_told() -> None:
    with pytest.raises(MondegreenError, match=r"\(clips, 1, time\)"):
        adopted(Raw(), sounds=sounds()[:, 0])
