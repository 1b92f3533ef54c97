"""A transformer of Hugging Face behind its feature extractor, from waveform to logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.huggingface.parity import Parity

ProblemType = Literal["single_label_classification", "multi_label_classification"]
"""Whether the labels exclude each other, under the names that Transformers has for it."""


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
        **options: As of :class:`~mondegreen.classifiers.classifier.Classifier`.
    """

    def __init__(
        self,
        module: HuggingFaceModule,
        *,
        problem_type: ProblemType,
        parity: Parity,
        **options: Any,
    ) -> None:
        super().__init__(module, **options)
        self.problem_type: ProblemType = problem_type
        self.parity = parity
