"""What an evaluation measured: ``results.json``, and a training's ``metrics.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mondegreen.report.fields import Fields
from mondegreen.report.intervals import read_interval
from mondegreen.report.through_channels import ThroughChannel, read_channels

FORMAT = 1
QUALITIES = ("snr_db", "pesq_nb", "pesq_wb", "stoi")
BUDGET_KINDS = ("snr", "l2", "linf", "none")


@dataclass(frozen=True)
class AttackedClassifier:
    """The classifier that was attacked; ``fingerprint`` tells its weights apart."""

    name: str
    parameters: int
    fingerprint: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class AttackUsed:
    """The attack's name and hyper-parameters."""

    name: str
    options: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The name, and how quiet a generator was asked to be, if it was."""
        quietness = self.options.get("quietness")
        return f"{self.name}, quietness {quietness:g}" if quietness else self.name


@dataclass(frozen=True)
class BudgetUsed:
    """What the perturbation was allowed: SNR in dB, or an L2 or maximum norm."""

    kind: str
    value: float | None

    def __str__(self) -> str:
        """Return the constraint as a formula."""
        if self.value is None or self.kind == "none":
            return "no hard budget"
        if self.kind == "snr":
            return f"SNR ≥ {self.value:g} dB"
        norm = "‖δ‖₂" if self.kind == "l2" else "max |δ|"
        return f"{norm} ≤ {self.value:g}"


@dataclass(frozen=True)
class DataUsed:
    """The clips that were attacked; groups are speakers or tracks."""

    name: str
    split: str
    split_kind: str
    clips: int
    groups: int
    silent_clips: tuple[str, ...]


@dataclass(frozen=True)
class Quality:
    """Mean, median and worst of a quality metric; all None with a reason if it was not measured.

    ``pairs`` were measured, ``failed`` of them without a value.
    """

    mean: float | None
    median: float | None
    worst: float | None
    failed: int
    pairs: int | None
    reason: str


@dataclass(frozen=True)
class TargetScore:
    """Success and mean qualities of the pairs with one target; None where not measured."""

    success_rate: float | None
    snr_db: float | None
    pesq_nb: float | None
    pesq_wb: float | None
    stoi: float | None


@dataclass(frozen=True)
class Cost:
    """Median milliseconds a clip at batch 1 and at batch ``n``; size of the generator."""

    batch1_ms: float | None
    batch_n_ms: float | None
    n: int | None
    parameters: int | None
    macs: int | None


@dataclass(frozen=True)
class Results:
    """A ``results.json``, validated; rates lie in [0, 1], matrices are ``[source][target]``."""

    classifier: AttackedClassifier
    attack: AttackUsed
    budget: BudgetUsed
    data: DataUsed
    pairs: int
    success_rate: float
    success_interval: tuple[float, float] | None
    success_rate_correct: float | None
    baseline_rate: float
    clean_accuracy: float
    success_matrix: tuple[tuple[float | None, ...], ...]
    pair_counts: tuple[tuple[int, ...], ...]
    per_target: Mapping[str, TargetScore]
    snr_db: Quality
    pesq_nb: Quality
    pesq_wb: Quality
    stoi: Quality
    cost: Cost
    channels: tuple[ThroughChannel, ...]
    """What was heard of the same clips after channels."""
    seed: int
    command: str
    environment: Mapping[str, Any]
    duration_seconds: float
    created: str
    metrics: Mapping[str, Quality] = field(default_factory=dict)
    """Measures from outside of the package, by ``module:function``."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classifier's labels."""
        return self.classifier.labels


def load_results(path: Path) -> Results:
    """Read and check a ``results.json``. Fields that this version does not know are left out.

    Raises:
        MondegreenError: The file is missing, not JSON, of another format, or a field is missing or
            damaged; the message names the file and the field.
    """
    top = Fields.read(path, FORMAT)
    classifier = read_classifier(top.child("classifier"))
    size = len(classifier.labels)
    return Results(
        classifier=classifier,
        attack=read_attack(top.child("attack")),
        budget=read_budget(top.child("budget")),
        data=read_data(top.child("dataset")),
        pairs=(pairs := top.count("pairs")),
        success_rate=(rate := top.rate("success_rate")),
        success_interval=read_interval(top, rate, pairs),
        success_rate_correct=top.optional_rate("success_rate_correct"),
        baseline_rate=top.rate("baseline_rate"),
        clean_accuracy=top.rate("clean_accuracy"),
        success_matrix=top.rates("success_matrix", size),
        pair_counts=top.counts("pair_counts", size),
        per_target=read_targets(top.child("per_target"), classifier.labels),
        snr_db=read_quality(top, "snr_db"),
        pesq_nb=read_quality(top, "pesq_nb"),
        pesq_wb=read_quality(top, "pesq_wb"),
        stoi=read_quality(top, "stoi"),
        cost=read_cost(
            top.optional_child("milliseconds_per_clip"), top.optional_child("generator")
        ),
        channels=read_channels(top, pairs),
        seed=top.count("seed"),
        command=top.text("command"),
        environment=top.child("environment").values,
        duration_seconds=top.number("duration_seconds"),
        created=top.text("created"),
        metrics=read_metrics(top.optional_child("metrics")),
    )


def read_metrics(fields: Fields | None) -> dict[str, Quality]:
    """Return the summaries of measures from outside."""
    return {name: read_quality(fields, name) for name in fields.values} if fields else {}


def read_classifier(fields: Fields) -> AttackedClassifier:
    """Return the attacked classifier."""
    labels = fields.texts("labels")
    if len(labels) < 2 or len(set(labels)) < len(labels):
        fields.fail("labels", "expected at least two different labels")
    return AttackedClassifier(
        fields.text("name"), fields.count("parameters"), fields.text("fingerprint"), labels
    )


def read_attack(fields: Fields) -> AttackUsed:
    """Return the attack's name and hyper-parameters."""
    options = {key: value for key, value in fields.values.items() if key != "name"}
    return AttackUsed(fields.text("name"), options)


def read_budget(fields: Fields) -> BudgetUsed:
    """Return what the perturbation was allowed."""
    kind = fields.text("kind")
    if kind not in BUDGET_KINDS:
        fields.fail("kind", f"{kind!r} is not one of {', '.join(BUDGET_KINDS)}")
    return BudgetUsed(kind, fields.optional_number("value"))


def read_data(fields: Fields) -> DataUsed:
    """Return which clips were attacked."""
    return DataUsed(
        name=fields.text("name"),
        split=fields.text("split"),
        split_kind=fields.text("split_kind"),
        clips=fields.count("clips"),
        groups=fields.count("groups"),
        silent_clips=fields.texts("silent_clips"),
    )


def read_targets(fields: Fields, labels: tuple[str, ...]) -> dict[str, TargetScore]:
    """Return the scores of the targets, in the order of ``labels``."""
    scores = {}
    for label in fields.values:
        if label not in labels:
            fields.fail(label, "the classifier has no such label")
        one = fields.child(label)
        qualities = {name: one.optional_number(name) for name in QUALITIES}
        scores[label] = TargetScore(one.optional_rate("success_rate"), **qualities)
    return {label: scores[label] for label in labels if label in scores}


def read_quality(top: Fields, name: str) -> Quality:
    """Return the summary of one quality metric."""
    if top.value(name) is None:
        return Quality(None, None, None, 0, None, "not measured")
    fields = top.child(name)
    mean = fields.optional_number("mean")
    failed = fields.count("failed") if "failed" in fields.values else 0
    pairs = fields.count("pairs") if fields.values.get("pairs") is not None else None
    reason = fields.text("reason") if fields.values.get("reason") else ""
    if mean is None and not reason:
        needs = "; PESQ needs clips of 0.25 s to 20 s" if name.startswith("pesq") else ""
        reason = f"no pair could be measured{needs}"
    median, worst = fields.optional_number("median"), fields.optional_number("min")
    return Quality(mean, median, worst, failed, pairs, reason)


def read_cost(times: Fields | None, generator: Fields | None) -> Cost:
    """Return times and size; None where they were not measured."""
    return Cost(
        batch1_ms=times.optional_number("batch1") if times else None,
        batch_n_ms=times.optional_number("batchN") if times else None,
        n=times.optional_count("N") if times else None,
        parameters=generator.optional_count("parameters") if generator else None,
        macs=generator.optional_count("macs") if generator else None,
    )


def load_metrics(path: Path) -> list[dict[str, float | None]]:
    """Read ``metrics.jsonl``; a half-written last line is left out, a missing file is empty."""
    rows: list[dict[str, float | None]] = []
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            break
        if isinstance(row, dict):
            rows.append(row)
    return rows
