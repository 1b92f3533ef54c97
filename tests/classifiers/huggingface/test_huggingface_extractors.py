"""The extractors in PyTorch against those of Transformers, which compute in NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mondegreen.audio import fit_length, read_mono
from mondegreen.classifiers.huggingface.extractors import PORTS, build_port
from mondegreen.classifiers.huggingface.parity import FEATURE_TOLERANCE, trial_clips

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter has all zero values")

CASES: list[tuple[str, int, dict[str, Any]]] = [
    ("Wav2Vec2FeatureExtractor", 16_000, {}),
    ("Wav2Vec2FeatureExtractor", 401, {"return_attention_mask": True}),
    ("Wav2Vec2FeatureExtractor", 8_000, {"do_normalize": False, "sampling_rate": 8_000}),
    ("ASTFeatureExtractor", 16_000, {}),
    ("ASTFeatureExtractor", 400, {"num_mel_bins": 40, "max_length": 1}),
    ("ASTFeatureExtractor", 9_999, {"max_length": 30, "mean": -1.0, "std": 2.0}),
    ("ASTFeatureExtractor", 4_000, {"do_normalize": False, "max_length": 64}),
    ("ASTFeatureExtractor", 8_000, {"sampling_rate": 8_000, "num_mel_bins": 24, "max_length": 9}),
    ("SeamlessM4TFeatureExtractor", 16_000, {}),
    ("SeamlessM4TFeatureExtractor", 9_999, {"num_mel_bins": 40, "sampling_rate": 8_000}),
    ("SeamlessM4TFeatureExtractor", 1_600, {"stride": 4, "num_mel_bins": 24}),
    ("WhisperFeatureExtractor", 16_000, {}),
    ("WhisperFeatureExtractor", 16_000, {"chunk_length": 1, "feature_size": 128}),
    ("WhisperFeatureExtractor", 15_900, {"chunk_length": 1}),
    ("WhisperFeatureExtractor", 100, {"chunk_length": 1}),
    ("WhisperFeatureExtractor", 9_000, {"chunk_length": 2, "padding_value": 0.1}),
    (
        "WhisperFeatureExtractor",
        7_777,
        {"chunk_length": 2, "n_fft": 512, "hop_length": 150, "sampling_rate": 8_000},
    ),
]


def pair(kind: str, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    original = getattr(transformers, kind)(**options)
    return build_port(PORTS[kind], original, "here"), original


def features_of(original: Any, clips: Tensor) -> Tensor:
    rate = original.sampling_rate
    found = original(list(clips[:, 0].numpy()), sampling_rate=rate, return_tensors="np")
    return torch.from_numpy(np.asarray(found[original.model_input_names[0]]))


@pytest.mark.parametrize(
    ("kind", "samples", "options"), CASES, ids=[f"{k}-{n}-{len(o)}" for k, n, o in CASES]
)
def test_features_are_those_of_the_original(
    kind: str, samples: int, options: dict[str, Any]
) -> None:
    module, original = pair(kind, options)
    silence = torch.zeros(1, 1, samples)
    clips = torch.cat([trial_clips(samples, original.sampling_rate), silence])
    theirs, ours = features_of(original, clips), module(clips)
    assert ours.shape == theirs.shape
    assert float((ours - theirs).abs().max()) < 1e-3 * float(theirs.std())


@pytest.mark.parametrize("kind", PORTS)
def test_features_of_real_clips_are_those_of_the_original(kind: str, real_data: Path) -> None:
    options = {"chunk_length": 1} if kind == "WhisperFeatureExtractor" else {}
    module, original = pair(kind, options)
    files = sorted((real_data / "speech_commands").glob("*/*"))[::500]
    clips = torch.stack([fit_length(read_mono(file, 16_000), 16_000) for file in files])[:, None]
    theirs, ours = features_of(original, clips), module(clips)
    assert float((ours - theirs).abs().max()) < FEATURE_TOLERANCE * float(theirs.std())
    assert float((ours - theirs).square().mean().sqrt()) < 1e-4 * float(theirs.std())


@pytest.mark.parametrize("kind", PORTS)
def test_gradients_are_those_of_finite_differences(kind: str) -> None:
    options = {"ASTFeatureExtractor": {"max_length": 4}}.get(kind, {"sampling_rate": 1_000})
    if kind == "WhisperFeatureExtractor":
        options = {"chunk_length": 1, "n_fft": 40, "hop_length": 20, "feature_size": 8}
    module = pair(kind, options)[0].double()
    generator = torch.Generator().manual_seed(1)
    x = 0.1 * torch.randn(1, 1, 900, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        weights = torch.randn(module(x).shape, generator=generator, dtype=torch.float64)

    def total(y: Tensor) -> Tensor:
        features: Tensor = module(y)
        return (features * weights).sum()

    x.requires_grad_(True)
    (gradient,) = torch.autograd.grad(total(x), x)
    for _ in range(3):
        direction = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            measured = (total(x + 1e-7 * direction) - total(x - 1e-7 * direction)) / 2e-7
        assert float((gradient * direction).sum()) == pytest.approx(float(measured), rel=1e-4)


@pytest.mark.parametrize("kind", PORTS)
def test_silence_has_finite_gradients(kind: str) -> None:
    x = torch.zeros(1, 1, 1_000, requires_grad=True)
    (gradient,) = torch.autograd.grad(pair(kind, {})[0](x).sum(), x)
    assert torch.isfinite(gradient).all()
