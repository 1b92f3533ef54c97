"""Models of every family, loaded and compared with Transformers' own way from clip to logits."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mondegreen.classifiers.huggingface import HuggingFaceClassifier, from_huggingface
from mondegreen.classifiers.huggingface.model import HuggingFaceModule
from mondegreen.classifiers.huggingface.parity import trial_clips

transformers = pytest.importorskip("transformers")

Save = Callable[..., Path]

FAMILIES = (
    "Wav2Vec2",
    "Hubert",
    "WavLM",
    "UniSpeech",
    "UniSpeechSat",
    "Wav2Vec2Bert",
    "Wav2Vec2Conformer",
    "Data2VecAudio",
    "SEW",
    "SEWD",
    "AST",
    "Whisper",
)
SAMPLES = 3_000


def by_transformers(folder: Path, clips: Tensor) -> Tensor:
    """Logits as Transformers computes them, its own classes found by its own means."""
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    model = transformers.AutoModelForAudioClassification.from_pretrained(folder).eval()
    rate = extractor.sampling_rate
    given = extractor(list(clips[:, 0].numpy()), sampling_rate=rate, return_tensors="pt")
    with torch.no_grad():
        logits: Tensor = model(**given).logits
    return logits


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_transformers(family: str, save_model: Save) -> None:
    folder = save_model(family)
    classifier = from_huggingface(folder, clip_samples=SAMPLES)
    x = trial_clips(SAMPLES, 16_000)
    expected = by_transformers(folder, x)
    assert float(expected.std(dim=0).max()) > 1e-4  # the clips are told apart
    torch.testing.assert_close(classifier(x), expected, rtol=1e-3, atol=1e-4)
    assert classifier.parity.features < 1e-3
    assert classifier.labels == ("yes", "no", "up")
    assert (classifier.sample_rate, classifier.name) == (16_000, family.lower())
    assert not classifier.training
    assert not any(weight.requires_grad for weight in classifier.parameters())


@pytest.mark.parametrize("family", ["Wav2Vec2", "Wav2Vec2Bert", "AST", "Whisper"])
def test_gradients_reach_the_waveform(family: str, save_model: Save) -> None:
    classifier = from_huggingface(save_model(family), clip_samples=SAMPLES).double()
    x = trial_clips(SAMPLES, 16_000)[:1].double().requires_grad_(True)
    (gradient,) = torch.autograd.grad(classifier(x)[0, 0], x)
    step = 1e-6 * gradient / gradient.norm()
    with torch.no_grad():
        rise = classifier(x + step)[0, 0] - classifier(x - step)[0, 0]
    assert float(rise) == pytest.approx(2e-6 * float(gradient.norm()), rel=1e-3)


def test_an_all_ones_mask_of_the_original_changes_nothing(save_model: Save) -> None:
    folder = save_model("Wav2Vec2", {"return_attention_mask": True}, feat_extract_norm="layer")
    x = trial_clips(SAMPLES, 16_000)
    logits = from_huggingface(folder, clip_samples=SAMPLES)(x)
    torch.testing.assert_close(logits, by_transformers(folder, x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("samples", [3_100, 3_200])  # 17 frames and 18: half a stack is masked
def test_half_a_stack_of_frames_is_left_out(samples: int, save_model: Save) -> None:
    folder = save_model("Wav2Vec2Bert")
    x = trial_clips(samples, 16_000)
    logits = from_huggingface(folder, clip_samples=samples)(x)
    torch.testing.assert_close(logits, by_transformers(folder, x), rtol=1e-3, atol=1e-4)


def attention_of(classifier: HuggingFaceClassifier) -> str:
    module = classifier.module
    assert isinstance(module, HuggingFaceModule)
    config: Any = module.model.config
    return str(config._attn_implementation)


def test_attention_is_the_fused_one_where_there_is_one(save_model: Save) -> None:
    assert attention_of(from_huggingface(save_model("AST"))) == "sdpa"


def test_an_attention_named_by_the_files_is_not_fetched(save_model: Save) -> None:
    folder = save_model()
    _change(folder / "config.json", attn_implementation="someone/attention")
    _change(folder / "config.json", _attn_implementation="someone/attention")
    assert attention_of(from_huggingface(folder, clip_samples=SAMPLES)) == "sdpa"


@pytest.mark.parametrize(
    ("family", "options", "changes", "samples"),
    [
        ("Wav2Vec2", {"sampling_rate": 8_000}, {}, 8_000),
        ("AST", {"max_length": 98}, {"max_length": 98}, 16_000),
        ("AST", {"max_length": 40}, {}, 6_799),  # one more is a frame that is cut off
        ("Whisper", {}, {}, 16_000),
    ],
)
def test_clips_are_a_second_or_what_the_extractor_hears(
    family: str,
    options: dict[str, int],
    changes: dict[str, int],
    samples: int,
    save_model: Save,
) -> None:
    folder = save_model(family, options, **changes)
    assert from_huggingface(folder).clip_samples == samples


def test_labels_can_be_given(save_model: Save) -> None:
    folder = save_model(id2label={0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"})
    classifier = from_huggingface(folder, clip_samples=SAMPLES, labels=["a", "b", "c"])
    assert classifier.labels == ("a", "b", "c")


def test_several_labels_at_once_are_told(save_model: Save) -> None:
    folder = save_model("AST", problem_type="multi_label_classification")
    assert from_huggingface(folder).problem_type == "multi_label_classification"
    assert from_huggingface(save_model()).problem_type == "single_label_classification"


def test_fingerprint_follows_weights_settings_labels_and_clip(save_model: Save) -> None:
    folder = save_model()

    def now(samples: int = SAMPLES) -> str:
        return from_huggingface(folder, clip_samples=samples).fingerprint()

    first = now()
    assert now() == first
    _change(folder / "config.json", transformers_version="5.99.0")
    assert now() == first
    assert now(SAMPLES + 1) != first
    _change(folder / "config.json", layer_norm_eps=1e-3)
    second = now()
    assert second != first
    _change(folder / "preprocessor_config.json", do_normalize=False)
    third = now()
    assert third != second
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] += 0.5
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert now() != third


def test_weights_of_trainings_only_may_be_missing(save_model: Save) -> None:
    folder = save_model()
    weights = load_file(folder / "model.safetensors")
    del weights["wav2vec2.masked_spec_embed"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    once, again = (from_huggingface(folder, clip_samples=SAMPLES) for _ in range(2))
    assert once.fingerprint() == again.fingerprint()


def test_half_precision_is_loaded_as_float32(save_model: Save) -> None:
    folder = save_model(dtype="bfloat16")
    weights = {
        name: weight.bfloat16() for name, weight in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    classifier = from_huggingface(folder, clip_samples=SAMPLES)
    assert {weight.dtype for weight in classifier.parameters()} == {torch.float32}
    assert len(classifier.fingerprint()) == 16


def test_a_model_of_the_hub_is_found_in_the_cache(
    save_model: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "cache" / "models--someone--spotter"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.parent.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    save_model().rename(snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    classifier = from_huggingface("hf:someone/spotter", clip_samples=SAMPLES, offline=True)
    assert classifier.name == "spotter"


@pytest.mark.filterwarnings("ignore:At least one mel filter")  # of the original, when it is saved
def test_loading_says_nothing(save_model: Save, capfd: pytest.CaptureFixture[str]) -> None:
    folder = save_model("AST", {"num_mel_bins": 128}, num_mel_bins=128)  # some of them are empty
    capfd.readouterr()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        from_huggingface(folder)
    assert not said
    assert capfd.readouterr() == ("", "")
    assert transformers.utils.logging.is_progress_bar_enabled()


def test_transformers_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, mondegreen.cli.main, mondegreen.classifiers.huggingface; "
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _change(path: Path, **entries: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | entries), encoding="utf-8")
