"""A small discriminator that looks at spectrograms of several resolutions.

The paper's discriminator reads the waveform with 97 million parameters. This one is made for CPUs,
after the multi-resolution spectrogram discriminators of UnivNet (Jang et al., Interspeech 2021) and
EnCodec (Defossez et al., *High Fidelity Neural Audio Compression*, 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from mondegreen.errors import MondegreenError

_SLOPE = 0.2
_FLOOR = 1e-9  # -90 dB of full scale, about the rounding of 16-bit PCM


@dataclass(frozen=True, kw_only=True)
class SpectralDiscriminatorConfig:
    """Size of the spectrogram discriminator."""

    kind: Literal["spectral"] = "spectral"
    windows: tuple[int, ...] = (256, 512, 1024)
    """Samples in the frames of each spectrogram; frames overlap by half."""
    width: int = 16
    """Channels of every convolution but the last."""
    layers: int = 3
    """Convolutions after the first; each but the last halves time and frequency."""

    def __post_init__(self) -> None:
        """Refuse sizes that no network has."""
        if not self.windows or any(window < 16 or window % 2 for window in self.windows):
            raise MondegreenError(
                f"spectral discriminator: windows is {self.windows}; choose even numbers from 16."
            )
        if self.width < 1 or not 1 <= self.layers <= 8:
            raise MondegreenError(
                f"spectral discriminator: width is {self.width} and layers {self.layers}; choose 1 "
                "or more, and 1 to 8."
            )


def log_spectrogram(x: Tensor, window: int) -> Tensor:
    """Return the level of every time-frequency bin, 0 at -60 dB of full scale, 1 at -40 dB.

    Hann frames every half window, the first and the last reaching over the clip's ends. Levels are
    cut softly at -90 dB, near the rounding noise of 16 bits, so silence is finite.

    Args:
        x: Waveforms of any length, ``(batch, 1, time)``.
        window: Samples in a frame.

    Returns:
        ``(batch, 1, frames, window // 2 + 1)``, ``frames = ceil(time / (window // 2)) + 1``.
    """
    hop = window // 2
    frames = F.pad(x, (hop, -x.shape[2] % hop + hop)).unfold(2, window, hop)
    taper = torch.hann_window(window, device=x.device) * (4.0 / window)
    spectrum = torch.fft.rfft(frames.float() * taper)  # knows no half precision
    power = spectrum.real.square() + spectrum.imag.square()
    level: Tensor = 0.5 * (power + _FLOOR).log10() + 3.0
    return level


class _Resolution(nn.Module):
    """Convolutions over one spectrogram: a map of scores, and the features on the way.

    Shape:
        - Input: ``(batch, 1, frames, bins)``
        - Output: ``(batch, 1, frames', bins')``
    """

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        strides = [(1, 2), *[(2, 2)] * (layers - 1), (1, 1)]
        inputs = [1, *[width] * layers]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(channels, width, (3, 5), stride, (1, 2)))
            for channels, stride in zip(inputs, strides, strict=True)
        )
        self.score = weight_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, h: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the scores and the output of every layer."""
        features = []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), _SLOPE)
            features.append(h)
        return self.score(h), features


class SpectralDiscriminator(nn.Module):
    """Multi-resolution spectrogram discriminator: waveform to one score a clip.

    For every window, a log-magnitude spectrogram goes through ``layers + 1`` convolutions with
    kernels of 3 frames by 5 bins, weight norm and LeakyReLU 0.2 (the first halves the frequencies,
    the last nothing, those between both axes) and a convolution to one channel. A clip's score is
    the mean over its positions and then over the windows, so clips of any length are scored alike.
    It is raw and high for genuine clips, as that of
    :class:`mondegreen.gan.discriminator.Discriminator`.

    At the defaults, 43 million multiply-accumulates for a clip of 16,000 samples.

    UnivNet takes linear magnitudes and EnCodec complex spectra; both keep a score for every
    position, where the paper's losses take one a clip.

    Args:
        config: Windows, width and depth.

    Shape:
        - Input: ``(batch, 1, time)``, any length
        - Output: ``(batch,)``

    Example:
        >>> net = SpectralDiscriminator(SpectralDiscriminatorConfig())
        >>> net(torch.zeros(2, 1, 16000)).shape
        torch.Size([2])
        >>> sum(parameter.numel() for parameter in net.parameters())
        36102
    """

    def __init__(self, config: SpectralDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.resolutions = nn.ModuleList(
            _Resolution(config.width, config.layers) for _ in config.windows
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the raw score of each clip."""
        return self.judge(x)[0]

    def judge(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the raw scores and the features of every layer, for a feature-matching loss.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch,)`` and ``len(windows) * (layers + 1)`` tensors ``(batch, width,
              frames, bins)``
        """
        scores, features = [], []
        for window, resolution in zip(self.config.windows, self.resolutions, strict=True):
            score, found = resolution(log_spectrogram(x, window))
            scores.append(score.flatten(1).mean(dim=1))
            features += found
        return torch.stack(scores).mean(dim=0), features


def feature_matching_loss(
    real_features: Sequence[Tensor], adv_features: Sequence[Tensor]
) -> Tensor:
    r"""Return how far the features of adversarial clips are from those of the genuine ones.

    .. math:: \frac1L \sum_l \frac{E|f_l(x) - f_l(x_{adv})|}{E|f_l(x)|}

    (Defossez et al. 2022). No gradient flows into the genuine clips' features.

    Args:
        real_features: Of the genuine clips, layer by layer.
        adv_features: Of the adversarial ones, in the same order.

    Returns:
        The loss, a scalar; 0 where all features agree.

    Raises:
        ValueError: There are no features, or not as many of both.

    Example:
        >>> feature_matching_loss([torch.tensor([1.0, 3.0])], [torch.tensor([1.0, 2.0])])
        tensor(0.2500)
    """
    if not real_features or len(real_features) != len(adv_features):
        raise ValueError(
            f"expected as many features of both, got {len(real_features)} and {len(adv_features)}"
        )
    terms = []
    for real, adv in zip(real_features, adv_features, strict=True):
        reference = real.detach()
        scale = reference.abs().mean().clamp_min(1e-6)
        terms.append((reference - adv).abs().mean() / scale)
    return torch.stack(terms).mean()
