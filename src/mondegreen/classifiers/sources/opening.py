"""From what was typed in place of a folder to a classifier."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from mondegreen.classifiers.adopted import Sent
from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import Model, Source
from mondegreen.errors import MondegreenError
from mondegreen.files import exists
from mondegreen.zoo import PREFIX

if TYPE_CHECKING:
    from mondegreen.classifiers.classifier import Classifier

GROUP = "mondegreen.classifiers"
"""Entry points of other packages: kinds of sources by their prefix."""

BUILT_IN = (
    "http_service:HttpService",
    "hugging_face:HuggingFaceHub",
    "hugging_face:HuggingFace",
    "exported_program:ExportedProgram",
    "torchscript:TorchScript",
    "onnx_file:OnnxFile",
    "python_code:PythonCode",
)
"""In the order in which they are asked whether a text is theirs."""


@dataclass(frozen=True)
class Opened:
    """A source and the classifier that it became."""

    source: Source
    classifier: Classifier


def find_source(place: str | Path) -> Source | None:
    """Return the source that a text names; None where it is a folder of Mondegreen's own.

    Args:
        place: What was typed. A path, which swallows one of the slashes of ``https://``, is mended.
    """
    text = _mended(str(place))
    if text.startswith(PREFIX) or exists(Path(text) / "classifier.json"):
        return None
    prefix, colon, rest = text.partition(":")
    if colon and not exists(Path(text)):
        for point in entry_points(group=GROUP, name=prefix):
            kind = _loaded(prefix, point.load)
            return kind(rest)
    for name in BUILT_IN:
        module, _, attribute = name.partition(":")
        source: type[Source] = getattr(
            importlib.import_module(f"{__package__}.{module}"), attribute
        )
        if source.claims(text):
            return source(text)
    return None


def _mended(text: str) -> str:
    for scheme in ("http:/", "https:/"):
        if text.startswith(scheme) and not text.startswith(scheme + "/"):
            return scheme + "/" + text.removeprefix(scheme)
    return text


def _loaded(name: str, load: Callable[[], Any]) -> type[Source]:
    try:
        kind = load()
    except Exception as error:  # whatever somebody else's module raises
        raise MondegreenError(
            f"the source {name!r} (entry point of {GROUP}) cannot be imported: "
            f"{type(error).__name__}: {error}."
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Source)):
        raise MondegreenError(
            f"the source {name!r} (entry point of {GROUP}) is no subclass of "
            "mondegreen.classifiers.sources.Source."
        )
    return kind


def is_source(place: str | Path) -> bool:
    """Tell whether a text names a model made elsewhere.

    Example:
        >>> is_source("my_model.py:build"), is_source("runs/spotter"), is_source("zoo:x")
        (True, False, False)
    """
    return find_source(place) is not None


def open_source(
    place: str | Path,
    labels: tuple[str, ...] = (),
    options: ModelOptions | None = None,
    sounds: Tensor | None = None,
) -> Opened:
    """Open a model made elsewhere and find out how it is used.

    The user has named it, so it is opened: its code may run, a service is asked.

    Args:
        place: What was typed, such as ``my_model.py:build``.
        labels: Its labels, where it does not know them itself.
        options: What else is known.
        sounds: Clips to try it with; by default noise and tones.

    Raises:
        MondegreenError: It names no source, cannot be opened, or something has to be said about
            it; the message says what.
    """
    source = find_source(place)
    if source is None:
        raise MondegreenError(f"{place} is no model made elsewhere; name a folder or a model.")
    options = options or ModelOptions()
    classifier = classifier_from(source, source.model(options), labels, options, sounds)
    return Opened(source, classifier)


def classifier_from(
    source: Source,
    model: Model,
    labels: tuple[str, ...],
    options: ModelOptions,
    sounds: Tensor | None = None,
    sent: Sent | None = None,
) -> Classifier:
    """Make a classifier of a model that a source gave.

    Raises:
        MondegreenError: As for :func:`open_source`.
    """
    from mondegreen.classifiers.adopting import adopt
    from mondegreen.classifiers.classifier import Classifier

    try:
        if model.named is not None:
            return model.named(labels).freeze()
        if isinstance(model.module, Classifier):
            return _finished(model.module, labels)
        return adopt(
            model.module,
            labels or model.labels,
            options.completed_by(model.options),
            name=model.name,
            sounds=sounds,
            batch=model.batch,
            identity=model.identity,
            black_box=model.black_box,
            sent=sent or Sent(),
        )
    except MondegreenError as error:
        raise MondegreenError(f"{source.text}: {error}") from error


def _finished(classifier: Classifier, labels: tuple[str, ...]) -> Classifier:
    """Return a classifier that a source gave as one."""
    if labels and labels != classifier.labels:
        raise MondegreenError(
            f"it names its labels itself: {', '.join(classifier.labels)}; leave --labels out."
        )
    return classifier.freeze()
