"""Multiply-accumulates against counting by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mondegreen.metrics.macs import count_macs

X = torch.zeros(1, 2, 104)
TRANSFORMER = 6 * (8 * 24 + 8 * 8 + 2 * 8 * 16) + 2 * 2 * 6 * 6 * 4


@pytest.mark.parametrize(
    ("module", "shape", "macs"),
    [
        (nn.Conv1d(2, 3, 5), (1, 2, 104), 100 * 3 * 2 * 5),
        (nn.Conv1d(2, 3, 5), (4, 2, 104), 4 * 100 * 3 * 2 * 5),
        (nn.Conv1d(1, 16, 32, stride=2, padding=15), (1, 1, 16384), 8192 * 16 * 32),
        (nn.Conv1d(4, 8, 3, groups=2, padding=1), (1, 4, 10), 10 * 8 * 2 * 3),
        # Every input sample of a transposed convolution meets every tap of the kernel.
        (nn.ConvTranspose1d(32, 1, 32, stride=2, padding=15), (1, 32, 8192), 8192 * 32 * 32),
        (nn.ConvTranspose1d(4, 8, 3, groups=2), (1, 4, 10), 10 * 4 * 4 * 3),
        (nn.Conv2d(1, 2, (3, 5)), (1, 1, 8, 9), 6 * 5 * 2 * 15),
        (nn.Linear(10, 7), (3, 5, 10), 15 * 70),
        (nn.LSTM(8, 16, 2, bidirectional=True), (5, 3, 8), 15 * 2 * 64 * (24 + 32 + 16)),
        (nn.GRU(8, 16), (5, 3, 8), 15 * 48 * 24),
        (nn.Sequential(nn.BatchNorm1d(2), nn.PReLU(), nn.Tanh()), (1, 2, 104), 0),
    ],
    ids=lambda value: repr(value) if isinstance(value, nn.Module) else None,
)
def test_layers(module: nn.Module, shape: tuple[int, ...], macs: int) -> None:
    assert count_macs(module.eval(), torch.zeros(shape)) == macs


@pytest.mark.parametrize("training", [False, True])
def test_attention_is_counted_in_its_fused_form_too(training: bool) -> None:
    layer = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)
    assert count_macs(layer.train(training), torch.zeros(1, 6, 8)) == TRANSFORMER
    assert layer.training is training


def test_functions_of_several_inputs() -> None:
    assert count_macs(torch.bmm, torch.zeros(2, 3, 4), torch.zeros(2, 4, 5)) == 2 * 3 * 4 * 5
    assert count_macs(torch.matmul, torch.zeros(3, 4), torch.zeros(4)) == 12


def test_the_fft_is_not_counted() -> None:
    window = torch.hann_window(64)
    assert count_macs(lambda x: torch.stft(x, 64, window=window, return_complex=True), X[0]) == 0


def test_settings_are_put_back_even_after_an_error() -> None:
    before = torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(RuntimeError):
        count_macs(nn.Linear(3, 4), torch.zeros(1, 5))
    assert torch.backends.mha.get_fastpath_enabled() is before
