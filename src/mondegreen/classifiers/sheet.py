"""The sheet of an adopted model, ``classifier.json``: where it is from and how it is used.

With it, a folder stands for the model, and nothing has to be said or found out again. A sheet is a
file like any other: somebody may have sent it. So it never makes Mondegreen do what its user has
not asked for: see :mod:`mondegreen.classifiers.consent`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from mondegreen.classifiers.adopted import Adopted, Called
from mondegreen.classifiers.adopting import classifier_of
from mondegreen.classifiers.behaviour import close
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.consent import allow, refuse_unseen
from mondegreen.classifiers.contract import Contract, ModelOptions
from mondegreen.classifiers.probing import probe_sounds
from mondegreen.classifiers.sources.opening import Opened, find_source
from mondegreen.classifiers.sources.python_code import PythonCode
from mondegreen.classifiers.sources.source import Model, Source, digest_of
from mondegreen.configs import from_dict, to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.weights import load_weights, save_weights

_MOST_ANSWERS = 1_000
"""Labels of a model whose answers a sheet keeps."""


@dataclass(frozen=True)
class Origin:
    """Where a model is from."""

    place: str
    """As it was typed. A file is looked for in the folder the command is called in, then beside the
    sheet."""
    kind: str
    """``python``, ``torchscript``, ``torch.export``, ``onnx``, ``http``, ``hugging-face``, ..."""
    sha256: str | None
    """Of its file, where it is one."""
    bytes: int | None
    """Of its file."""


@dataclass(frozen=True)
class Sheet:
    """What ``classifier.json`` holds of an adopted model."""

    kind: Literal["adopted"]
    source: Origin
    name: str
    labels: tuple[str, ...]
    sample_rate: int
    clip_samples: int
    differentiable: bool
    fingerprint: str
    contract: Contract | None
    """None where the source gives a finished classifier."""
    trained: str | None = None
    """Fingerprint with the weights in ``classifier.safetensors`` beside the sheet, where it
    was trained on here; ``fingerprint`` is that of the source, which it began as."""
    changing: tuple[str, ...] = ()
    """Buffers that it makes or changes while it answers: no part of the fingerprint."""
    answers: tuple[tuple[float, ...], ...] = ()
    """Its numbers for the sounds of probing, where its code may keep weights that PyTorch does not
    know of."""


def save_sheet(folder: Path, opened: Opened) -> None:
    """Write ``classifier.json``, and remember that its user named the source.

    Args:
        folder: Where to.
        opened: The source and its classifier.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    source, classifier = opened.source, opened.classifier
    path = source.path
    sheet = Sheet(
        kind="adopted",
        source=Origin(
            source.text,
            source.kind,
            None if path is None else digest_of(path),
            None if path is None else path.stat().st_size,
        ),
        name=classifier.name,
        labels=classifier.labels,
        sample_rate=classifier.sample_rate,
        clip_samples=classifier.clip_samples,
        differentiable=classifier.differentiable,
        fingerprint=classifier.fingerprint(),
        contract=classifier.module.config.contract
        if isinstance(classifier.module, Adopted)
        else None,
        changing=getattr(classifier.module, "changing", ()),
        answers=_answers(classifier) if isinstance(source, PythonCode) else (),
    )
    write_json(folder / "classifier.json", {"format": 1, **to_dict(sheet)})
    if source.unseen is not None:
        allow(source, sheet.source.sha256)


@torch.no_grad()
def _answers(classifier: Classifier) -> tuple[tuple[float, ...], ...]:
    """Return what a model answers to the sounds of probing; nothing where that varies."""
    module = classifier.module
    if not isinstance(module, Adopted) or len(classifier.labels) > _MOST_ANSWERS:
        return ()
    sounds = probe_sounds(classifier.clip_samples, classifier.sample_rate)
    once, twice = (module.numbers(sounds).double() for _ in range(2))
    if not close(once, twice) or not bool(once.isfinite().all()):
        return ()
    return tuple(tuple(row) for row in once.tolist())


def read_sheet(path: Path) -> Sheet | None:
    """Read a ``classifier.json``; return None where it is not of a model made elsewhere.

    Raises:
        MondegreenError: The file is missing or damaged.
    """
    description = read_json(path)
    if not isinstance(description, dict) or description.get("kind") != "adopted":
        return None
    return _parse(description, path)


def save_trained(folder: Path, classifier: Classifier, sheet: Sheet) -> None:
    """Write the weights that an adopted model has now, and a sheet that asks for them.

    Args:
        folder: Where to.
        classifier: The model, trained on.
        sheet: The sheet that it was loaded by.

    Raises:
        MondegreenError: The folder cannot be written.
    """
    save_weights(folder / "classifier.safetensors", classifier.module, computed=False)
    trained = replace(sheet, trained=classifier.fingerprint())
    write_json(folder / "classifier.json", {"format": 1, **to_dict(trained)})


def _parse(description: dict[str, Any], path: Path) -> Sheet:
    settings = {key: value for key, value in description.items() if key != "format"}
    return from_dict(Sheet, settings, str(path))


def load_adopted(path: Path, description: dict[str, Any], *, allow_code: bool) -> Classifier:
    """Load the model that a sheet names, without probing it again.

    Args:
        path: The sheet.
        description: Its content.
        allow_code: Take a program or a service that was not named on this machine before.

    Raises:
        MondegreenError: The sheet is damaged, its source is gone or has changed, or it would run
            code or send clips that the user has not asked for.
    """
    sheet = _parse(description, path)
    source = _source(sheet, path)
    _refuse_changed(sheet, source, path)
    if source.unseen is not None and not allow_code:
        refuse_unseen(source, sheet.source.sha256, path)
    options = ModelOptions(
        sample_rate=sheet.sample_rate,
        clip_samples=sheet.clip_samples,
        model_rate=sheet.contract.model_rate if sheet.contract else None,
    )
    classifier = _classifier(sheet, source.model(options), path)
    found = classifier.fingerprint()
    if found != sheet.fingerprint:
        raise MondegreenError(
            f"{path}: {sheet.source.place} was {sheet.fingerprint} and is {found} now: its weights "
            "or its code have changed. Adopt it again: mondegreen adopt. (A function that draws "
            "weights at random builds another model each time; and what a model calculates, such "
            "as windows, may differ in the last bit on another processor or version of PyTorch.)"
        )
    if sheet.answers:
        if len({len(row) for row in sheet.answers}) > 1:
            raise MondegreenError(f"{path}: answers: expected rows of one length.")
        known, now = torch.tensor(sheet.answers), torch.tensor(_answers(classifier))
        if not close(known, now):
            raise MondegreenError(
                f"{path}: {sheet.source.place} answers otherwise than when it was adopted. Restore "
                "what it reads its weights from, or adopt it again: mondegreen adopt."
            )
    if sheet.trained is not None:
        _train_on(classifier, sheet.trained, path)
    return classifier


def _train_on(classifier: Classifier, wanted: str, path: Path) -> None:
    """Fill in the weights that lie beside a sheet."""
    weights = path.with_suffix(".safetensors")
    load_weights(weights, classifier.module)
    if classifier.fingerprint() != wanted:
        raise MondegreenError(
            f"{weights} holds other weights than {path.name} asks for ({wanted}). Restore both."
        )


def _classifier(sheet: Sheet, model: Model, path: Path) -> Classifier:
    if model.named is not None:
        return model.named(sheet.labels).freeze()
    if isinstance(model.module, Classifier):
        return model.module.freeze()
    if sheet.contract is None or not callable(model.module):
        raise MondegreenError(f"{path}: {sheet.source.place} gives no finished classifier now.")
    module = model.module if isinstance(model.module, nn.Module) else Called(model.module)
    module.eval()
    adopted = Adopted(
        module,
        sheet.contract,
        labels=len(sheet.labels),
        sample_rate=sheet.sample_rate,
        identity=model.identity,
        differentiable=sheet.differentiable and not model.black_box,
    )
    adopted.changing = sheet.changing
    return classifier_of(adopted, sheet.labels, sheet.clip_samples, sheet.name)


def _source(sheet: Sheet, path: Path) -> Source:
    """Return the source of a sheet: as typed, or a file beside the sheet."""
    source = find_source(sheet.source.place)
    if source is None or source.kind != sheet.source.kind:
        raise MondegreenError(
            f"{path}: {sheet.source.place} is no source of the kind {sheet.source.kind!r} here."
        )
    file = source.path
    if sheet.source.sha256 is None or file is None or file.is_file():
        return source
    beside = path.parent / file.name
    if not beside.is_file():
        raise MondegreenError(
            f"{path}: its model {file} is gone. Start in the folder where it was adopted, put the "
            "file beside the sheet, or adopt it again."
        )
    return type(source)(str(beside) + sheet.source.place.removeprefix(str(file)))


def _refuse_changed(sheet: Sheet, source: Source, path: Path) -> None:
    file = source.path
    if sheet.source.sha256 is None or file is None:
        return
    found = digest_of(file)
    if found != sheet.source.sha256:
        raise MondegreenError(
            f"{path}: {file} has changed since it was adopted (SHA-256 {found[:12]}…, then "
            f"{sheet.source.sha256[:12]}…). Restore it, or adopt it again: mondegreen adopt."
        )
