"""``mondegreen adopt``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mondegreen.classifiers.adopted import Adopted, Finding, Sent
from mondegreen.classifiers.adopting import missing_facts
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.huggingface import HuggingFaceClassifier
from mondegreen.classifiers.sheet import save_sheet
from mondegreen.classifiers.sources.opening import Opened, classifier_from, find_source
from mondegreen.classifiers.sources.source import Model, Source
from mondegreen.cli.adopt_clips import Known, open_known
from mondegreen.cli.options import parse, say
from mondegreen.configs import to_dict
from mondegreen.data.options import DataOptions, open_labelled
from mondegreen.data.tags import has_tags
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.label_order import LabelCheck
from mondegreen.evaluation.tagging import TagCheck
from mondegreen.files import is_leftover, read_json, write_json
from mondegreen.ownership import was_begun
from mondegreen.runs import command_line, environment

_SCALINGS: tuple[Literal["unit", "int16", "standard"], ...] = ("unit", "int16", "standard")
_CLEARLY = 0.1
"""By how much more of the clips another scaling has to be heard rightly to be taken."""
_FEW = 100
"""Clips that a scaling is tried with."""
_BESIDE = {"config.json", "env.json", "check.json"}
"""What is written before the sheet."""


@dataclass(frozen=True)
class Adopt:
    """Options of ``adopt``."""

    model: Annotated[str, tyro.conf.Positional]
    """my_model.py:build (a function or an object in a Python file), a TorchScript file (.pt, .ts),
    a file of torch.export (.pt2), an ONNX file (.onnx), an address (http://, https://), hf:NAME or
    a folder of Hugging Face, or what another package has registered."""
    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Labelled or tagged clips to check the model with, which later commands then take over.
    --labels are the model's, in the order of its answers."""
    options: Annotated[ModelOptions, tyro.conf.arg(name="")]
    out: Path
    """Folder that then stands for the model, wherever a command takes --classifier."""
    clips: int = 300
    """How many clips to check it with, spread over the labels."""
    on: Literal["train", "validation", "test"] = "test"
    """Which split they are from."""
    anyway: bool = False
    """Write the sheet although the clips speak for another order of the labels."""


def run(words: Sequence[str]) -> None:
    """Parse the words and adopt the model."""
    default = Adopt(
        model=tyro.MISSING, data=DataOptions(), options=ModelOptions(), out=Path("runs/mine")
    )
    description = "Make any audio classifier usable by all commands: probe it, check it, note how."
    execute(parse(Adopt, words, "adopt", description, default))


def execute(options: Adopt) -> None:
    """Probe the model, check its labels, write ``classifier.json``; print what was found.

    Raises:
        MondegreenError: The model cannot be used, something has to be said about it, the clips
            speak for another order of its labels, or the folder holds something else.
    """
    source = find_source(options.model)
    if source is None:
        raise MondegreenError(
            f"{options.model} is no model that can be adopted. Name a Python function "
            "(my_model.py:build), a file (.pt, .pt2, .onnx), an address (http://...) or hf:NAME."
        )
    _refuse_occupied(options.out)
    model = source.model(options.options)
    labels, how = _labels(options, model)
    clips = _clips(options, model, labels)
    classifier, findings = _adopted(source, model, labels, options.options, clips)
    findings = [replace(one, how=how) if one.what == "labels" else one for one in findings]
    check = None if clips is None else clips.check(classifier)
    _print(findings, check, classifier)
    if isinstance(check, LabelCheck) and check.order is not None and not options.anyway:
        raise MondegreenError(_other_order(check, classifier.labels))
    _write(options, Opened(source, classifier), findings, check)


def _refuse_occupied(out: Path) -> None:
    path = out / "classifier.json"
    sheet = read_json(path) if path.is_file() else None
    own = isinstance(sheet, dict) and sheet.get("kind") == "adopted"
    if out.is_dir():  # perhaps a command was ended before it wrote the sheet
        names = {one.name for one in out.iterdir() if not is_leftover(one)}
        own = own or (names <= _BESIDE and was_begun(out, [one.name for one in fields(Adopt)]))
    if out.exists() and not own and (not out.is_dir() or any(out.iterdir())):
        raise MondegreenError(f"--out {out} exists and holds something else. Choose another.")


def _labels(options: Adopt, model: Model) -> tuple[tuple[str, ...], str]:
    """Return the model's labels and where they are from."""
    if isinstance(model.module, Classifier) and model.named is None:
        if options.data.labels not in ((), model.module.labels):
            raise MondegreenError(f"{options.model} names its labels itself; leave --labels out.")
        return model.module.labels, "told by the model"
    if options.data.labels:
        return options.data.labels, "given"
    if model.labels:
        return model.labels, "told by the model"
    data = options.data.data
    if data is not None and not has_tags(data):  # a wrong order shows in the check
        return open_labelled(options.data).labels, "assumed: the folders of --data"
    return (), "given"


def _clips(options: Adopt, model: Model, labels: tuple[str, ...]) -> Known | None:
    """Return clips as the model hears them."""
    if options.data.data is None:
        return None
    if isinstance(model.module, Classifier):
        rate, samples = model.module.sample_rate, model.module.clip_samples
    else:
        known = options.options.completed_by(model.options)
        rate, samples = missing_facts(labels, known)
    return open_known(options.data, labels, rate, samples, options.on, options.clips)


def _adopted(
    source: Source,
    model: Model,
    labels: tuple[str, ...],
    options: ModelOptions,
    clips: Known | None,
) -> tuple[Classifier, list[Finding]]:
    """Return the classifier and what was found out, the scaling by what is heard best."""
    sounds = None
    if clips is not None and len(clips) >= 3:
        sounds = clips.clips.waveforms(clips.spread(3))
    known = options.completed_by(model.options)
    if clips is None or known.scaling is not None or isinstance(model.module, Classifier):
        classifier = classifier_from(source, model, labels, options, sounds)
        return classifier, _findings(classifier)
    few = clips.some(_FEW)
    found, sent = {}, Sent()
    for scaling in _SCALINGS:
        tried = replace(options, scaling=scaling)
        classifier = classifier_from(source, model, labels, tried, sounds, sent)
        found[scaling] = (classifier, few.check(classifier).best)
    best = max(found, key=lambda name: found[name][1])
    clearly = found[best][1] >= found["unit"][1] + _CLEARLY
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, (_, share) in found.items())
    how = f"detected, by clips heard: {shares}"
    if len({share for _, share in found.values()}) == 1:
        how = "assumed: all are heard alike"
    elif best != "unit" and not clearly:
        how = f"assumed: no other is heard better by {100 * _CLEARLY:.0f} points: {shares}"
    best = best if clearly else "unit"
    classifier = found[best][0]
    findings = [
        Finding("scaling", best, how) if one.what == "scaling" else one
        for one in _findings(classifier)
    ]
    return classifier, findings


def _findings(classifier: Classifier) -> list[Finding]:
    if isinstance(classifier.module, Adopted):
        return list(classifier.module.findings)
    if isinstance(classifier, HuggingFaceClassifier):
        return list(classifier.findings)
    seconds = classifier.clip_samples / classifier.sample_rate
    length = f"{classifier.clip_samples} samples ({seconds:g} s)"
    return [
        Finding("labels", str(len(classifier.labels)), "told by the model"),
        Finding("sample rate", f"{classifier.sample_rate} Hz", "told by the model"),
        Finding("clip", length, "told by the model"),
    ]


def _print(
    findings: list[Finding], check: LabelCheck | TagCheck | None, classifier: Classifier
) -> None:
    table = Table(title=escape(classifier.name))
    for name in ("", "found", "how"):
        table.add_column(name, overflow="fold")
    for one in findings:
        table.add_row(escape(one.what), escape(one.found), escape(one.how))
    if check is not None:
        table.add_row(*_outcome(check), f"chance: {100 * check.chance:.1f} %")
    Console().print(table)
    for one in findings:
        if one.how == "warning":
            say(f"warning: {one.what}: {one.found}")
    reordered = isinstance(check, LabelCheck) and check.order is not None
    if check is not None and not check.above_chance and not reordered:
        say(f"warning: {_doubt(check)}")
    if isinstance(classifier.module, Adopted):
        say(f"{classifier.module.sent.clips} clips were sent to the model, batch and probe alike.")


def _doubt(check: LabelCheck | TagCheck) -> str:
    """Say what is known of a model that is not clearly better than chance."""
    asked = "Are --sample-rate, --clip-samples, --scaling and --labels right?"
    if isinstance(check, TagCheck):
        return f"it hears the clips no better than chance. {asked}"
    more = f"{check.clips} clips are few to tell: try more of them (--on train)."
    if check.accuracy > check.chance:
        return (
            f"it hears {100 * check.accuracy:.1f} % of the clips rightly, which is not clearly "
            f"more than the {100 * check.chance:.1f} % of always answering with the commonest "
            f"label. {more} {asked}"
        )
    if not check.enough:
        return (
            "it hears the clips no better than chance, and whether its labels are in another order "
            f"cannot be told: {more} {asked}"
        )
    return (
        "it hears the clips no better than chance, and no other order of its labels makes a clear "
        f"difference over {check.clips} clips. {asked}"
    )


def _outcome(check: LabelCheck | TagCheck) -> tuple[str, str]:
    if isinstance(check, TagCheck):
        share = f"{100 * check.mean_average_precision:.1f} % over the tags of {check.clips} clips"
        return "mean average precision", share
    return "accuracy", f"{100 * check.accuracy:.1f} % of {check.clips} clips heard as their label"


def _other_order(check: LabelCheck, labels: tuple[str, ...]) -> str:
    assert check.order is not None and check.accuracy_in_order is not None
    words = " ".join(labels[index] for index in check.order)
    return (
        f"the labels seem to be in another order than the model's answers: so, it hears "
        f"{100 * check.accuracy:.1f} % of the clips rightly, and in the order below "
        f"{100 * check.accuracy_in_order:.1f} %. Give it, or --anyway:\n--labels {words}"
    )


def _write(
    options: Adopt, opened: Opened, findings: list[Finding], check: LabelCheck | TagCheck | None
) -> None:
    kept = replace(options, data=replace(options.data, split=options.data.kind_of_split))
    kept = kept if options.data.data is not None else replace(kept, data=DataOptions())
    config: dict[str, Any] = to_dict(kept)
    write_json(options.out / "config.json", config)
    write_json(options.out / "env.json", environment() | {"command": command_line()})
    report = {
        "findings": [asdict(one) for one in findings],
        "check": None if check is None else asdict(check),
    }
    write_json(options.out / "check.json", report)
    save_sheet(options.out, opened)
    attacks = "all attacks" if opened.classifier.differentiable else "genetic, pso, square"
    say(f"Adopted: --classifier {options.out} now stands for {options.model} ({attacks}).")
