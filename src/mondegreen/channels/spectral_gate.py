"""A gate for every bin of the spectrum: what is faint is taken for noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number

_FRAME_SECONDS = 0.032


@dataclass(frozen=True, kw_only=True)
class Gate(Channel):
    """Remove the bins of the short-time spectrum that are faint beside the clip's loudest one.

    Frames of about 32 ms, three quarters overlapping (Hann). Which bins stay counts as given, so
    almost everywhere the gradient is the true one.

    Raises:
        MondegreenError: ``db`` is out of range.
    """

    db: float = 40.0
    """How far below the loudest bin a bin may lie to stay, in dB."""

    def __post_init__(self) -> None:
        """Check the threshold."""
        check_number("gate", "db", self.db, 1.0, 120.0)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips without their faint bins."""
        size = 2 ** max(4, round(math.log2(_FRAME_SECONDS * sample_rate)))
        window = torch.hann_window(size, device=x.device, dtype=x.dtype)
        time = x.shape[2]
        padded = torch.nn.functional.pad(x[:, 0], (size, size))
        spectrum = torch.stft(
            padded, size, size // 4, window=window, pad_mode="constant", return_complex=True
        )
        magnitude = spectrum.detach().abs()
        loudest = magnitude.amax(dim=(1, 2), keepdim=True)
        open_ = (magnitude >= loudest * 10.0 ** (-self.db / 20.0)).to(x.dtype)
        kept: Tensor = torch.istft(
            spectrum * open_, size, size // 4, window=window, length=time + 2 * size
        )
        return kept[:, None, size : size + time]
