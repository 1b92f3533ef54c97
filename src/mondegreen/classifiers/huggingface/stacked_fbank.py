"""``SeamlessM4TFeatureExtractor`` in PyTorch: Kaldi's filter bank, neighbouring frames as one."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from mondegreen.classifiers.features import full_precision
from mondegreen.classifiers.huggingface.kaldi_log_mel import KaldiLogMel
from mondegreen.errors import MondegreenError

_FULL_SCALE = 32_768.0
_VARIANCE_FLOOR = 1e-7


@dataclass(frozen=True)
class StackedFbankConfig:
    """The options of ``SeamlessM4TFeatureExtractor``, under its names."""

    sampling_rate: int = 16_000
    """In Hz."""
    num_mel_bins: int = 80
    """Mel bands between 20 Hz and half of the rate."""
    stride: int = 2
    """Frames that become one."""

    def __post_init__(self) -> None:
        """Refuse what makes no features."""
        if self.stride < 1:
            raise MondegreenError(f"stride is {self.stride}; it must be 1 or more frames.")


class StackedFbank(nn.Module):
    """Features of w2v-BERT 2.0 (Seamless Communication 2023, arXiv 2312.05187).

    The filter bank of the waveform in 16-bit units under Povey's window, every band with zero mean
    and unit variance over the clip; each ``stride`` frames side by side. Frames that make no full
    stack are left out: the original fills that stack up and masks it.

    Shape:
        - Input: ``(batch, 1, time)``, 400 samples or more
        - Output: ``(batch, frames // stride, stride * num_mel_bins)``
    """

    def __init__(self, config: StackedFbankConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = KaldiLogMel(config.num_mel_bins, config.sampling_rate, "povey")

    def forward(self, x: Tensor) -> Tensor:
        """Return the stacked features of each waveform."""
        features: Tensor = self.log_mel(_FULL_SCALE * x[:, 0])
        with full_precision(x):
            centred = features - features.mean(dim=1, keepdim=True)
            variance = centred.square().sum(dim=1, keepdim=True) / (features.shape[1] - 1)
            scaled = centred / (variance + _VARIANCE_FLOOR).sqrt()
        stride, bands = self.config.stride, self.config.num_mel_bins
        stacks = features.shape[1] // stride
        return scaled[:, : stacks * stride].reshape(len(x), stacks, stride * bands)
