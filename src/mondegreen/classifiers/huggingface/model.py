"""A transformer of Hugging Face behind its feature extractor, from waveform to logits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from mondegreen.classifiers.adopted import Finding
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.huggingface.parity import Parity
from mondegreen.errors import MondegreenError

ProblemType = Literal["single_label_classification", "multi_label_classification"]
"""Whether the labels exclude each other, under the names that Transformers has for it."""


def is_placeholder(label: str) -> bool:
    """Tell whether a label is what Transformers writes where nobody named it.

    Example:
        >>> is_placeholder("LABEL_10"), is_placeholder("LABEL")
        (True, False)
    """
    return re.fullmatch(r"LABEL_\d+", label) is not None


@dataclass(frozen=True)
class HuggingFaceConfig:
    """What changes a model's answers beside its weights; part of the classifier's fingerprint."""

    architecture: str
    """The class of the model, such as ``ASTForAudioClassification``."""
    settings: str
    """Its ``config.json`` as sorted JSON, without what changes no answer."""


class HuggingFaceModule(nn.Module):
    """Feature extractor and model.

    No attention mask is passed: clips here are of one length, and zeros at their end are sound like
    any other, which an attacker may fill.

    Shape:
        - Input: ``(batch, 1, clip_samples)``
        - Output: ``(batch, labels)``
    """

    def __init__(self, extractor: nn.Module, model: Any, config: HuggingFaceConfig) -> None:
        super().__init__()
        self.extractor = extractor
        self.model = model
        self.config = config

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.model(self.extractor(x)).logits
        return logits


class HuggingFaceClassifier(Classifier):
    """A classifier that knows how well its features match those of the original extractor.

    Args:
        module: Extractor and model.
        problem_type: Whether the labels exclude each other.
        parity: How far features and logits are from the original's.
        assumed_clip: Whether nobody said how long clips are.
        **options: As of :class:`~mondegreen.classifiers.classifier.Classifier`.
    """

    def __init__(
        self,
        module: HuggingFaceModule,
        *,
        problem_type: ProblemType,
        parity: Parity,
        assumed_clip: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(module, **options)
        self.problem_type: ProblemType = problem_type
        self.parity = parity
        self.assumed_clip = assumed_clip

    def named(self, labels: Sequence[str]) -> HuggingFaceClassifier:
        """Return the same with names for its labels, which its files do not give.

        Args:
            labels: Names, in the order of the logits.

        Raises:
            MondegreenError: They are none, not as many as there are logits, or not distinct.
        """
        if not labels:
            raise MondegreenError(
                f"its config.json calls the labels {self.labels[0]}, {self.labels[1]} and so on. "
                "Name them in the order of its answers: --labels of mondegreen adopt, or labels= "
                "in Python."
            )
        if len(labels) != len(self.labels):
            raise MondegreenError(
                f"{len(labels)} labels were given, and it answers with {len(self.labels)}."
            )
        assert isinstance(self.module, HuggingFaceModule)
        return HuggingFaceClassifier(
            self.module,
            problem_type=self.problem_type,
            parity=self.parity,
            assumed_clip=self.assumed_clip,
            labels=tuple(labels),
            sample_rate=self.sample_rate,
            clip_samples=self.clip_samples,
            name=self.name,
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is known of the model, and from where."""
        told, seconds = "told by the model", self.clip_samples / self.sample_rate
        length = "assumed" if self.assumed_clip else "given"
        parity = f"features {self.parity.features:.1e}, logits {self.parity.logits:.1e}"
        return (
            Finding("labels", str(len(self.labels)), told),
            Finding("problem", self.problem_type.replace("_", " "), told),
            Finding("sample rate", f"{self.sample_rate} Hz", told),
            Finding("clip", f"{self.clip_samples} samples ({seconds:g} s)", length),
            Finding("off its own extractor", parity, f"detected, on {self.parity.clips} clips"),
        )
