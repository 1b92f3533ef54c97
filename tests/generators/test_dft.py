from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mondegreen.generators.dft import FoldedTransform, Part, PlainTransform, make_transform
from mondegreen.generators.export_graph import Description, GraphBuilder
from mondegreen.generators.spectral import Spectrum

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

OPSET = 20
FLOAT = np.dtype(np.float32)
WINDOWS = [16, 18, 20, 512]


def run(build: GraphBuilder, inputs: dict[str, torch.Tensor], outputs: list[str]) -> list[Any]:
    """Return what a graph of float32 computes."""
    free: Description = FLOAT, [None] * 3
    model = build.model(dict.fromkeys(inputs, free), dict.fromkeys(outputs, free), OPSET)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    results = session.run(outputs, {name: tensor.numpy() for name, tensor in inputs.items()})
    return [torch.from_numpy(each) for each in results]


def forward(window: int, x: torch.Tensor) -> torch.Tensor:
    """Return the spectrum, ``(2, batch, frames, bins)``, by the graph."""
    build = GraphBuilder()
    parts = make_transform(window).forward(build, "x")
    planes = run(build, {"x": x}, [name for part in parts for name in (part.real, part.imaginary)])
    spectrum = torch.zeros(2, *planes[0].shape[:2], window // 2 + 1)
    for index, part in enumerate(parts):
        spectrum[..., part.bins] = torch.stack(planes[2 * index : 2 * index + 2])
    return spectrum


def inverse(window: int, spectrum: torch.Tensor) -> torch.Tensor:
    """Return the waveforms of a spectrum, ``(batch, 1, time)``, by the graph."""
    build, transform, inputs = GraphBuilder(), make_transform(window), {}
    parts = []
    for index, part in enumerate(transform.forward(GraphBuilder(), "x")):
        parts.append(Part(f"real_{index}", f"imaginary_{index}", part.bins))
        inputs[parts[-1].real], inputs[parts[-1].imaginary] = spectrum[..., part.bins]
    x: torch.Tensor = run(build, inputs, [transform.inverse(build, parts)])[0]
    return x


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_it_is_the_transform_by_fft(window: int, frames: int, rng: torch.Generator) -> None:
    x = torch.randn(2, 1, (frames + 1) * window // 2, generator=rng)
    taper = torch.hann_window(window, dtype=torch.float64).sqrt()
    expected = torch.fft.rfft(x[:, 0].double().unfold(1, window, window // 2) * taper)
    found = forward(window, x).double()
    torch.testing.assert_close(found[0], expected.real, rtol=0.0, atol=1e-4)
    torch.testing.assert_close(found[1], expected.imag, rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("window", WINDOWS)
def test_back_is_the_inverse_transform_of_any_spectrum(window: int, rng: torch.Generator) -> None:
    parts = torch.randn(2, 3, 12, window // 2 + 1, generator=rng)
    expected = Spectrum(window).inverse(parts, 11 * window // 2)
    torch.testing.assert_close(inverse(window, parts)[:, 0], expected, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("window", WINDOWS)
def test_there_and_back_reconstructs(window: int, rng: torch.Generator) -> None:
    x, hop = torch.randn(3, 1, 10 * window, generator=rng), window // 2
    found = inverse(window, forward(window, x))
    torch.testing.assert_close(found, x[..., hop:-hop], rtol=0.0, atol=1e-5)


def test_folding_twice_takes_a_quarter_of_the_products() -> None:
    folded, plain = FoldedTransform(512), PlainTransform(512)
    for direction in ("there", "back"):
        products, all_products = (
            sum(matrix.size for matrix in getattr(each, direction)) for each in (folded, plain)
        )
        assert products == 2 * 129 * 257
        assert all_products == 2 * 512 * 257


def test_frames_that_cannot_be_folded_twice_are_not() -> None:
    assert isinstance(make_transform(18), PlainTransform)
    assert isinstance(make_transform(20), FoldedTransform)
