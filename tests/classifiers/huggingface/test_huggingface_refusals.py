"""What is refused, and whether the message says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mondegreen.classifiers.huggingface import from_huggingface
from mondegreen.classifiers.huggingface.kaldi_fbank import KaldiFbank
from mondegreen.classifiers.huggingface.model import HuggingFaceModule
from mondegreen.classifiers.huggingface.parity import check_parity, trial_clips
from mondegreen.errors import MissingExtraError, MondegreenError

Save = Callable[..., Path]

SAMPLES = 3_000


def load(folder: Path | str, **options: Any) -> None:
    from_huggingface(folder, **({"clip_samples": SAMPLES} | options))


def change(path: Path, **entries: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | entries), encoding="utf-8")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"feature_extractor_type": "ClapFeatureExtractor"}, "'ClapFeatureExtractor'.*these in"),
        ({"feature_extractor_type": None}, "feature_extractor_type is None"),
        ({"feature_extractor_type": ["a"]}, "feature_extractor_type is"),
        ({"auto_map": {"AutoFeatureExtractor": "code.Mine"}}, "option 'auto_map'"),
        ({"do_resample": True}, "option 'do_resample'"),
        ({"dither": 0.1}, "option 'dither'"),
        ({"feature_size": 2}, "one channel"),
        ({"sampling_rate": "fast"}, "sampling_rate"),
        ({"sampling_rate": -1}, "sampling_rate"),
    ],
)
def test_an_extractor_that_is_not_understood(
    entries: dict[str, object], message: str, save_model: Save
) -> None:
    folder = save_model()
    change(folder / "preprocessor_config.json", **entries)
    with pytest.raises(MondegreenError, match=message) as error:
        load(folder)
    assert "preprocessor_config.json" in str(error.value)


@pytest.mark.parametrize(
    ("family", "entries", "message"),
    [
        ("Whisper", {"dither": 0.1}, "dither is 0.1: noise at random"),
        ("Whisper", {"padding_side": "left"}, "padding_side"),
        ("Whisper", {"hop_length": 0}, "make no spectrum|integer|zero"),
        ("AST", {"num_mel_bins": 0}, "make no filter bank"),
        ("AST", {"std": 0.0}, "std is 0.0"),
        ("AST", {"mean": "low"}, "mean"),
        # A model for other features than its extractor makes:
        ("AST", {"max_length": 60}, "cannot pass its extractor"),
        ("Whisper", {"feature_size": 16}, "cannot pass its extractor"),
        ("Whisper", {"chunk_length": 2}, "cannot pass its extractor"),
    ],
)
def test_options_that_make_no_features(
    family: str, entries: dict[str, object], message: str, save_model: Save
) -> None:
    folder = save_model(family)
    change(folder / "preprocessor_config.json", **entries)
    with pytest.raises(MondegreenError, match=message):
        load(folder)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"architectures": ["Wav2Vec2ForCTC"]}, "head for audio classification"),
        ({"architectures": None}, "head for audio classification"),
        ({"architectures": 3}, "head for audio classification"),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}, "placeholders"),
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "distinct"),
        ({"problem_type": "regression"}, "problem_type is 'regression'"),
        ({"hidden_size": 20}, "cannot be loaded"),
        ({"hidden_size": "wide"}, "cannot be loaded"),
    ],
)
def test_a_configuration_that_is_no_classifier(
    entries: dict[str, object], message: str, save_model: Save
) -> None:
    folder = save_model()
    change(folder / "config.json", **entries)
    with pytest.raises(MondegreenError, match=message):
        load(folder)


def test_files_that_are_missing(save_model: Save, tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match=r"no config\.json.*hf:OWNER/NAME"):
        load(tmp_path)
    folder = save_model()
    (folder / "model.safetensors").rename(tmp_path / "model.safetensors")
    with pytest.raises(MondegreenError, match="weights are missing"):
        load(folder)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(MondegreenError, match=r"extractor\.save_pretrained"):
        load(folder)


def test_pickled_weights(save_model: Save) -> None:
    folder = save_model()
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    load(folder)  # there are safetensors as well
    (folder / "model.safetensors").unlink()
    with pytest.raises(MondegreenError, match=r"pickle.*model\.save_pretrained"):
        load(folder)


def test_damaged_weights(save_model: Save) -> None:
    folder = save_model()
    file = folder / "model.safetensors"
    whole = load_file(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(MondegreenError, match="cannot be loaded"):
        load(folder)
    save_file(whole | {"projector.bias": whole["projector.bias"] / 0.0}, file, {"format": "pt"})
    with pytest.raises(MondegreenError, match=r"projector\.bias' hold NaN"):
        load(folder)
    rest = {name: weight for name, weight in whole.items() if name != "classifier.weight"}
    save_file(rest, file, {"format": "pt"})
    with pytest.raises(MondegreenError, match=r"classifier\.weight' are missing.*random"):
        load(folder)


@pytest.mark.parametrize(("family", "samples"), [("AST", 6_800), ("Whisper", 16_001), ("AST", 0)])
def test_clips_that_would_be_cut(family: str, samples: int, save_model: Save) -> None:
    with pytest.raises(MondegreenError, match=f"clip_samples is {samples}"):
        load(save_model(family), clip_samples=samples)


def test_clips_that_are_too_short(save_model: Save) -> None:
    for family in ("AST", "Wav2Vec2"):
        with pytest.raises(MondegreenError, match="clips of 8 samples"):
            load(save_model(family), clip_samples=8)


def test_arguments_that_do_not_fit(save_model: Save) -> None:
    folder = save_model()
    with pytest.raises(MondegreenError, match="2 labels were given"):
        load(folder, labels=("a", "b"))
    with pytest.raises(MondegreenError, match=r"clips are \(1, 5\)"):
        load(folder, clips=torch.zeros(1, 5))
    with pytest.raises(MondegreenError, match="has no revision"):
        load(folder, revision="main")


@pytest.mark.parametrize("name", ["hf:someone/nothing", "hf:", "hf:../../etc"])
def test_a_hub_name_that_is_not_in_the_cache(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MondegreenError, match="cannot be had in the cache"):
        load(name, offline=True)


def test_without_transformers(save_model: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_model()
    monkeypatch.setitem(__import__("sys").modules, "transformers.utils", None)
    with pytest.raises(MissingExtraError, match=r"mondegreen\[hf\]"):
        load(folder)


def test_features_that_differ_from_the_original(
    save_model: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_model("AST")
    correct = KaldiFbank.forward
    monkeypatch.setattr(KaldiFbank, "forward", lambda self, x: 1.01 * correct(self, x))
    with pytest.raises(MondegreenError, match=r"features differ.*not loaded"):
        load(folder)


def test_logits_that_differ_from_the_original(save_model: Save) -> None:
    module = from_huggingface(save_model(), clip_samples=SAMPLES).module
    assert isinstance(module, HuggingFaceModule)
    extractor, x = module.extractor, trial_clips(SAMPLES, 16_000)

    def model(input_values: torch.Tensor, mask: torch.Tensor | None = None) -> Any:
        answer = module.model(input_values)
        if mask is not None:  # of the original only: what a mask of padding would do
            answer.logits += 0.5
        return answer

    def original(clips: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"input_values": extractor(clips[:, None]), "mask": torch.ones(len(clips))}

    with pytest.raises(MondegreenError, match=r"logits differ.*not loaded"):
        check_parity(extractor, original, model, x)
