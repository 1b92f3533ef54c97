"""Tiny Hugging Face models with random weights, saved as their owners would save them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

WAVEFORM = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 4),
    "conv_stride": (16, 10),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 5,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 8,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "Wav2Vec2": WAVEFORM,
    "Hubert": WAVEFORM,
    "WavLM": WAVEFORM,
    "UniSpeech": WAVEFORM,
    "UniSpeechSat": WAVEFORM,
    "Wav2Vec2Conformer": WAVEFORM,
    "Wav2Vec2Bert": WAVEFORM
    | {"feature_projection_input_dim": 48, "left_max_position_embeddings": 8}
    | {"conv_depthwise_kernel_size": 3},
    "Data2VecAudio": WAVEFORM | {"conv_pos_kernel_size": 5, "num_conv_pos_embeddings": 2},
    "SEW": WAVEFORM | {"squeeze_factor": 2},
    "SEWD": WAVEFORM | {"squeeze_factor": 2},
    "AST": {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "num_mel_bins": 32,
        "max_length": 40,
        "patch_size": 16,
    },
    "Whisper": {
        "d_model": 16,
        "encoder_layers": 1,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 16,
        "decoder_layers": 1,
        "decoder_attention_heads": 2,
        "decoder_ffn_dim": 16,
        "vocab_size": 8,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 1,
        "num_mel_bins": 24,
        "max_source_positions": 50,
        "classifier_proj_size": 8,
    },
}
EXTRACTORS: dict[str, dict[str, Any]] = {
    "Wav2Vec2Bert": {"num_mel_bins": 24, "padding_value": 1.0},
    "AST": {"num_mel_bins": 32, "max_length": 40},
    "Whisper": {"feature_size": 24, "chunk_length": 1},
}
KINDS = {"AST": "AST", "Whisper": "Whisper", "Wav2Vec2Bert": "SeamlessM4T"}
WORDS = ("yes", "no", "up")

Save = Callable[..., Path]


@pytest.fixture
def save_model(tmp_path: Path) -> Save:
    """Return a function that saves a model of a family with its extractor; it returns where."""
    transformers = pytest.importorskip("transformers")

    def save(family: str = "Wav2Vec2", options: Any = None, **changes: Any) -> Path:
        """``options`` are the extractor's, ``changes`` the model's."""
        head = "AudioClassification" if family in ("AST", "Whisper") else "SequenceClassification"
        settings = FAMILIES[family] | {"id2label": dict(enumerate(WORDS))} | changes
        torch.manual_seed(0)
        model = getattr(transformers, f"{family}For{head}")(
            getattr(transformers, f"{family}Config")(**settings)
        )
        with torch.no_grad():  # so that answers differ from clip to clip
            for weight in model.parameters():
                weight.mul_(4.0)
        folder = tmp_path / family.lower()
        model.save_pretrained(folder)
        kind = KINDS.get(family, "Wav2Vec2")
        given = EXTRACTORS.get(family, {}) | (options or {})
        getattr(transformers, f"{kind}FeatureExtractor")(**given).save_pretrained(folder)
        return folder

    return save
