"""Small classifiers that build and run in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from mondegreen.classifiers.classifier import ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are fastest on one thread, and sums then have one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small_config() -> ClassifierConfig:
    """Three labels, clips of 1,024 samples at 4 kHz, about 3,000 parameters."""
    front_end = LogMelConfig(
        sample_rate=4000, window=120, hop=60, fft=128, filters=12, high=1900.0, coefficients=10
    )
    return ClassifierConfig(
        labels=("high", "low", "middle"),
        front_end=front_end,
        backbone=TCResNetConfig(width=0.25, dropout=0.3),
        sample_rate=4000,
        clip_samples=1024,
    )
