"""``Wav2Vec2FeatureExtractor`` in PyTorch: the waveform, standardised clip by clip."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from mondegreen.classifiers.features import full_precision

# Added to the variance, as in the original: a clip of silence stays silence.
_VARIANCE_FLOOR = 1e-7


@dataclass(frozen=True)
class NormalizedWaveformConfig:
    """What ``Wav2Vec2FeatureExtractor`` does to a clip that needs no padding."""

    do_normalize: bool = True
    """Give every clip zero mean and unit variance."""


class NormalizedWaveform(nn.Module):
    """The samples, standardised: ``(x - mean) / sqrt(variance + 1e-7)``.

    The mean and the variance are the clip's, zeros at its end included.

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: ``(batch, time)``

    Example:
        >>> import torch
        >>> NormalizedWaveform(NormalizedWaveformConfig())(torch.tensor([[[0.0, 1.0]]])).round()
        tensor([[-1.,  1.]])
    """

    def __init__(self, config: NormalizedWaveformConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, x: Tensor) -> Tensor:
        """Return the standardised samples of each waveform."""
        x = x[:, 0]
        if not self.config.do_normalize:
            return x
        with full_precision(x):
            centred = x - x.mean(dim=1, keepdim=True)
            variance = centred.square().mean(dim=1, keepdim=True)
            return centred / (variance + _VARIANCE_FLOOR).sqrt()
