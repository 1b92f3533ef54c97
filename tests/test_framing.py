"""The spectrum of frames and its gradient, against PyTorch's own."""

from __future__ import annotations

import pytest
import torch

from mondegreen.framing import framed_spectrum

SIZES = [
    pytest.param(1000, 480, 160, 512, id="overlapping, padded"),
    pytest.param(777, 400, 160, 512, id="hop does not divide the window"),
    pytest.param(900, 300, 300, 300, id="side by side"),
    pytest.param(501, 7, 9, 7, id="gaps between the frames, odd transform"),
    pytest.param(64, 64, 16, 64, id="one frame"),
]


@pytest.mark.parametrize(("time", "size", "hop", "fft"), SIZES)
def test_spectrum_and_gradient_are_those_of_plain_operations(
    time: int, size: int, hop: int, fft: int
) -> None:
    random = torch.Generator().manual_seed(3)
    x = torch.randn(2, time, generator=random, dtype=torch.float64, requires_grad=True)
    window = torch.hann_window(size, dtype=torch.float64)
    plain = torch.fft.rfft(x.unfold(1, size, hop) * window, n=fft)
    expected = torch.view_as_real(plain).flatten(2)
    found = framed_spectrum(x, window, hop, fft)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=0.0)
    toward = torch.randn(found.shape, generator=random, dtype=torch.float64)
    (wanted,) = torch.autograd.grad(expected, x, toward)
    (gradient,) = torch.autograd.grad(found, x, toward)
    torch.testing.assert_close(gradient, wanted, rtol=1e-12, atol=1e-12)


def test_a_gradient_of_the_gradient_is_refused() -> None:
    x = torch.randn(1, 64, requires_grad=True)
    found = framed_spectrum(x, torch.hann_window(32), 16, 32).square().sum()
    (gradient,) = torch.autograd.grad(found, x, create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(gradient.sum(), x)
