"""Detection by what smoothing removes: the level of the residual, band by band, learned.

Speech leaves little there between its sounds; a perturbation that was made for the ear's sake of
one classifier leaves more. The features are few, so that some hundred clips are enough.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mondegreen.channels import Smooth, Streams
from mondegreen.detection.detector import Detector
from mondegreen.errors import MondegreenError

_FRAME, _BANDS, _FLOOR = 512, 16, 1e-10


def residual_features(x: Tensor, samples: int = 9) -> Tensor:
    """Return log-energies of what a smoothing takes away, by bands of equal width.

    For each band the mean and the standard deviation over time of the natural logarithm of the
    power (Hann frames of 512 samples, half overlapping): speech comes and goes, so what fills its
    pauses raises the mean and lowers the deviation.

    Args:
        x: Clips.
        samples: Length of the smoothing window, which is Gaussian.

    Shape:
        - Input: ``(batch, 1, time)``
        - Output: ``(batch, 32)``
    """
    smoothed = Smooth(samples=samples, kind="gaussian").transform(x, 1, Streams(()))
    rest = (x - smoothed)[:, 0]
    window = torch.hann_window(_FRAME, device=x.device, dtype=x.dtype)
    spectrum = torch.stft(
        rest, _FRAME, _FRAME // 2, window=window, pad_mode="constant", return_complex=True
    )
    power = torch.view_as_real(spectrum).square().sum(dim=3)[:, 1:]
    bands = power.view(len(x), _BANDS, -1, power.shape[2]).mean(dim=2)
    level = (bands + _FLOOR).log()
    return torch.cat([level.mean(dim=2), level.std(dim=2)], dim=1)


class Residual(Detector):
    """A logistic regression on :func:`residual_features`; the score is its logit.

    Args:
        samples: Length of the smoothing window.
    """

    def __init__(self, samples: int = 9) -> None:
        super().__init__()
        self.samples = samples
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(2 * _BANDS))
        self.register_buffer("scale", torch.ones(2 * _BANDS))
        self.line = torch.nn.Linear(2 * _BANDS, 1)
        torch.nn.init.zeros_(self.line.weight)
        torch.nn.init.zeros_(self.line.bias)

    def describe(self) -> str:
        """Return the settings."""
        return f"Residual(samples={self.samples})"

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logit: Tensor = self.line((residual_features(x, self.samples) - self.mean) / self.scale)
        return logit[:, 0]

    def fit(self, benign: Tensor, adversarial: Tensor, *, penalty: float = 1e-3) -> Residual:
        """Learn to tell two sets of clips apart, each counting as much as the other.

        Minimises the mean logistic loss plus ``penalty`` times the squared weights by L-BFGS, from
        zero: the same clips give the same detector.

        Args:
            benign: Clips that nobody attacked.
            adversarial: Clips that somebody did.
            penalty: Of the weights, on features of unit variance.

        Shape:
            - benign, adversarial: ``(clips, 1, time)``

        Returns:
            Itself, frozen.

        Raises:
            MondegreenError: One of the sets is empty.
        """
        if not len(benign) or not len(adversarial):
            raise MondegreenError("a detector learns from both benign and adversarial clips.")
        with torch.no_grad():
            parts = [residual_features(x, self.samples) for x in (benign, adversarial)]
            features = torch.cat(parts)
            self.mean.copy_(features.mean(dim=0))
            self.scale.copy_(features.std(dim=0).clamp_min(1e-6))
            features = (features - self.mean) / self.scale
        truth = torch.cat([torch.zeros(len(parts[0])), torch.ones(len(parts[1]))])
        weight = torch.where(truth > 0.5, 0.5 / len(parts[1]), 0.5 / len(parts[0]))
        _descend(self.line, features, truth.to(features), weight.to(features), penalty)
        self.requires_grad_(False)
        return self


def _descend(
    line: torch.nn.Linear, features: Tensor, truth: Tensor, weight: Tensor, penalty: float
) -> None:
    """Fit a logistic regression by L-BFGS."""
    search = torch.optim.LBFGS(line.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        logit = line(features)[:, 0]
        lost = torch.nn.functional.binary_cross_entropy_with_logits(
            logit, truth, weight, reduction="sum"
        )
        total: Tensor = lost + penalty * line.weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with torch.enable_grad():
        found = float(search.step(loss).detach())  # type: ignore[no-untyped-call]
    if not math.isfinite(found):
        raise MondegreenError("the detector did not learn: its loss is not finite.")
