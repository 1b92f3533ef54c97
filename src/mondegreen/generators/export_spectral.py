"""The spectral generator as an ONNX graph of few nodes.

It computes what :class:`mondegreen.generators.generator.Generator` does, in an order that suits a
runtime which runs one node after the other:

- Bins come in parts, in an order of their own (:mod:`mondegreen.generators.dft`); the rows and
  columns of the weights around them follow.
- The clip is not scaled to unit power; the few places that depend on its level allow for it.
- The interpolation from the mel scale to the bins is part of the decoder's weights.
- Biases are part of the matrix products, or of those that follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from mondegreen.generators.dft import Array, Part, make_transform
from mondegreen.generators.export_graph import (
    DOUBLE,
    SINGLE,
    Description,
    GraphBuilder,
    integers,
)
from mondegreen.generators.export_projection import Clips, add_projection, sum_of_squares
from mondegreen.generators.spectral import ConvNeXtBlock, SpectralGenerator

if TYPE_CHECKING:
    from onnx import ModelProto

_EPSILON = 1e-5  # of PyTorch's layer norm


def spectral_graph(network: SpectralGenerator, slots: Tensor, opset: int) -> ModelProto:
    """Return the whole of a generator's call for a ratio in dB as a graph.

    Args:
        network: The generator's.
        slots: Its slot for each of the classifier's labels.
        opset: Version of the ONNX operators.
    """
    build = GraphBuilder()
    _SpectralGraph(network, build).add(_values(slots).astype(np.int64))
    single, integer = np.dtype(np.float32), np.dtype(np.int64)
    samples: Description = single, ["batch", 1, "time"]
    label: Description = integer, ["batch"]
    number: Description = single, ["batch"]
    inputs = {"waveform": samples, "target": label, "snr_db": number}
    if network.config.dial:
        inputs["quietness"] = number
    return build.model(inputs, {"delta": samples, "proposal": samples}, opset)


class _SpectralGraph:
    """Adds the nodes of a network."""

    def __init__(self, network: SpectralGenerator, build: GraphBuilder) -> None:
        self.network, self.config, self.build = network, network.config, build
        self.node = build.node
        self.transform = make_transform(self.config.window)
        self._measure()

    def _measure(self) -> None:
        """Find the number of samples, frames, positions of the blocks, and frames in those."""
        hop, patch = self.config.hop, self.config.patch
        self.time = self.node("Shape", "waveform", start=2, end=3)
        last = self.node("Add", self.time, integers(2 * hop - 1))
        self.frames = self.node("Div", last, integers(hop))
        last = self.node("Add", self.frames, integers(patch - 1))
        self.positions = self.node("Div", last, integers(patch))
        self.all_frames = self.node("Mul", self.positions, integers(patch))
        self.rest = self.node("Sub", self.all_frames, self.frames)
        covered = self.node("Mul", self.all_frames, integers(hop))
        self.tail = self.node("Sub", covered, self.time)
        self.shape = self.node(
            "Concat", integers(-1, 1), self.positions, integers(self.config.width), axis=0
        )

    def add(self, slots: Array) -> None:
        """Add the nodes from the inputs to the outputs."""
        hop = self.config.hop
        pads = self.node("Concat", integers(hop), self.tail, axis=0)
        x = self.node("Pad", "waveform", pads, "", integers(2))
        energy = sum_of_squares(self.build, self.node("Reshape", x, integers(0, -1, hop)))
        time = self.node("Cast", self.time, to=DOUBLE)
        power = self.node("Add", self.node("Div", energy, time), np.float64(1e-12))
        self.power = self.node("Cast", power, to=SINGLE)

        spectrum = self.transform.forward(self.build, x)
        powers = self._powers(spectrum)
        magnitudes = [self.node("Sqrt", each) for each in powers]
        features = [[self.node("Log", each)] for each in powers]
        if self.config.phase:
            for part, magnitude, planes in zip(spectrum, magnitudes, features, strict=True):
                planes += [
                    self.node("Div", each, magnitude) for each in (part.real, part.imaginary)
                ]
        bins = [part.bins for part in spectrum]
        h = self._blocks(self._encode(features, bins), self._modulation(slots))
        gains = self._decode(h, bins)
        if self.config.relative:
            gains = self._product(gains, spectrum, magnitudes)
        drawn = self.transform.inverse(self.build, gains)
        drawn = self.node("Slice", drawn, integers(0), self.time, integers(2))
        if not self.config.relative:  # what multiplies the clip's spectrum has its level already
            drawn = self.node("Mul", drawn, self.node("Sqrt", self.power))
        if self.network.template is not None:
            drawn = self.node("Add", drawn, self._template(self.network.template, slots))
        clips = Clips(self.time, self.tail, energy, power)
        add_projection(self.build, drawn, clips, hop, self._attenuation(h))

    def _template(self, template: nn.Embedding, slots: Array) -> str:
        """Return what is added for the target, at the clip's level, ``(batch, 1, time)``."""
        table = _values(template.weight)[slots]
        count = self.node("Squeeze", self.time, integers(0))
        places = self.node("Range", np.int64(0), count, np.int64(1))
        places = self.node("Mod", places, np.int64(table.shape[1]))
        wave = self.node("Gather", self.node("Gather", _single(table), "target"), places, axis=1)
        wave = self.node("Unsqueeze", wave, integers(1))
        return self.node("Mul", wave, self.node("Sqrt", self.power))

    def _powers(self, spectrum: list[Part]) -> list[str]:
        """Return the power of each bin, raised by 1e-9 of the clip's.

        In frames beyond the clip's, which fill up the last position, by as much as the clip's: the
        logarithm, relative to the clip's power, is zero there, as if it had been padded.
        """
        from onnx import numpy_helper

        floor = np.array([1e-9], np.float32)
        raise_by = self.node("ConstantOfShape", self.frames, value=numpy_helper.from_array(floor))
        pads = self.node("Concat", integers(0), self.rest, axis=0)
        raise_by = self.node("Pad", raise_by, pads, np.float32(1.0))
        raise_by = self.node("Mul", self.power, self.node("Unsqueeze", raise_by, integers(1)))
        powers = []
        for part in spectrum:
            squares = [self.node("Mul", each, each) for each in (part.real, part.imaginary)]
            powers.append(self.node("Add", self.node("Add", *squares), raise_by))
        return powers

    def _modulation(self, slots: Array) -> list[str]:
        """Return scale and shift of all norms, ``(batch, 1, width)`` each."""
        network, wanted = self.network, self.node("Unsqueeze", "snr_db", integers(1))
        if self.config.dial:
            quietness = self.node("Unsqueeze", "quietness", integers(1))
            wanted = self.node("Concat", wanted, quietness, axis=1)
        weight, bias = _weights(network.budget_embedding)
        table = _values(network.target_embedding.weight) + bias - 2.0 * weight[:, 0]
        weight[:, 0] /= 10.0  # the network takes the ratio as snr_db / 10 - 2
        row = self.node("Gather", _single(table[slots]), "target")
        row = self.node("Gelu", self._linear(wanted, weight, row))
        weight, bias = _weights(network.modulation)
        count = 2 * len(network.blocks) + 2
        bias.reshape(count // 2, 2, -1)[:, 0] += 1.0  # a scale is given as its excess over 1
        row = self._linear(row, weight, bias)
        row = self.node("Reshape", row, integers(-1, 1, len(bias)))
        return self.build.nodes("Split", row, outputs=count, axis=2, num_outputs=count)

    def _encode(self, features: list[list[str]], bins: list[Array]) -> str:
        """Return the positions' first channels, ``(batch, 1, positions, width)``.

        Args:
            features: Of each part, the logarithm of the power and maybe the phasor.
            bins: Of each part.
        """
        patch, width = self.config.patch, self.config.width
        weight, add = _weights(self.network.encode)
        h: Array | str = add
        weight = weight.reshape(width, patch, len(features[0]), -1)
        weight[:, :, 0] /= 6.0
        for planes, columns in zip(features, bins, strict=True):
            for index, plane in enumerate(planes):
                flat = self.node("Reshape", plane, integers(-1, patch * len(columns)))
                h = self._linear(flat, weight[:, :, index, columns].reshape(width, -1), h)
        # The logarithms are to be of the power relative to the clip's.
        level = self.node("Unsqueeze", self.node("Log", self.power), integers(3))
        level = self.node("Mul", level, _single(-weight[:, :, 0].sum(axis=(1, 2))))
        return self.node("Add", self.node("Reshape", h, self.shape), level)

    def _blocks(self, h: str, modulation: list[str]) -> str:
        """Return the blocks' output, normalised, ``(batch, positions, width)``."""
        rows = self.node("Reshape", h, integers(-1, self.config.width))
        pairs = zip(modulation[2::2], modulation[3::2], strict=True)
        for block, (scale, shift) in zip(self.network.blocks, pairs, strict=True):
            assert isinstance(block, ConvNeXtBlock)
            rows = self.node("Add", rows, self._block(block, h, scale, shift))
            h = self.node("Reshape", rows, self.shape)
        return self._norm(h, *modulation[:2])

    def _block(self, block: ConvNeXtBlock, h: str, scale: str, shift: str) -> str:
        """Return what a block adds, ``(batch * positions, width)``."""
        weight, bias = _weights(block.depthwise)
        reach = weight.shape[-1] // 2
        h = self.node("Transpose", h, perm=[0, 3, 1, 2])
        h = self.node(
            "Conv", h, _single(weight), _single(bias), group=len(weight), pads=[0, reach, 0, reach]
        )
        h = self._norm(self.node("Transpose", h, perm=[0, 2, 3, 1]), scale, shift)
        context, context_bias = _weights(block.context)
        mean = self.node("ReduceMean", h, integers(1))
        h = self.node("Add", h, self.node("MatMul", mean, _single(context.T)))
        h = self.node("Reshape", h, integers(-1, self.config.width))
        weight, bias = _weights(block.expand)
        h = self._linear(h, weight, bias + weight @ context_bias)
        h = self.node("Mul", h, self.node("HardSigmoid", h, alpha=1.0 / 6.0, beta=0.5))
        return self._linear(h, *_weights(block.reduce))

    def _decode(self, h: str, bins: list[Array]) -> list[Part]:
        """Return the gain of each bin."""
        patch, width = self.config.patch, self.config.width
        rows = self.node("Reshape", h, integers(-1, width))
        weight, bias = _weights(self.network.decode)
        weight, bias = weight.reshape(patch, 2, -1, width), bias.reshape(patch, 2, -1)
        if self.config.bands:
            spread = _values(self.network.spread).T
            weight, bias = spread @ weight, bias @ spread.T
        parts = []
        for columns in bins:
            shape = self.node(
                "Concat", integers(-1), self.all_frames, integers(len(columns)), axis=0
            )
            real, imaginary = (
                self._linear(
                    rows,
                    weight[:, plane, columns].reshape(-1, width),
                    bias[:, plane, columns].reshape(-1),
                )
                for plane in (0, 1)
            )
            real, imaginary = (self.node("Reshape", each, shape) for each in (real, imaginary))
            parts.append(Part(real, imaginary, columns))
        return parts

    def _product(
        self, gains: list[Part], spectrum: list[Part], magnitudes: list[str]
    ) -> list[Part]:
        """Multiply gains with the clip's spectrum, its magnitudes raised by their mean's floor."""
        node, bins = self.node, self.config.window // 2 + 1
        total, *others = (node("ReduceSum", each, integers(1, 2)) for each in magnitudes)
        for other in others:
            total = node("Add", total, other)
        # Frames beyond the clip's do not count; each bin of theirs has the clip's level.
        beyond = node("Mul", node("Cast", self.rest, to=SINGLE), np.float32(bins))
        total = node("Sub", total, node("Mul", node("Sqrt", self.power), beyond))
        count = node("Mul", node("Cast", self.frames, to=SINGLE), np.float32(bins))
        floor = node("Mul", node("Div", total, count), np.float32(self.config.floor))
        products = []
        for gain, part, magnitude in zip(gains, spectrum, magnitudes, strict=True):
            raised = node("Add", node("Div", floor, magnitude), np.float32(1.0))
            real, imaginary = node("Mul", part.real, raised), node("Mul", part.imaginary, raised)
            squares = node("Mul", gain.real, real), node("Mul", gain.imaginary, imaginary)
            across = node("Mul", gain.real, imaginary), node("Mul", gain.imaginary, real)
            real, imaginary = node("Sub", *squares), node("Add", *across)
            products.append(Part(real, imaginary, part.bins))
        return products

    def _attenuation(self, h: str) -> str | None:
        """Return by how many dB to stay below the budget, ``(batch, 1, 1)``, with a dial."""
        if self.network.attenuate is None:
            return None
        weight, bias = _weights(self.network.attenuate)
        mean = self.node("ReduceMean", h, integers(1))
        found = self.node("MatMul", mean, _single(weight.T))
        return self.node("Softplus", self.node("Add", found, _single(bias)))

    def _linear(self, x: str, weight: Array, add: Array | str) -> str:
        """Return the product of rows with a layer's weights, plus a bias or other rows."""
        add = add if isinstance(add, str) else _single(add)
        return self.node("Gemm", x, _single(weight.T), add)

    def _norm(self, h: str, scale: str, shift: str) -> str:
        # Of three dimensions: ONNX Runtime spreads scale and shift over no others. Not squeezed:
        # it would put that before a transposition, which it otherwise runs with the convolution.
        h = self.node("Reshape", h, integers(0, -1, self.config.width))
        return self.node("LayerNormalization", h, scale, shift, axis=2, epsilon=_EPSILON)


def _weights(layer: nn.Linear | nn.Conv2d) -> tuple[Array, Array]:
    """Return weight and bias of a layer as copies in float64, so that folding rounds once."""
    return _values(layer.weight), _values(layer.bias)


def _values(tensor: Tensor | None) -> Array:
    assert tensor is not None
    return tensor.detach().cpu().double().numpy().copy()


def _single(values: Array) -> Array:
    return values.astype(np.float32)
