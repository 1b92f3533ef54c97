"""The protocol of a source of models."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mondegreen.classifiers.contract import ModelOptions
from mondegreen.errors import MondegreenError

if TYPE_CHECKING:
    from mondegreen.classifiers.classifier import Classifier

MAX_LABELS = 100_000


@dataclass(frozen=True)
class Model:
    """A model as it comes from a source, with what the source says about it."""

    module: Callable[..., Any]
    """A module, a function, or a finished :class:`~mondegreen.classifiers.classifier.Classifier`.
    It maps clips to whatever probing can make sense of."""
    name: str
    """For tables and files."""
    labels: tuple[str, ...] = ()
    """What the source says of its labels; empty where it does not."""
    options: ModelOptions = field(default_factory=ModelOptions)
    """What else it says."""
    identity: str | None = None
    """What tells the model from others beside its weights and its parts."""
    batch: int | None = None
    """How many clips it takes at once, where that is fixed."""
    black_box: bool = False
    """Whether it is known to give no gradients."""
    named: Callable[[tuple[str, ...]], Classifier] | None = None
    """Of a finished classifier whose labels are placeholders: gives it names for them."""


class Source(ABC):
    """A kind of place that models come from; an instance is one such place.

    A new kind is a subclass in any package, registered as an entry point of the group
    ``mondegreen.classifiers``. An entry point called ``tflite`` opens ``tflite:keywords.tflite``:
    its class is given the text after the colon.

    Args:
        text: The place, as it was typed.
    """

    kind: ClassVar[str]
    """A short name, for tables and sheets."""
    unseen: ClassVar[str | None] = None
    """What opening does that nobody should do unseen, such as ``runs the code in``; None where it
    only reads. A file that names such a source is refused unless the user had named the same."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def claims(cls, text: str) -> bool:
        """Tell whether a text that was typed in place of a folder is of this kind."""
        return False

    @property
    def path(self) -> Path | None:
        """The file that holds the model; None where there is none."""
        return None

    @abstractmethod
    def model(self, options: ModelOptions) -> Model:
        """Open it.

        Args:
            options: What the user says of it, where opening depends on it.

        Raises:
            MondegreenError: It is not there, damaged, or no model.
        """


class FileSource(Source):
    """A model in one file, told by its suffix."""

    suffixes: ClassVar[tuple[str, ...]]

    @classmethod
    def claims(cls, text: str) -> bool:
        """Tell by the suffix."""
        return Path(text).suffix.lower() in cls.suffixes

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.text)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex.

    Raises:
        MondegreenError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise MondegreenError(f"{path} does not exist; name the file of the model.") from error
    except OSError as error:
        raise MondegreenError(f"cannot read {path}: {error.strerror or error}.") from error


def told(
    facts: Mapping[str, Any], where: str, *, surely: bool = True
) -> tuple[tuple[str, ...], ModelOptions]:
    """Read what a model says about itself: ``labels``, ``sample_rate``, ``clip_samples``.

    Args:
        facts: What it says; other keys are ignored. Labels are a list, or a text that is a JSON
            list or has commas.
        where: The place, for the error message.
        surely: Whether these are facts for sure. A model's own attributes may mean something else
            by the same name: what cannot be read is left out then.

    Raises:
        MondegreenError: A fact is of the wrong type.
    """
    found: list[Any] = []
    for read, name in ((_number, "sample_rate"), (_number, "clip_samples"), (_labels, "labels")):
        try:
            found.append(read(facts.get(name), name, where))
        except MondegreenError:
            if surely:
                raise
            found.append(read(None, name, where))
    return found[2], ModelOptions(found[0], found[1])


def _number(value: Any, name: str, where: str) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer():
        return int(float(value))
    if value is not None:
        raise MondegreenError(f"{where}: its {name} is {value!r}, not a whole number.")
    return None


def _labels(value: Any, name: str, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [part.strip() for part in value.split(",")]
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise MondegreenError(f"{where}: its {name} are no list of texts.")
    if len(value) > MAX_LABELS:
        raise MondegreenError(f"{where}: it names {len(value)} labels; too many.")
    return tuple(value)
