"""A generator in an ONNX file, run by ONNX Runtime.

The file is all there is to it: labels, targets, sample rate, budget and the classifier's
fingerprint are in its metadata (written by :mod:`mondegreen.generators.export`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mondegreen.budgets import SNR, Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.configs import from_dict
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import GeneratorConfig, refuse_unknown, wanted_db
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.metrics.extras import require

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FORMAT = "1"
"""Version of the metadata; a file of another version is refused."""

FORMAT_KEY = "mondegreen.format"
CONFIG_KEY = "mondegreen.generator"
FINGERPRINT_KEY = "mondegreen.fingerprint"
PARAMETERS_KEY = "mondegreen.parameters"


@dataclass(frozen=True)
class OnnxGenerator:
    """A generator in an ONNX file; called as :class:`mondegreen.generators.generator.Generator`.

    It computes on the CPU, and gives its result back on the device of ``x``. No gradients.
    """

    config: GeneratorConfig
    """Labels, targets, budget, and what the network was."""
    session: InferenceSession
    """The loaded graph."""
    metadata: dict[str, str]
    """What the file says about itself."""

    @classmethod
    def load(cls, path: str | Path, *, threads: int | None = None) -> OnnxGenerator:
        """Read a file that ``mondegreen export`` wrote.

        Args:
            path: The file.
            threads: How many threads work on one call; by default as many as PyTorch uses.

        Raises:
            MissingExtraError: ONNX Runtime is not installed.
            MondegreenError: The file is missing, damaged, or holds no generator.
        """
        session = _open(Path(path), threads or torch.get_num_threads())
        metadata = dict(session.get_modelmeta().custom_metadata_map)
        if metadata.get(FORMAT_KEY) != FORMAT:
            found = metadata.get(FORMAT_KEY)
            reason = "no generator" if found is None else f"a generator of format {found}"
            raise MondegreenError(
                f"{path} holds {reason}, not one of format {FORMAT}; write it anew with: "
                "mondegreen export."
            )
        return cls(_read_config(Path(path), metadata), session, metadata)

    @cached_property
    def budget(self) -> SNR | None:
        """The budget it was trained for, or None."""
        return None if self.config.budget_db is None else SNR(self.config.budget_db)

    @property
    def name(self) -> str:
        """``unet`` or ``spectral``."""
        return self.config.network.kind

    @property
    def dial(self) -> bool:
        """Whether the network takes a quietness."""
        return isinstance(self.config.network, SpectralConfig) and self.config.network.dial

    def fingerprint(self) -> str:
        """Return the fingerprint of the generator that the file was made from."""
        return self.metadata.get(FINGERPRINT_KEY, "")

    def parameter_count(self) -> int:
        """Return the number of weights of the generator that the file was made from."""
        return int(self.metadata.get(PARAMETERS_KEY, 0))

    def __call__(
        self,
        x: Tensor,
        target: Tensor,
        budget: Budget | None = None,
        snr_db: Tensor | None = None,
        quietness: float | Tensor = 0.0,
    ) -> Tensor:
        """Return a perturbation within the budget, with ``x + delta`` in [-1, 1].

        Args:
            x: Waveforms.
            target: Indices into the classifier's labels, ``(batch,)``.
            budget: The budget to keep; by default the one it was trained for.
            snr_db: A budget in dB for each clip, ``(batch,)``, in place of ``budget``.
            quietness: From 0 to 1, one number or one a clip, ``(batch,)``.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch, 1, time)``

        Raises:
            MondegreenError: It was not trained for one of the targets, or not for quietness.
        """
        labels = target.tolist()
        if not self._known.issuperset(labels):
            self._refuse_unknown(target)
        budget = budget if budget is not None or snr_db is not None else self.budget
        feeds = {
            "waveform": _array(x, torch.float32),
            "target": np.array(labels, np.int64),
            "snr_db": _wanted_db(x, budget, snr_db),
        }
        if self.dial:
            feeds["quietness"] = _one_a_clip(quietness, len(x))
        elif isinstance(quietness, Tensor) or quietness != 0.0:
            raise MondegreenError(
                "this generator knows no quietness; use 0, or one that was trained for it."
            )
        if snr_db is not None or isinstance(budget, SNR):
            return self._run("delta", feeds, x)
        delta = self._run("proposal", feeds, x)
        if budget is not None:
            delta = budget.project(x, delta)
        return delta.clamp(-1.0 - x, 1.0 - x)

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(self.config.labels.index(name) for name in self.config.targets)

    def _refuse_unknown(self, target: Tensor) -> None:
        slot_of = {name: slot for slot, name in enumerate(self.config.targets)}
        slots = torch.tensor([slot_of.get(label, -1) for label in self.config.labels])
        refuse_unknown(self.config, target.cpu(), slots[target.cpu()])

    def _run(self, output: str, feeds: dict[str, np.ndarray[Any, Any]], x: Tensor) -> Tensor:
        found = torch.from_numpy(self.session.run([output], feeds)[0])
        return found if x.is_cpu else found.to(x.device)


def load_onnx(
    path: str | Path, classifier: Classifier | None = None, *, threads: int | None = None
) -> OnnxGenerator:
    """Load a generator from an ONNX file, to use against a classifier.

    Args:
        path: The file.
        classifier: The classifier it will be used against.
        threads: How many threads work on one call; by default as many as PyTorch uses.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        MondegreenError: The file is missing or damaged, or its generator was trained against
            another classifier.
    """
    generator = OnnxGenerator.load(path, threads=threads)
    config = generator.config
    if classifier is not None:
        classifier.refuse_other(config.classifier_name, config.classifier_fingerprint, path)
    return generator


def _open(path: Path, threads: int) -> InferenceSession:
    require("onnxruntime", "onnx")
    import onnxruntime

    if not path.is_file():
        raise MondegreenError(f"{path} does not exist; mondegreen export writes such a file.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no base class of their own
        reason = str(error).splitlines()[0]
        raise MondegreenError(f"{path} is not a readable ONNX file ({reason}).") from error


def _read_config(path: Path, metadata: dict[str, str]) -> GeneratorConfig:
    try:
        settings = json.loads(metadata.get(CONFIG_KEY, ""))
    except ValueError as error:
        raise MondegreenError(f"{path}: its metadata are damaged ({error}).") from error
    return from_dict(GeneratorConfig, settings, str(path))


def _wanted_db(x: Tensor, budget: Budget | None, snr_db: Tensor | None) -> np.ndarray[Any, Any]:
    if snr_db is None and isinstance(budget, SNR):
        return np.array([budget.db] * len(x), np.float32)
    return _array(wanted_db(x, budget, snr_db), torch.float32)


def _one_a_clip(value: float | Tensor, clips: int) -> np.ndarray[Any, Any]:
    if isinstance(value, Tensor):
        return _array(value.expand(clips), torch.float32)
    return np.array([value] * clips, np.float32)


def _array(tensor: Tensor, kind: torch.dtype) -> np.ndarray[Any, Any]:
    # Each call of PyTorch takes tens of microseconds where ONNX Runtime has just had the caches.
    if not tensor.is_cpu or tensor.dtype != kind or tensor.requires_grad:
        tensor = tensor.detach().to("cpu", kind)
    return np.ascontiguousarray(tensor.numpy())
