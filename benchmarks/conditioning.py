"""Another way to tell the spectral generator its target, for ``benchmarks/ablation.py``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mondegreen.generators.own import OwnNetwork
from mondegreen.generators.spectral import SpectralConfig, SpectralGenerator


class CrossAttention(OwnNetwork):
    """The recipe's network, whose positions attend to tokens of the target after every block.

    Args:
        targets: Number of targets.
        clip_samples: Usual length of a clip; not used.
        tokens: How many tokens there are in each block.
        heads: Heads of each attention.
    """

    def __init__(self, *, targets: int, clip_samples: int, tokens: int = 8, heads: int = 4) -> None:
        super().__init__()
        self.network = SpectralGenerator(SpectralConfig(), targets, clip_samples)
        width, blocks = self.network.config.width, self.network.blocks
        self.network.blocks = nn.ModuleList(
            _Attending(block, width, tokens, heads) for block in blocks
        )

    def propose_within(self, x: Tensor, target: Tensor, snr_db: Tensor) -> Tensor:
        """Return the perturbation for a budget."""
        return self.network.propose(x, target, snr_db)


class _Attending(nn.Module):
    """A block, and attention to tokens that are drawn from what the block is told of its target."""

    def __init__(self, block: nn.Module, width: int, tokens: int, heads: int) -> None:
        super().__init__()
        self.block, self.width = block, width
        self.norm = nn.LayerNorm(width)
        self.tokens = nn.Linear(2 * width, tokens * width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        nn.init.zeros_(self.attention.out_proj.weight)  # begins as the block alone

    def forward(self, h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Return the block's output, and what was found in the tokens."""
        h = self.block(h, scale, shift)
        told = torch.cat([scale, shift], dim=2)
        tokens = self.tokens(told).reshape(len(h), -1, self.width)
        found: Tensor = self.attention(self.norm(h), tokens, tokens, need_weights=False)[0]
        return h + found
