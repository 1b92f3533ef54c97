"""Models that others made: files and folders that pages name, with random weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import torch
from tests.classifiers.strangers.raw import as_onnx
from tests.furnished.collections import SOUNDS

import blocks
from mondegreen.cli.main import main
from mondegreen.data.speech_commands import TEN_WORDS

STRANGERS = blocks.ROOT / "benchmarks" / "strangers"
SIZE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
CONVOLUTIONS = {"conv_dim": (8, 8), "conv_kernel": (10, 4), "conv_stride": (16, 10)}
POSITIONS = {"num_conv_pos_embeddings": 5, "num_conv_pos_embedding_groups": 2}
NAMES = dict(enumerate(TEN_WORDS))


def load(path: Path) -> ModuleType:
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location(f"stranger_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def own_model() -> str:
    """Return the file ``my_model.py`` as the page on classifiers has it."""
    page = blocks.ROOT / "docs" / "classifiers.md"
    return next(one.code for one in blocks.blocks(page) if one.code.startswith("# my_model.py"))


def linear() -> torch.nn.Module:
    """Return the least that tells two labels apart: one layer on a second of sound."""
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16_000, 2))


def save_transformers() -> None:
    """Save an AST and a wav2vec2 for the ten words as their owners would."""
    import transformers as hf

    labels = {"id2label": NAMES, "label2id": {name: number for number, name in NAMES.items()}}
    bands = {"num_mel_bins": 32, "max_length": 98}
    ast = hf.ASTForAudioClassification(
        hf.ASTConfig(**SIZE, **bands, intermediate_size=16, **labels)
    )
    waveform = {**SIZE, **CONVOLUTIONS, **POSITIONS, "intermediate_size": 16}
    wav2vec2 = hf.Wav2Vec2ForSequenceClassification(
        hf.Wav2Vec2Config(**waveform, num_feat_extract_layers=2, classifier_proj_size=8, **labels)
    )
    for folder in ("models/ast", "runs/strangers/ast"):
        ast.save_pretrained(folder)
        hf.ASTFeatureExtractor(**bands).save_pretrained(folder)
    wav2vec2.save_pretrained("models/wav2vec2")
    hf.Wav2Vec2FeatureExtractor().save_pretrained("models/wav2vec2")


def furnish_small_strangers() -> None:
    """Make a Python file and an ONNX file with a model in the folder that is worked in."""
    torch.manual_seed(22)
    Path("my_model.py").write_text(own_model(), encoding="utf-8")
    as_onnx(Path("model.onnx"), network=linear(), samples=16_000)


def furnish_strangers() -> None:
    """Make all of the models, and what attacks on the tagger need."""
    furnish_small_strangers()
    torch.save(load(STRANGERS / "ds_cnn.py").DSCNN().state_dict(), "runs/ds_cnn.pt")
    save_transformers()
    load(STRANGERS / "mixtures.py").mix(Path("esc10"), Path("runs/mixtures"), 20, 0)
    load(STRANGERS / "tagger.py").train(Path("runs/mixtures"), Path("runs/tagger.pt"), 6)
    Path("benchmarks").symlink_to(blocks.ROOT / "benchmarks")
    source = ["benchmarks/strangers/tagger.py:build", "--output", "sigmoid"]
    adopt = ["adopt", *source, "--sample-rate", "16000", "--clip-samples", "32000"]
    assert main([*adopt, "--out", "runs/strange-tagger", "--labels", *SOUNDS]) == 0
    goals = ["--goal", "+rain", "--goal", "quiet=-dog_bark"]
    goals += ["--goal", "storm=+sea_waves+helicopter-clock_tick"]
    words = ["goals", "--classifier", "runs/strange-tagger", *goals, "--data", "runs/mixtures"]
    assert main([*words, "--split", "fold-5", "--tune", "--out", "runs/goals"]) == 0
    words = ["train", "generator", "--preset", "smoke", "--classifier", "runs/goals"]
    assert main([*words, "--training.epochs", "1", "--out", "runs/goals-generator"]) == 0
