"""The classifier under attack: waveform in, logits out, front end included."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from mondegreen.audio import Normalization, fit_length, read_mono, rescale, write_wav
from mondegreen.classifiers.backbones import BackboneConfig, backbone_name, build_network
from mondegreen.classifiers.features import FrontEndConfig, LogMelConfig
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.configs import to_dict
from mondegreen.errors import MondegreenError
from mondegreen.fitting import at_once
from mondegreen.weights import fingerprint


@dataclass(frozen=True)
class ClassifierConfig:
    """Everything but the weights of a built-in classifier."""

    labels: tuple[str, ...]
    """Label names, in the order of the logits."""
    front_end: FrontEndConfig = LogMelConfig()
    """Features computed from the waveform, inside of the module."""
    backbone: BackboneConfig = TCResNetConfig()
    """The network on top of the features."""
    sample_rate: int = 16_000
    """Sample rate of the waveforms, in Hz."""
    clip_samples: int = 16_384
    """Samples in a clip; shorter recordings are zero-padded at the end, longer ones cut."""
    normalization: Normalization = "pcm"
    """How 16-bit PCM becomes a float."""

    def __post_init__(self) -> None:
        """Refuse clips that cannot be."""
        if self.sample_rate < 1 or self.clip_samples < 1:
            raise MondegreenError(
                f"classifier: sample_rate {self.sample_rate} and clip_samples {self.clip_samples} "
                "must be 1 or more."
            )

    @property
    def name(self) -> str:
        """A short name such as ``tc-resnet8`` or ``wide-resnet-28-10``."""
        return backbone_name(self.backbone)


class Classifier(nn.Module):
    """A classifier of waveforms, as everything else in this package sees it.

    Args:
        module: Maps ``(batch, 1, clip_samples)`` in [-1, 1] to logits ``(batch, labels)``. Its
            front end is part of it, so that gradients reach the waveform.
        labels: Label names, in the order of the logits.
        sample_rate: In Hz.
        clip_samples: Samples in a clip.
        name: For tables and files.
        normalization: How 16-bit PCM becomes a float for this classifier.
        differentiable: Whether gradients reach the waveform. Otherwise only attacks that need none
            are possible: see :func:`require_gradients`.

    Raises:
        MondegreenError: Fewer than two labels, or labels that are not distinct.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        labels: tuple[str, ...],
        sample_rate: int,
        clip_samples: int,
        name: str,
        normalization: Normalization = "pcm",
        differentiable: bool = True,
    ) -> None:
        super().__init__()
        if len(labels) < 2 or len(set(labels)) != len(labels):
            raise MondegreenError(f"a classifier needs two or more distinct labels, not {labels}.")
        self.module = module
        self.labels = labels
        self.sample_rate = sample_rate
        self.clip_samples = clip_samples
        self.name = name
        self.normalization: Normalization = normalization
        self.differentiable = differentiable

    @classmethod
    def from_config(cls, config: ClassifierConfig) -> Classifier:
        """Build a classifier with fresh weights.

        Raises:
            MondegreenError: The front end does not fit the backbone, or the clips are too short.
        """
        return cls(
            build_network(
                config.front_end, config.backbone, len(config.labels), config.clip_samples
            ),
            labels=config.labels,
            sample_rate=config.sample_rate,
            clip_samples=config.clip_samples,
            name=config.name,
            normalization=config.normalization,
        )

    @classmethod
    def from_module(
        cls,
        module: Callable[..., Any],
        *,
        labels: Sequence[str],
        sample_rate: int,
        clip_samples: int | None = None,
        name: str | None = None,
        sounds: Tensor | None = None,
        **options: Any,
    ) -> Classifier:
        """Adopt a model made elsewhere: find out what it is given and how it answers, frozen.

        Args:
            module: A module, or any function, from clips to scores.
            labels: Label names, in the order of the scores.
            sample_rate: In Hz.
            clip_samples: Samples in a clip; one second by default.
            name: For tables and files; by default the class's.
            sounds: Clips to try it with, ``(3 or more, 1, clip_samples)``; by default noise and
                tones.
            **options: What is known and need not be found out: fields of
                :class:`~mondegreen.classifiers.contract.ModelOptions`, such as ``layout``,
                ``scaling``, ``output``, ``field`` and ``model_rate``.

        Raises:
            MondegreenError: The model does not work in any layout, or can be understood in several
                ways; the message says what to pass.

        Example:
            >>> two = nn.Sequential(nn.Linear(8000, 2), nn.Softmax(dim=1))  # takes (batch, time)
            >>> classifier = Classifier.from_module(two, labels=("no", "yes"), sample_rate=8000)
            >>> classifier.module.config.contract.output, classifier.differentiable
            ('probabilities', True)
        """
        from mondegreen.classifiers.adopting import adopt  # which builds on this module
        from mondegreen.classifiers.contract import ModelOptions

        wanted = ModelOptions(sample_rate=sample_rate, clip_samples=clip_samples, **options)
        return adopt(module, tuple(labels), wanted, name=name, sounds=sounds)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Shape:
            - Input: ``(batch, 1, clip_samples)``
            - Output: ``(batch, labels)``

        Raises:
            MondegreenError: The waveform has another shape, or the module writes into it.
        """
        if x.dim() != 3 or x.shape[1] != 1 or x.shape[2] != self.clip_samples:
            raise MondegreenError(
                f"{self.name} expects waveforms of shape (batch, 1, {self.clip_samples}), "
                f"not {tuple(x.shape)}."
            )
        if torch.compiler.is_compiling() or x.is_inference():
            return self._answer(x)
        before = x._version
        logits = self._answer(x)
        if x._version != before:
            raise MondegreenError(
                f"{self.name} changes its input in place, which spoils the clip that is measured; "
                "start its forward with: x = x.clone()."
            )
        return logits

    def _answer(self, x: Tensor) -> Tensor:
        logits: Tensor = self.module(x)
        return logits

    @property
    def device(self) -> torch.device:
        """The device that its weights lie on; the CPU where it has none."""
        tensors = itertools.chain(self.parameters(), self.buffers())
        return next((tensor.device for tensor in tensors), torch.device("cpu"))

    def freeze(self) -> Self:
        """Switch to evaluation mode and stop gradients to the weights; returns itself."""
        self.requires_grad_(False)
        self.eval()
        return self

    def read(self, *paths: str | Path) -> Tensor:
        """Read sound files as this classifier hears them: one channel, its rate, its length.

        Args:
            *paths: Files of any format, rate and number of channels.

        Shape:
            - Output: ``(files, 1, clip_samples)``

        Raises:
            MondegreenError: A file cannot be read.
        """
        clips = [read_mono(Path(path), self.sample_rate) for path in paths]
        x = torch.stack([fit_length(x, self.clip_samples) for x in clips])[:, None]
        return rescale(x, self.normalization)

    def write(self, path: str | Path, x: Tensor) -> None:
        """Write a waveform of this classifier's rate and scaling as a 16-bit WAV file.

        Shape:
            - Input: ``(time,)`` or ``(channels, time)``

        Raises:
            MondegreenError: The file cannot be written.
        """
        write_wav(path, x, self.sample_rate, self.normalization)

    def refuse_other(self, name: str, fingerprint: str, where: str | Path) -> None:
        """Refuse what was trained against another classifier than this one.

        Args:
            name: Name of the classifier that it was trained against.
            fingerprint: Fingerprint of that classifier.
            where: The file or folder it came from.

        Raises:
            MondegreenError: It was another one.
        """
        if fingerprint != self.fingerprint():
            raise MondegreenError(
                f"{where} was trained against another classifier ({name} {fingerprint}), not this "
                f"one ({self.name} {self.fingerprint()}). Give the classifier it belongs to; with "
                "--transfer, evaluate and compare measure what carries over."
            )

    def label_index(self, label: str) -> int:
        """Return the index of ``label``.

        Raises:
            MondegreenError: The classifier does not know the label.
        """
        if label not in self.labels:
            raise MondegreenError(
                f"{self.name} has no label {label!r}; it knows: {', '.join(self.labels)}."
            )
        return self.labels.index(label)

    def parameter_count(self) -> int:
        """Return the number of trainable weights."""
        return sum(parameter.numel() for parameter in self.parameters())

    def fingerprint(self) -> str:
        """Return 16 hex digits that change with a label, a weight, the front end or the scaling."""
        shape = [self.labels, self.sample_rate, self.clip_samples, self.normalization]
        settings = [
            to_dict(part.config)
            for part in self.modules()
            if _is_frozen(getattr(part, "config", None))
        ]
        changing = {
            f"{name}.{buffer}"
            for name, part in self.named_modules()
            for buffer in getattr(part, "changing", ())
        }
        return fingerprint(self, [shape, settings], without=changing)


def _is_frozen(config: object) -> bool:
    """Tell this package's configurations, frozen dataclasses, from those of other libraries."""
    how = getattr(type(config), "__dataclass_params__", None)
    return dataclasses.is_dataclass(config) and bool(getattr(how, "frozen", False))


def require_gradients(classifier: Classifier, what: str) -> None:
    """Refuse what follows gradients where none reaches the waveform.

    Args:
        classifier: What is to be attacked.
        what: What needs them, for the message.

    Raises:
        MondegreenError: The classifier is not differentiable.
    """
    if not classifier.differentiable:
        raise MondegreenError(
            f"{what} needs the classifier's gradients, and {classifier.name} gives none: it only "
            "answers. Attacks that work with answers alone: genetic, pso and square; a generator "
            "that was trained against another classifier can be tried on it, too."
        )


@torch.no_grad()
def predict(classifier: Classifier, x: Tensor, batch_size: int = 256) -> Tensor:
    """Return the classifier's probabilities, computed in batches.

    Shape:
        - Input: ``(clips, 1, clip_samples)``
        - Output: ``(clips, labels)``
    """
    parts = torch.split(x, at_once(batch_size, classifier.clip_samples))
    return torch.cat(
        [classifier(part.to(classifier.device)).softmax(dim=1).cpu() for part in parts]
    )
