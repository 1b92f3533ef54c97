"""``ASTFeatureExtractor`` in PyTorch: Kaldi's filter bank, of one length and standardised."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.classifiers.huggingface.kaldi_log_mel import FRAME, HOP, KaldiLogMel
from mondegreen.errors import MondegreenError


@dataclass(frozen=True)
class KaldiFbankConfig:
    """The options of ``ASTFeatureExtractor``, under its names."""

    sampling_rate: int = 16_000
    """In Hz."""
    num_mel_bins: int = 128
    """Mel bands between 20 Hz and half of the rate."""
    max_length: int = 1_024
    """Frames; what is missing is filled with zeros before the standardisation, the rest is cut."""
    do_normalize: bool = True
    """Subtract ``mean`` and divide by twice ``std``."""
    mean: float = -4.2677393
    """Mean of the features over the training data."""
    std: float = 4.5689974
    """Their standard deviation."""

    def __post_init__(self) -> None:
        """Refuse what makes no features."""
        if self.max_length < 1:
            raise MondegreenError(f"max_length is {self.max_length}; it must be 1 or more frames.")
        if self.do_normalize and not self.std > 0.0:
            raise MondegreenError(f"std is {self.std}; it must be positive.")


class KaldiFbank(nn.Module):
    """Features of the audio spectrogram transformer (Gong et al. 2021, arXiv 2104.01778).

    Shape:
        - Input: ``(batch, 1, time)``, 400 samples or more
        - Output: ``(batch, max_length, num_mel_bins)``

    Example:
        >>> import torch
        >>> features = KaldiFbank(KaldiFbankConfig(max_length=3))(torch.zeros(1, 1, 560))
        >>> features[0, :, 0]  # two frames of silence, and one that is missing
        tensor([-1.2776, -1.2776,  0.4670])
    """

    def __init__(self, config: KaldiFbankConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = KaldiLogMel(config.num_mel_bins, config.sampling_rate, "hann")

    def forward(self, x: Tensor) -> Tensor:
        """Return the standardised filter bank of each waveform."""
        c = self.config
        heard = (c.max_length - 1) * HOP + FRAME  # what lies behind would be cut from the features
        features = self.log_mel(x[:, 0, :heard])
        features = F.pad(features, (0, 0, 0, c.max_length - features.shape[1]))
        return (features - c.mean) / (2.0 * c.std) if c.do_normalize else features
