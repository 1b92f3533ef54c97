"""Write a generator as an ONNX file that ONNX Runtime, or any other runtime, can run.

PyTorch's exporter writes the U-Net; the spectral network, whose time matters most, is put together
node by node (:mod:`mondegreen.generators.export_spectral`).
"""

from __future__ import annotations

import copy
import json
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mondegreen.configs import to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import atomic_write
from mondegreen.generators.export_spectral import spectral_graph
from mondegreen.generators.generator import Generator
from mondegreen.generators.onnx_runtime import (
    CONFIG_KEY,
    FINGERPRINT_KEY,
    FORMAT,
    FORMAT_KEY,
    PARAMETERS_KEY,
    OnnxGenerator,
)
from mondegreen.generators.own import OwnNetwork
from mondegreen.generators.spectral import SpectralGenerator
from mondegreen.generators.unet import UNetGenerator
from mondegreen.metrics.extras import require

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 20
"""Version of the ONNX operators: the first that has GELU as one of them."""

TOLERANCE = 1e-4
"""Largest difference to PyTorch, full scale 1, that an exported file may show."""


@dataclass(frozen=True)
class Export:
    """What was written."""

    path: Path
    """The file."""
    size: int
    """In bytes."""
    opset: int
    """Version of the ONNX operators in it."""
    difference: float
    """Largest difference of a sample to PyTorch's result, full scale 1."""


def export_onnx(generator: Generator, path: Path) -> Export:
    """Write a generator as an ONNX file, once it was found to compute the same as PyTorch.

    The graph's inputs are ``waveform`` (batch, 1, time), ``target`` (batch,) int64, an index into
    the classifier's labels, ``snr_db`` (batch,) and, for a network with a dial, ``quietness``
    (batch,). Batch and time are free. Its outputs, (batch, 1, time), are ``delta``, projected onto
    ``snr_db`` and cut so that the sum stays in [-1, 1], and ``proposal``, the same before both.
    The graph does not check that it knows the target: :class:`OnnxGenerator` does.

    Args:
        generator: A generator on the CPU.
        path: The file to write, whole or not at all.

    Raises:
        MissingExtraError: The packages for it are not installed.
        MondegreenError: The file cannot be written, or computes something else than PyTorch.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        require(package, "onnx")
    model = _graph(generator)
    _describe(model, generator)
    _check(model)
    content = model.SerializeToString()
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
        difference = largest_difference(generator, OnnxGenerator.load(temporary))
        if not difference <= TOLERANCE:
            raise MondegreenError(
                f"{path} was not written: ONNX Runtime's result differs from PyTorch's by "
                f"{difference:.1e}, more than {TOLERANCE:.0e}. Other versions of the packages may "
                "help: pip install --upgrade 'mondegreen[onnx]'."
            )
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    return Export(path, len(content), opset, difference)


@torch.no_grad()
def largest_difference(generator: Generator, other: OnnxGenerator) -> float:
    """Return how far two generators' perturbations differ at most, full scale 1.

    Clips of noise that fades into digital silence, of several lengths, in batches of one and
    more, under several budgets.

    Args:
        generator: The one to compare with.
        other: The same, exported.
    """
    random = torch.Generator().manual_seed(0)
    config, differences = generator.config, []
    known = torch.tensor([config.labels.index(name) for name in config.targets])
    for batch, time in ((1, config.clip_samples), (3, config.clip_samples // 5 + 1), (2, 40_000)):
        fade = torch.linspace(1.0, -0.25, time).clamp_min(0.0).square()
        x = (0.3 * fade * torch.randn(batch, 1, time, generator=random)).clamp(-1.0, 1.0)
        target = known[torch.arange(batch) % len(known)]
        snr_db = 15.0 + 5.0 * torch.arange(batch)
        expected, found = (call(x, target, snr_db=snr_db) for call in (generator, other))
        differences.append((found - expected).abs().max())
    return float(torch.stack(differences).max())  # unlike Python's, this maximum keeps a NaN


def _graph(generator: Generator) -> ModelProto:
    """Return the graph, with batch and time free."""
    network = generator.network
    if isinstance(network, OwnNetwork):
        raise MondegreenError(
            f"{generator.name} cannot be exported: only spectral and unet networks can."
        )
    if isinstance(network, SpectralGenerator):
        return spectral_graph(network, generator.target_slot, OPSET)
    return _trace(generator)


class _UNetGraph(nn.Module):
    """What is traced: the whole of :meth:`Generator.forward` for a ratio in dB."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = copy.deepcopy(generator)

    def forward(self, waveform: Tensor, target: Tensor, snr_db: Tensor) -> tuple[Tensor, Tensor]:
        """Return the perturbation within the budget, and as proposed."""
        slot = self.generator.target_slot.index_select(0, target)
        network = self.generator.network
        assert isinstance(network, UNetGenerator)
        proposal = network.propose(waveform, slot)
        delta = _project(waveform, proposal, snr_db)
        return delta.clamp(-1.0 - waveform, 1.0 - waveform), proposal


def _project(x: Tensor, delta: Tensor, snr_db: Tensor) -> Tensor:
    """Compute :meth:`SNR.project` without asking for the batch's size, which would fix it.

    Like there, sums are in float64, bounds below 1e-30 count as zero, and a scaled perturbation
    stays below its bound by more than float32 rounds.
    """
    norm, level = (torch.linalg.vector_norm(y, dim=(1, 2), dtype=torch.float64) for y in (delta, x))
    bound = level * torch.exp(snr_db.double() * (-math.log(10.0) / 20.0))
    bound = torch.where(bound < 1e-30, torch.zeros_like(bound), bound)
    inside = norm <= bound
    scale = (1.0 - 2.0**-21) * bound / torch.where(inside, torch.ones_like(norm), norm)
    scale = torch.where(inside, torch.ones_like(scale), scale)
    return delta * scale.to(delta.dtype)[:, None, None]


def _trace(generator: Generator) -> ModelProto:
    """Return the graph of a U-Net as PyTorch exports it."""
    from onnxscript import optimizer

    names = ["waveform", "target", "snr_db"]
    label = generator.config.labels.index(generator.config.targets[0])
    example = (
        torch.zeros(2, 1, generator.config.clip_samples),
        torch.tensor([label] * 2),
        torch.full((2,), 20.0),
    )
    try:
        with _silence():
            program = torch.onnx.export(
                _UNetGraph(generator).eval(),
                example,
                input_names=names,
                output_names=["delta", "proposal"],
                dynamic_shapes=({0: "batch", 2: "time"}, {0: "batch"}, {0: "batch"}),
                opset_version=OPSET,
                dynamo=True,
                optimize=False,  # it takes every addition of less than 1e-8 for one of zero: 0 / 0
                verbose=False,
            )
    except Exception as error:  # of a class of its own, in a private module
        raise MondegreenError(
            f"PyTorch {torch.__version__} cannot export {generator.name} ({type(error).__name__}). "
            "Take a newer one, or export a spectral generator."
        ) from error
    if program is None:
        raise MondegreenError("PyTorch exported nothing; try another version of it.")
    optimizer.fold_constants(program.model)
    optimizer.remove_unused_nodes(program.model)
    model: ModelProto = program.model_proto
    return model


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's remarks on itself from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _describe(model: ModelProto, generator: Generator) -> None:
    """Add the metadata; take out the exporter's notes on each node, which name files here."""
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for output in model.graph.output:
        for place, name in ((0, "batch"), (2, "time")):
            output.type.tensor_type.shape.dim[place].dim_param = name
    model.ClearField("metadata_props")
    metadata = {
        FORMAT_KEY: FORMAT,
        CONFIG_KEY: json.dumps(to_dict(generator.config)),
        FINGERPRINT_KEY: generator.fingerprint(),
        PARAMETERS_KEY: str(generator.parameter_count()),
    }
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value


def _check(model: ModelProto) -> None:
    """Have ONNX check the graph, its types and shapes."""
    import onnx

    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise MondegreenError(f"the exported graph is not valid ONNX: {error}") from error
