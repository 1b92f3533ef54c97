"""Layers that see a whole batch or draw for it, in processes that each hold a share of it.

Batch normalisation takes its statistics over all processes, and dropout draws the masks of all
clips and uses its own. PyTorch's ``SyncBatchNorm`` does the former on GPUs only.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mondegreen.processes.group import Processes

M = TypeVar("M", bound=nn.Module)


def share_layers(module: M, processes: Processes) -> M:
    """Replace batch normalisation and dropout below ``module``; alone, nothing is changed.

    Names of weights, and so checkpoints, stay as they are.
    """
    if processes.alone:
        return module
    if processes.fabric.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, _BatchNorm) and not isinstance(child, nn.SyncBatchNorm):
                setattr(parent, name, SharedBatchNorm(child, processes))
            elif type(child) is nn.Dropout:
                setattr(parent, name, SharedDropout(child.p, processes))
    return module


class SharedBatchNorm(_BatchNorm):
    """Batch normalisation over the clips of all processes (Ioffe and Szegedy 2015), on any device.

    Args:
        other: The layer whose weights and statistics it takes over.
        processes: Who shares the batch.
    """

    def __init__(self, other: _BatchNorm, processes: Processes) -> None:
        super().__init__(
            other.num_features, other.eps, other.momentum, other.affine, other.track_running_stats
        )
        self._parameters, self._buffers = other._parameters, other._buffers
        self.training = other.training
        self._processes = processes

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2 dimensions, got {input.dim()}")

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input, ``(batch, channels, ...)``."""
        result: Tensor
        if not self.training:
            result = super().forward(input)
            return result
        x = input.float()
        dims = [0, *range(2, x.dim())]
        variance, mean = torch.var_mean(x, dims, correction=0)
        own = torch.full_like(mean, x.numel() / x.shape[1], dtype=torch.float64)
        moments = torch.stack([own, own * mean, own * (variance + mean.double().square())])
        count, total, squares = _Sum.apply(moments, self._processes)  # type: ignore[no-untyped-call]
        mean = total / count
        variance = (squares / count - mean.square()).clamp_min(0.0)
        self._update(mean.detach(), variance.detach(), float(count[0].detach()))
        shape = [1, -1, *[1] * (x.dim() - 2)]
        scale = (variance + self.eps).rsqrt().float()
        result = (x - mean.float().view(shape)) * scale.view(shape)
        if self.affine:
            result = result * self.weight.view(shape) + self.bias.view(shape)
        return result.to(input.dtype)

    @torch.no_grad()
    def _update(self, mean: Tensor, variance: Tensor, count: float) -> None:
        if not self.track_running_stats:
            return
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        weight = self.momentum
        weight = 1.0 / float(self.num_batches_tracked) if weight is None else weight
        unbiased = variance * (count / max(count - 1.0, 1.0))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), weight)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), weight)


class _Sum(torch.autograd.Function):
    """The sum over the processes; each one's loss is a part of the whole one, so gradients add."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, processes: Processes) -> Tensor:
        ctx.processes = processes
        total = x.clone()
        processes.sum([total])
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.clone()
        ctx.processes.sum([total])
        return total, None


class SharedDropout(nn.Module):
    """Dropout (Srivastava et al. 2014) with masks drawn for the whole batch, alike everywhere.

    Args:
        p: The probability of zeroing a value.
        processes: Who shares the batch.
    """

    def __init__(self, p: float, processes: Processes) -> None:
        super().__init__()
        self.p, self._processes = p, processes

    def forward(self, x: Tensor) -> Tensor:
        """Return the values that are kept, scaled up, ``(batch, ...)``."""
        if not self.training or self.p == 0.0:
            return x
        whole = self._processes.batch
        kept = torch.empty((whole, *x.shape[1:]), dtype=x.dtype, device=x.device)
        kept = kept.bernoulli_(1.0 - self.p).div_(1.0 - self.p)
        return x * kept[self._processes.share(whole)]
