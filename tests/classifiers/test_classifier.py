from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig, predict
from mondegreen.classifiers.features import PaperMFCCConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.places import find_checkpoint
from mondegreen.classifiers.wide_resnet import WideResNetConfig
from mondegreen.errors import MondegreenError

TEN = tuple("abcdefghij")
JSON, WEIGHTS = "classifier.json", "classifier.safetensors"


def test_the_papers_classifier_has_the_papers_size() -> None:
    config = ClassifierConfig(
        labels=TEN, front_end=PaperMFCCConfig(), backbone=WideResNetConfig(), normalization="paper"
    )
    with torch.device("meta"):
        classifier = Classifier.from_config(config)
    assert classifier.parameter_count() == 36_478_906
    assert classifier.name == config.name == "wide-resnet-28-10"


def test_logits_come_from_waveforms_and_gradients_reach_them(small: Classifier) -> None:
    x = (0.1 * torch.randn(2, 1, 1024)).requires_grad_()
    logits = small.freeze()(x)
    assert logits.shape == (2, 3)
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), x)
    assert (gradient != 0).all()
    assert not any(parameter.requires_grad for parameter in small.parameters())
    assert not small.training


def test_wide_resnet_on_mfcc_runs_end_to_end() -> None:
    config = ClassifierConfig(
        labels=TEN, front_end=PaperMFCCConfig(), backbone=WideResNetConfig(depth=10, width=1)
    )
    assert Classifier.from_config(config).eval()(torch.zeros(1, 1, 16_384)).shape == (1, 10)


def test_probabilities_are_those_of_one_pass(small: Classifier) -> None:
    x = 0.1 * torch.randn(7, 1, 1024)
    found = predict(small, x, batch_size=3)
    assert not found.requires_grad
    torch.testing.assert_close(found, torch.softmax(small(x).detach(), dim=1))


@pytest.mark.parametrize("shape", [(1024,), (1, 1024), (2, 1, 1023), (2, 2, 1024), (1, 1, 1, 1024)])
def test_other_shapes_are_refused(small: Classifier, shape: tuple[int, ...]) -> None:
    with pytest.raises(MondegreenError, match=r"\(batch, 1, 1024\)") as error:
        small(torch.zeros(shape))
    assert str(shape) in str(error.value)


def test_labels_are_looked_up(small: Classifier) -> None:
    assert [small.label_index(label) for label in small.labels] == [0, 1, 2]
    with pytest.raises(MondegreenError, match=r"'loud'.*high, low, middle"):
        small.label_index("loud")


@pytest.mark.parametrize("labels", [(), ("one",), ("one", "two", "one")])
def test_one_label_or_repeated_labels_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(MondegreenError, match="distinct labels"):
        Classifier(torch.nn.Identity(), labels=labels, sample_rate=1, clip_samples=1, name="x")


def test_front_ends_fit_their_backbones(small_config: ClassifierConfig) -> None:
    with pytest.raises(MondegreenError, match="log-mel front end"):
        Classifier.from_config(replace(small_config, front_end=PaperMFCCConfig()))
    with pytest.raises(MondegreenError, match="paper-mfcc front end"):
        Classifier.from_config(replace(small_config, backbone=WideResNetConfig()))
    with pytest.raises(MondegreenError, match="clip_samples 0"):
        replace(small_config, clip_samples=0)


@pytest.mark.parametrize("where", ["folder", "file", "best", "latest"])
def test_saved_and_loaded_it_is_the_same(
    where: str, small: Classifier, small_config: ClassifierConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoints" / where if where in ("best", "latest") else tmp_path
    save_classifier(folder, small, small_config)
    loaded = load_classifier(tmp_path / JSON if where == "file" else tmp_path)
    x = 0.1 * torch.randn(3, 1, 1024)
    assert torch.equal(loaded(x), small(x))
    assert loaded.fingerprint() == small.fingerprint()
    assert json.loads((folder / JSON).read_text())["fingerprint"] == small.fingerprint()
    for name in ("labels", "sample_rate", "clip_samples", "name", "normalization"):
        assert getattr(loaded, name) == getattr(small, name)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_the_fingerprint_depends_on_every_tensor_and_on_the_labels(small: Classifier) -> None:
    before = small.fingerprint()
    assert len(before) == 16 and int(before, 16) >= 0
    for tensor in small.state_dict().values():
        flat = tensor.view(-1)
        kept = flat[-1].clone()
        flat[-1] = kept + 1 if tensor.dtype == torch.int64 else torch.nextafter(kept, kept + 1)
        assert small.fingerprint() != before
        flat[-1] = kept
    assert small.fingerprint() == before
    small.labels = ("low", "high", "middle")
    assert small.fingerprint() != before


def test_an_empty_folder_has_no_classifier(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match=r"no trained classifier.*Train one first"):
        load_classifier(tmp_path)
    with pytest.raises(MondegreenError, match="no trained generator"):
        find_checkpoint(tmp_path / "absent", "generator.json")
