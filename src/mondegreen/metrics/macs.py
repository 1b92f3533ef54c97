"""How much arithmetic a forward pass takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def count_macs(module: nn.Module | Callable[..., object], *inputs: Any) -> int:
    """Return the multiply-accumulates of one forward pass, a whole batch together.

    Convolutions (transposed ones too), matrix products, linear layers, attention and recurrent
    layers are counted, each product as one. Additions, norms, activations, and the FFT inside of
    ``stft`` are not: the FFT of a 512-sample frame takes a few thousand products, little beside
    a network. The pass runs without gradients, and in the mode (training or not) that the module is
    in.

    Args:
        module: The network, or a function.
        *inputs: Its arguments, on its device; a batch of one gives the cost of a clip.

    Example:
        >>> count_macs(nn.Conv1d(2, 3, kernel_size=5), torch.zeros(1, 2, 104))
        3000
    """
    # Fused kernels of attention and recurrent layers are unknown to torch's counter: have the
    # former decomposed into products that it knows, and tell it about the others.
    extra = {torch.ops.aten.mkldnn_rnn_layer: _recurrent_flops, torch.ops.aten.mv: _product_flops}
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        counter = FlopCounterMode(display=False, custom_mapping=extra)
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            module(*inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return int(counter.get_total_flops()) // 2


def _recurrent_flops(
    x: Sequence[int], into: Sequence[int], within: Sequence[int], *_: Any, **__: Any
) -> int:
    """Return the floating-point operations of one direction of one layer, given shapes."""
    return 2 * x[0] * x[1] * (prod(into) + prod(within))


def _product_flops(matrix: Sequence[int], *_: Any, **__: Any) -> int:
    """Return the floating-point operations of a matrix times a vector, given shapes."""
    return 2 * prod(matrix)
