"""An audio-classification model of Hugging Face: ``hf:NAME`` or its folder."""

from __future__ import annotations

from pathlib import Path

from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import Model, Source
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json

PREFIX = "hf:"


class HuggingFace(Source):
    """A model of the Hugging Face hub, or a folder that ``save_pretrained`` wrote."""

    kind = "hugging-face"

    @classmethod
    def claims(cls, text: str) -> bool:
        """Tell by the prefix, or by a ``config.json`` that names a kind of model."""
        if text.startswith(PREFIX):
            return True
        path = Path(text) / "config.json"
        if not path.is_file():
            return False
        try:
            config = read_json(path)
        except MondegreenError:
            return False
        return isinstance(config, dict) and "model_type" in config

    def model(self, options: ModelOptions) -> Model:
        """Load it."""
        from mondegreen.classifiers.huggingface import from_huggingface  # needs transformers

        place = self.text.removeprefix(PREFIX)
        classifier = from_huggingface(place, clip_samples=options.clip_samples)
        return Model(classifier, Path(place).name)
