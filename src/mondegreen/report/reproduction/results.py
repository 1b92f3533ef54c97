"""What ``mondegreen reproduce`` ran and measured: ``reproduction.json``, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.report.comparison_results import Comparison, read_comparison
from mondegreen.report.fields import Fields
from mondegreen.report.paper import SETTINGS, ReportedSetting
from mondegreen.report.reproduction.generators import (
    NOT_PART,
    GeneratorScores,
    Missing,
    read_generators,
    read_part,
)
from mondegreen.report.reproduction.sounds import Example, read_example
from mondegreen.report.reproduction.trainings import Ablation, read_ablation
from mondegreen.report.results import AttackedClassifier, read_classifier

FORMAT = 1
FILE = "reproduction.json"

KINDS = {
    "single": "one network a target",
    "unified": "one network for all",
    "spectral": "spectral generator",
}
"""The kinds of generators; the first is the paper's, the second that of its footnote 3."""

STATES = ("done", "failed", "left out")
REPORTED: Mapping[str, ReportedSetting] = {one.key: one for one in SETTINGS}


@dataclass(frozen=True)
class Stage:
    """One step of the run; seconds are None where it did not run."""

    name: str
    title: str
    command: str
    state: str
    reason: str
    seconds: float | None
    processor_seconds: float | None


@dataclass(frozen=True)
class Leak:
    """Clean accuracy where pieces of a track are in training and test, and where they are not.

    ``groups`` is how many recordings the first was measured on; older files do not say.
    """

    split_kind: str
    clean_accuracy: float
    honest_split_kind: str
    honest_accuracy: float
    groups: int | None


@dataclass(frozen=True)
class Setting:
    """One classifier on one corpus, and everything that attacked it.

    Args:
        reported: The setting of the paper that it stands beside, if any.
        remark: What differs from the paper's data.
        leak: None where it has no meaning for this corpus.
    """

    key: str
    reported: ReportedSetting | None
    data: str
    remark: str
    classifier: AttackedClassifier
    sample_rate: int
    split_kind: str
    train_clips: int
    test_clips: int
    groups: int
    clean_accuracy: float
    generators: Mapping[str, GeneratorScores | Missing]
    comparison: Comparison | Missing
    curves: Comparison | Missing
    leak: Leak | Missing | None

    @property
    def labels(self) -> tuple[str, ...]:
        """The classifier's labels."""
        return self.classifier.labels

    @property
    def reported_by_target(self) -> ReportedSetting | None:
        """The setting of the paper, where it has one of the labels among its targets."""
        paper = self.reported
        return paper if paper and any(map(paper.target, self.labels)) else None

    def measured(self) -> dict[str, GeneratorScores]:
        """Return the kinds of generators that were measured."""
        return {k: g for k, g in self.generators.items() if isinstance(g, GeneratorScores)}


@dataclass(frozen=True)
class Reproduction:
    """A ``reproduction.json``, validated; ``folder`` holds its sounds, if they are at hand."""

    preset: str
    command: str
    created: str
    environment: Mapping[str, Any]
    stages: tuple[Stage, ...]
    settings: tuple[Setting, ...]
    ablation: Ablation | Missing
    examples: tuple[Example, ...]
    folder: Path | None

    def setting(self, key: str) -> Setting | None:
        """Return the setting of a key."""
        return next((one for one in self.settings if one.key == key), None)

    def absent(self, reported: ReportedSetting) -> str:
        """Return why no setting stands beside one of the paper's, as far as the stages tell."""
        for stage in self.stages:
            if stage.name.startswith(f"{reported.key}/") and stage.state != "done":
                what = "failed" if stage.state == "failed" else "was left out"
                return f"{stage.name} {what}" + (f", {stage.reason}" if stage.reason else "")
        return NOT_PART

    def beside(self, reported: ReportedSetting) -> list[Setting]:
        """Return the settings that stand beside one of the paper's."""
        return [one for one in self.settings if one.reported is reported]


def load_reproduction(path: Path) -> Reproduction:
    """Read and check a ``reproduction.json``. Fields that this version does not know are left out.

    Args:
        path: The file, or the folder of a run, which holds it.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    file = path / FILE if path.is_dir() else path
    top = Fields.read(file, FORMAT)
    settings = tuple(map(_setting, _listed(top, "settings")))
    keys = [one.key for one in settings]
    if len(set(keys)) < len(keys):
        top.fail("settings", "two settings have the same key")
    return Reproduction(
        preset=top.text("preset"),
        command=top.text("command"),
        created=top.text("created"),
        environment=top.child("environment").values,
        stages=tuple(map(_stage, _listed(top, "stages"))),
        settings=settings,
        ablation=read_part(top, "ablation", read_ablation),
        examples=tuple(map(read_example, _listed(top, "examples"))),
        folder=file.parent,
    )


def _listed(top: Fields, name: str) -> list[Fields]:
    """Return a list of objects; what a run has not begun is absent."""
    return [] if top.values.get(name) is None else top.children(name)


def _stage(fields: Fields) -> Stage:
    if fields.text("state") not in STATES:
        fields.fail("state", f"{fields.text('state')!r} is not one of {', '.join(STATES)}")
    return Stage(
        name=fields.text("name"),
        title=fields.text("title"),
        command=fields.text("command"),
        state=fields.text("state"),
        reason=fields.text("reason") if fields.values.get("reason") else "",
        seconds=fields.optional_number("seconds"),
        processor_seconds=fields.optional_number("processor_seconds"),
    )


def _setting(fields: Fields) -> Setting:
    key, classifier = fields.text("key"), fields.child("classifier")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key):
        fields.fail("key", f"expected letters, digits and dashes, found {key!r}")
    reported = None if fields.values.get("reported") is None else fields.text("reported")
    if reported is not None and reported not in REPORTED:
        fields.fail("reported", f"{reported!r} is not one of {', '.join(REPORTED)}")
    attacked = read_classifier(classifier)
    generators = fields.optional_child("generators") or Fields({}, fields.where)
    return Setting(
        key=key,
        reported=REPORTED.get(reported or ""),
        data=fields.text("data"),
        remark=fields.text("remark"),
        classifier=attacked,
        sample_rate=classifier.count("sample_rate"),
        split_kind=fields.text("split_kind"),
        train_clips=fields.count("train_clips"),
        test_clips=fields.count("test_clips"),
        groups=fields.count("groups"),
        clean_accuracy=fields.rate("clean_accuracy"),
        generators={
            kind: read_part(generators, kind, lambda one: read_generators(one, attacked.labels))
            for kind in KINDS
        },
        comparison=read_part(fields, "comparison", read_comparison),
        curves=read_part(fields, "curves", read_comparison),
        leak=None if fields.values.get("leak") is None else read_part(fields, "leak", _leak),
    )


def _leak(fields: Fields) -> Leak:
    return Leak(
        split_kind=fields.text("split_kind"),
        clean_accuracy=fields.rate("clean_accuracy"),
        honest_split_kind=fields.text("honest_split_kind"),
        honest_accuracy=fields.rate("honest_accuracy"),
        groups=fields.optional_count("groups"),
    )
