"""An audio-classification model of Hugging Face: its folder, or ``hf:NAME``."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import ClassVar

from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import Model, Source
from mondegreen.errors import MondegreenError
from mondegreen.files import exists, read_json

PREFIX = "hf:"


class HuggingFace(Source):
    """A folder that ``save_pretrained`` wrote."""

    kind = "hugging-face"

    @classmethod
    def claims(cls, text: str) -> bool:
        """Tell by a ``config.json`` that names a kind of model."""
        path = Path(text) / "config.json"
        if not exists(path):
            return False
        try:
            config = read_json(path)
        except MondegreenError:
            return False
        return isinstance(config, dict) and "model_type" in config

    def model(self, options: ModelOptions) -> Model:
        """Load it."""
        from mondegreen.classifiers.huggingface import from_huggingface  # needs transformers
        from mondegreen.classifiers.huggingface.model import is_placeholder

        self._refuse_options(options)
        classifier = from_huggingface(
            self.text, clip_samples=options.clip_samples, placeholders=True
        )
        if options.sample_rate not in (None, classifier.sample_rate):
            raise MondegreenError(
                f"{self.text} hears {classifier.sample_rate} Hz, not {options.sample_rate}: leave "
                "--sample-rate out, and clips are resampled."
            )
        nameless = any(map(is_placeholder, classifier.labels))
        return Model(classifier, classifier.name, named=classifier.named if nameless else None)

    def _refuse_options(self, options: ModelOptions) -> None:
        """Refuse what would be said in vain: the model's files say it."""
        blank = ModelOptions()
        for one in fields(options):
            free = one.name in ("sample_rate", "clip_samples")
            if not free and getattr(options, one.name) != getattr(blank, one.name):
                raise MondegreenError(
                    f"{self.text}: its files say what it is given and how it answers; leave "
                    f"--{one.name.replace('_', '-')} out."
                )


class HuggingFaceHub(HuggingFace):
    """A model of the Hugging Face hub, fetched unless it is in the cache."""

    kind = "hugging-face-hub"
    unseen: ClassVar[str | None] = "fetches from the Hugging Face hub"

    @classmethod
    def claims(cls, text: str) -> bool:
        """Tell by the prefix."""
        return text.startswith(PREFIX)
