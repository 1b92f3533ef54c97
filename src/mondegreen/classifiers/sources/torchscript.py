"""A TorchScript file, as ``torch.jit.save`` writes it."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import torch

from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import FileSource, Model, digest_of, told
from mondegreen.errors import MondegreenError

FACTS = "mondegreen.json"
"""Name of the extra file in which a model may say its labels, sample rate and clip length."""


def read_facts(text: str | bytes, where: str) -> dict[str, Any]:
    """Read the extra file of facts; empty where there is none.

    Raises:
        MondegreenError: It is no JSON object.
    """
    if not text:
        return {}
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise MondegreenError(f"{where}: its {FACTS} is not valid JSON ({error}).") from error
    if not isinstance(facts, dict):
        raise MondegreenError(f"{where}: its {FACTS} is no object.")
    return facts


class TorchScript(FileSource):
    """A TorchScript file is a program: PyTorch runs it."""

    kind = "torchscript"
    unseen: ClassVar[str | None] = "runs the program in"
    suffixes = (".pt", ".ts", ".pth", ".torchscript")

    def model(self, options: ModelOptions) -> Model:
        """Load it onto the CPU."""
        digest = digest_of(self.path)
        extra = {FACTS: ""}
        try:
            module = torch.jit.load(str(self.path), map_location="cpu", _extra_files=extra)  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError) as error:
            raise MondegreenError(
                f"{self.path} is no TorchScript file ({str(error).splitlines()[0][:120]}). A file "
                "of weights alone is no model: give a Python file whose function builds the model "
                "and loads them, such as my_model.py:build."
            ) from error
        facts = {
            name: getattr(module, name, None) for name in ("labels", "sample_rate", "clip_samples")
        }
        own_labels, own = told(facts, self.text, surely=False)
        labels, known = told(read_facts(extra[FACTS], self.text), self.text)
        labels, known = labels or own_labels, known.completed_by(own)
        return Model(module, self.path.stem, labels, known, identity=digest)
