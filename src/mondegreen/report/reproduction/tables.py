"""The paper's tables beside what a reproduction measured: Tables 1 and 2, and the running time."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from mondegreen.report.comparison import machine_of
from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_texts import OWN_TIME, amount, significant
from mondegreen.report.formatting import DASH, number, percent
from mondegreen.report.paper import ReportedAttack, ReportedSetting
from mondegreen.report.reproduction.generators import GeneratorScores, Missing
from mondegreen.report.reproduction.results import KINDS, Reproduction, Setting
from mondegreen.report.reproduction.words import (
    PAPER_KIND,
    kinds_missing,
    network_name,
)
from mondegreen.report.results import TargetScore
from mondegreen.report.tables import Table

BASELINES = {"genetic": "Alzantot et al.", "pso": "SirenAttack"}
"""The attacks that the paper compares with, by their short names here."""

REPORTED, MEASURED = "reported", "measured"


HEAD_1 = (
    "attack",
    "budget",
    "pairs",
    f"success, {REPORTED}",
    MEASURED,
    f"SNR (dB), {REPORTED}",
    MEASURED,
    f"PESQ, {REPORTED}",
    MEASURED,
    f"s a clip, {REPORTED}",
    MEASURED,
    "queries",
    "remark",
)
NOTE_1 = (
    "Reported is the paper's Table 1. Measured: means over the pairs of each row; PESQ "
    f"narrow-band, P.862. {OWN_TIME} marks the time of the run itself, in batches; the others are "
    "for one clip."
)


def table_1(setting: Setting) -> Table:
    """Return the paper's Table 1 for one setting; what was not measured has its reason."""
    rows = [_generator_row(setting, kind) for kind in KINDS]
    rows += _rival_rows(setting)
    beside = f", beside {setting.reported.name}" if setting.reported else ""
    return Table(f"Attacks on {setting.data}{beside}", HEAD_1, tuple(rows), 2, True, NOTE_1)


def absent_table_1(paper: ReportedSetting, reason: str) -> Table:
    """Return what the paper reports for a setting that was not run, and why it was not."""
    rows = [
        _row(one.attack, DASH, DASH, one, (DASH,) * 5, reason)
        for one in (paper.proposed, *paper.baselines)
    ]
    return Table(f"Attacks on {paper.name}", HEAD_1, tuple(rows), 2, True, NOTE_1)


def _generator_row(setting: Setting, kind: str) -> tuple[str, ...]:
    part = setting.generators[kind]
    paper = setting.reported.proposed if setting.reported and kind == PAPER_KIND else None
    name = f"generator: {KINDS[kind]}"
    if isinstance(part, Missing):
        return _row(name, DASH, DASH, paper, (DASH,) * 5, part.reason)
    lost = [f"{label}: {reason}" for label, reason in part.missing_targets.items()]
    seconds = None if part.cost.batch1_ms is None else part.cost.batch1_ms / 1000
    values = (
        percent(part.success_rate),
        number(part.snr_db.mean),
        number(part.pesq_nb.mean, 3),
        significant(seconds),
        "0.0",
    )
    remark = "; ".join([network_name(part), *(f"without {one}" for one in lost)])
    return _row(name, str(part.budget), f"{part.pairs:,}", paper, values, remark)


def _rival_rows(setting: Setting) -> list[tuple[str, ...]]:
    found, rows = setting.comparison, []
    cells = () if isinstance(found, Missing) else found.cells
    for cell in cells:
        assert not isinstance(found, Missing)
        rows.append(_cell_row(cell, found, _paper_row(setting, cell.kind)))
    reason = found.reason if isinstance(found, Missing) else "not in the comparison"
    for kind, name in BASELINES.items():
        if not any(cell.kind == kind for cell in cells):
            paper = _paper_row(setting, kind)
            rows.append(_row(name, DASH, DASH, paper, (DASH,) * 5, reason))
    return rows


def _paper_row(setting: Setting, kind: str) -> ReportedAttack | None:
    if setting.reported is None:
        return None
    rows = setting.reported.baselines
    return next((one for one in rows if one.attack == BASELINES.get(kind)), None)


def _cell_row(
    cell: CellResult, comparison: Comparison, paper: ReportedAttack | None
) -> tuple[str, ...]:
    milliseconds = cell.clip_ms
    own = OWN_TIME if cell.mean_ms is None and milliseconds is not None else ""
    values = (
        percent(cell.success_rate),
        number(cell.snr_db.mean),
        number(cell.pesq_nb.mean, 3),
        significant(None if milliseconds is None else milliseconds / 1000) + own,
        amount(cell.queries),
    )
    network = cell.attack.options.get("network")
    remark = "the pairs of the comparison" + (f", {network} network" if network else "")
    return _row(cell.title, str(cell.budget), f"{comparison.pairs:,}", paper, values, remark)


def _row(
    name: str,
    budget: str,
    pairs: str,
    paper: ReportedAttack | None,
    measured: Sequence[str],
    remark: str,
) -> tuple[str, ...]:
    success, snr, pesq, seconds, queries = measured
    return (
        name,
        budget,
        pairs,
        percent(paper.success_rate if paper else None),
        success,
        number(paper.snr_db if paper else None),
        snr,
        number(paper.pesq if paper else None, 3),
        pesq,
        f"{paper.seconds:g}" if paper else DASH,
        seconds,
        queries,
        remark,
    )


def table_2(setting: Setting) -> Table:
    """Return SNR and PESQ of every target (the paper's Table 2), reported and by kind."""
    measured, paper = setting.measured(), setting.reported_by_target
    kinds = [KINDS[kind] for kind in measured]
    beside = (REPORTED,) if paper else ()
    head = ("target", *(f"SNR (dB), {one}" for one in (*beside, *kinds)))
    head += tuple(f"PESQ, {one}" for one in (*beside, *kinds))
    rows = []
    for label in setting.labels:
        row = [label]
        reported = paper.target(label) if paper else None
        found = [scores.per_target.get(label) for scores in measured.values()]
        for name, digits in (("snr_db", 2), ("pesq_nb", 3)):
            if paper:
                known = None if reported is None else (reported.snr_db, reported.pesq)
                row.append(number(known[name == "pesq_nb"] if known else None, digits))
            row += [number(_value(one, name), digits) for one in found]
        rows.append(tuple(row))
    rows.append(_averages(setting, measured))
    note = f"Averages are over the targets, as in the paper. {kinds_missing(setting)}".strip()
    return Table(f"SNR and PESQ by target on {setting.data}", head, tuple(rows), note=note)


def _averages(setting: Setting, measured: dict[str, GeneratorScores]) -> tuple[str, ...]:
    row = ["average"]
    for name, digits in (("snr_db", 2), ("pesq_nb", 3)):
        if setting.reported_by_target:
            proposed = setting.reported_by_target.proposed
            row.append(number(proposed.snr_db if name == "snr_db" else proposed.pesq, digits))
        row += [number(target_mean(scores, name), digits) for scores in measured.values()]
    return tuple(row)


def target_mean(scores: GeneratorScores, name: str) -> float | None:
    """Return the mean over the targets of ``snr_db`` or ``pesq_nb``; None where there is none."""
    values = [_value(one, name) for one in scores.per_target.values()]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _value(score: TargetScore | None, name: str) -> float | None:
    if score is None:
        return None
    return score.snr_db if name == "snr_db" else score.pesq_nb


def running_time(reproduction: Reproduction) -> Table:
    """Return what a clip costs (section V-E), beside what the paper reports for its machines."""
    head = ("setting", "attack", f"s a clip, {REPORTED}", MEASURED, "times the first", "remark")
    rows = []
    for setting in reproduction.settings:
        timed: list[tuple[str, float, str, ReportedAttack | None]] = []
        for kind, scores in setting.measured().items():
            if scores.cost.batch1_ms is not None:
                paper = setting.reported.proposed if setting.reported else None
                paper = paper if kind == PAPER_KIND else None
                name = f"generator: {KINDS[kind]}"
                timed.append((name, scores.cost.batch1_ms / 1000, "one clip", paper))
        cells = () if isinstance(setting.comparison, Missing) else setting.comparison.cells
        for cell in cells:
            if cell.clip_ms is not None:
                how = "one clip" if cell.mean_ms is not None else "in batches, the run itself"
                paper = _paper_row(setting, cell.kind)
                timed.append((f"{cell.title}, {cell.budget}", cell.clip_ms / 1000, how, paper))
        for name, seconds, how, paper in timed:
            times = seconds / timed[0][1] if timed[0][1] > 0 else None
            device = f"; the paper: {paper.device}" if paper else ""
            reported = f"{paper.seconds:g}" if paper else DASH
            cost = (reported, significant(seconds), number(times, 1))
            rows.append((setting.key, name, *cost, how + device))
    note = f"Measured on {machine_of(reproduction.environment)}."
    return Table("What a clip costs", head, tuple(rows), 2, True, note)
