"""Which feature extractors of Transformers there are in PyTorch, and what of them is understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from mondegreen.classifiers.huggingface.kaldi_fbank import KaldiFbank, KaldiFbankConfig
from mondegreen.classifiers.huggingface.kaldi_log_mel import FRAME, HOP
from mondegreen.classifiers.huggingface.normalized_waveform import (
    NormalizedWaveform,
    NormalizedWaveformConfig,
)
from mondegreen.classifiers.huggingface.stacked_fbank import StackedFbank, StackedFbankConfig
from mondegreen.classifiers.huggingface.whisper_mel import WhisperMel, WhisperMelConfig
from mondegreen.configs import from_dict
from mondegreen.errors import MondegreenError

# What changes nothing: names of classes, and padding, since clips are all of one length. Masks are
# of padding.
_WITHOUT_EFFECT = frozenset(
    {
        "feature_extractor_type",
        "processor_class",
        "tokenizer_class",
        "feature_size",
        "padding_side",
        "padding_value",
        "return_attention_mask",
        "sampling_rate",
    }
)


@dataclass(frozen=True)
class Port:
    """A feature extractor of Transformers in PyTorch."""

    module: type[nn.Module]
    """The module."""
    config: type[Any]
    """Its options, under the names that the original has for them."""
    derived: frozenset[str]
    """Entries of ``preprocessor_config.json`` that follow from others or are checked apart."""
    longest: Callable[[Any], int | None]
    """Samples that the original hears of a clip; None where it hears all."""


PORTS: Mapping[str, Port] = {
    "Wav2Vec2FeatureExtractor": Port(
        NormalizedWaveform, NormalizedWaveformConfig, frozenset(), lambda original: None
    ),
    "ASTFeatureExtractor": Port(
        KaldiFbank,
        KaldiFbankConfig,
        frozenset(),
        # One sample more would make one frame more, which is cut.
        lambda original: original.max_length * HOP + FRAME - 1,
    ),
    "SeamlessM4TFeatureExtractor": Port(
        StackedFbank, StackedFbankConfig, frozenset(), lambda original: None
    ),
    "WhisperFeatureExtractor": Port(
        WhisperMel,
        WhisperMelConfig,
        frozenset({"dither", "mel_filters", "n_samples", "nb_max_frames"}),
        lambda original: original.n_samples,
    ),
}


def port_of(written: Mapping[str, Any], where: str) -> Port:
    """Return the port of the extractor that a ``preprocessor_config.json`` describes.

    Args:
        written: The content of the file.
        where: The file, for error messages.

    Raises:
        MondegreenError: There is none, or the file has an option that is not understood.
    """
    kind = written.get("feature_extractor_type")
    port = PORTS.get(kind) if isinstance(kind, str) else None
    if port is None:
        raise MondegreenError(
            f"{where}: feature_extractor_type is {kind!r}. Gradients have to pass the extractor, "
            f"and there are these in PyTorch: {', '.join(PORTS)}."
        )
    known = {field.name for field in fields(port.config)} | port.derived | _WITHOUT_EFFECT
    unknown = sorted(set(written) - known)
    if unknown:
        raise MondegreenError(
            f"{where}: {kind} is not known here to have the option {unknown[0]!r}. Delete it if it "
            f"changes nothing; understood are {', '.join(sorted(known))}."
        )
    if written.get("dither"):
        raise MondegreenError(
            f"{where}: dither is {written['dither']}: noise at random, so that the same clip is "
            "not heard twice alike. Set it to 0.0, as it is when a model is used."
        )
    if kind == "WhisperFeatureExtractor" and written.get("padding_side", "right") != "right":
        raise MondegreenError(f"{where}: padding_side is not 'right', where clips are filled up.")
    if kind == "Wav2Vec2FeatureExtractor" and written.get("feature_size", 1) != 1:
        raise MondegreenError(f"{where}: feature_size is not 1: it does not take one channel.")
    return port


def build_port(port: Port, original: Any, where: str) -> nn.Module:
    """Build the module with the options of the original.

    Args:
        port: Which.
        original: The original extractor.
        where: Its file, for error messages.

    Raises:
        MondegreenError: An option is of the wrong type, or they make no extractor.
    """
    options = {field.name: getattr(original, field.name) for field in fields(port.config)}
    return port.module(from_dict(port.config, options, where))
