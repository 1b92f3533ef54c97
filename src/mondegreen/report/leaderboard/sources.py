"""How each kind of result file tells of an entry: every row there is, however many.

A reference names a file and, where it holds several classifiers, defences or settings, which. All
rows of that one count, so nobody can pick the attacks that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.report.audit.results import load_audit
from mondegreen.report.channel_results import load_channels
from mondegreen.report.comparison_results import Comparison, load_comparison
from mondegreen.report.defence_results import DefenceResults, DefenceUsed, knows, load_defences
from mondegreen.report.fields import Interval
from mondegreen.report.hardening_results import load_hardening
from mondegreen.report.intervals import sure_interval
from mondegreen.report.leaderboard.knowledge import KNOWING, WHITE_BOX, knowledge_of
from mondegreen.report.leaderboard.measured import Measured, MeasuredRow, plain_budget
from mondegreen.report.reproduction.results import Setting, load_reproduction
from mondegreen.report.reproduction.words import PAPER_KIND
from mondegreen.report.results import AttackUsed, load_results

Reader = Callable[[Path, str | None, str], Measured]


@dataclass(frozen=True)
class _Bench:
    """What rows have in common."""

    file: str
    pairs: int
    groups: int
    goal: str = "targeted"

    def row(
        self,
        label: str,
        used: AttackUsed | None,
        budget: str,
        rates: tuple[float, Interval | None],
        *,
        knowledge: str | None = None,
        channel: str = "",
        right: float | None = None,
    ) -> MeasuredRow:
        """Return a row; an attacker knows what the attack needs, unless it is said otherwise."""
        settings = {} if used is None else {"name": used.name, **used.options}
        return MeasuredRow(
            attack=label,
            settings=settings,
            goal=self.goal,
            knowledge=knowledge or knowledge_of(label, network="network" in settings),
            budget=budget,
            channel=channel,
            pairs=self.pairs,
            groups=self.groups,
            success=rates[0],
            interval=sure_interval(*rates, self.pairs),
            right=right,
            file=self.file,
        )


def row_names(path: Path) -> tuple[str, ...]:
    """Return what a reference to a result file may name as its row; nothing where there is one.

    Raises:
        MondegreenError: The file is missing or damaged.
    """
    if path.name == "hardening.json":
        return tuple(one.name for one in load_hardening(path).classifiers)
    if path.name == "defences.json":
        return tuple(one.name for one in load_defences(path).defences)
    if path.name == "reproduction.json":
        return tuple(one.key for one in load_reproduction(path).settings)
    return ()


def _place(path: Path, row: str | None, names: Sequence[str]) -> int:
    if row not in names:
        raise MondegreenError(f"{path}: there is no row {row!r}; name one of: {', '.join(names)}.")
    return names.index(row)


def _refuse_row(path: Path, row: str | None) -> None:
    if row is not None:
        raise MondegreenError(f"{path} is of one classifier; name no row (found {row!r}).")


def _hardening(path: Path, row: str | None, file: str) -> Measured:
    found = load_hardening(path)
    one = found.classifiers[_place(path, row, [each.name for each in found.classifiers])]
    rows = [
        _Bench(file, rate.pairs, found.data.groups, one.goals[label]).row(
            label, one.used[label], f"snr:{db:g}", (rate.value, (rate.low, rate.high))
        )
        for label, rates in one.attacks.items()
        for db, rate in rates.items()
    ]
    return Measured(
        file=file,
        classifier=one.classifier,
        data=found.data,
        clean_accuracy=one.clean.value,
        rows=tuple(rows),
        failed_checks=tuple(check.name for check in one.checks if not check.holds),
        checked=True,
    )


def _defences(path: Path, row: str | None, file: str) -> Measured:
    found = load_defences(path)
    names = [one.name for one in found.defences]
    defence = None if row is None else found.defences[_place(path, row, names)]
    return Measured(
        file=file,
        classifier=found.classifier,
        data=found.data,
        clean_accuracy=(found if defence is None else defence).clean_accuracy,
        rows=tuple(_defended(found, defence, file)),
    )


def _defended(
    found: DefenceResults, defence: DefenceUsed | None, file: str
) -> Iterable[MeasuredRow]:
    """Yield the rows of a defence or, of None, those of the classifier without one."""
    bench = _Bench(file, found.pairs, found.groups)
    for one in found.rows:
        if defence is None:
            rates = one.direct if one.knows is None else None  # others aim at a defence
        else:
            rates = one.cells.get(defence.name)
        if rates is not None:
            yield bench.row(
                one.label,
                one.attack,
                plain_budget(one.budget),
                (rates.success_rate, rates.success_interval),
                knowledge=KNOWING if defence is not None and knows(one, defence) else None,
                right=rates.true_label_rate,
            )


def _channels(path: Path, row: str | None, file: str) -> Measured:
    _refuse_row(path, row)
    found = load_channels(path)
    bench, rows = _Bench(file, found.pairs, found.groups, found.goal), []
    for each in found.rows:
        attack = (each.label, each.attack, plain_budget(each.budget))
        rows.append(bench.row(*attack, (each.success_rate, each.success_interval)))
        for channel, cell in zip(found.channels, each.cells, strict=True):
            rates = (cell.success_rate, cell.success_interval)
            right = cell.true_label_rate
            rows.append(bench.row(*attack, rates, channel=channel.name, right=right))
    return Measured(
        file=file,
        classifier=found.classifier,
        data=found.data,
        clean_accuracy=found.clean_accuracy,
        rows=tuple(rows),
        clean_through={one.name: one.clean_accuracy for one in found.channels},
    )


def _comparison(path: Path, row: str | None, file: str) -> Measured:
    _refuse_row(path, row)
    return _compared([load_comparison(path)], file)


def _reproduction(path: Path, row: str | None, file: str) -> Measured:
    settings = load_reproduction(path).settings
    one = settings[_place(path, row, [each.key for each in settings])]
    found = [each for each in (one.comparison, one.curves) if isinstance(each, Comparison)]
    if not found:
        raise MondegreenError(f"{path}: attacks on {row} were not compared.")
    measured = _compared(found, file)
    return replace(measured, rows=(*measured.rows, *_generators(one, file)))


def _generators(setting: Setting, file: str) -> Iterable[MeasuredRow]:
    """Yield a row for every kind of generator that was measured on all pairs.

    The paper's own, one network a target, is the plain ``generator``.
    """
    for kind, scores in setting.measured().items():
        if not scores.pairs:
            continue
        used = AttackUsed(f"generator-{scores.network}", {"network": scores.network})
        yield _Bench(file, scores.pairs, setting.groups).row(
            "generator" if kind == PAPER_KIND else f"generator:{kind}",
            used,
            plain_budget(scores.budget),
            (scores.success_rate, scores.success_interval),
        )


def _compared(found: Sequence[Comparison], file: str) -> Measured:
    rows = []
    for each in found:
        goal = "untargeted" if each.untargeted else "targeted"
        bench = _Bench(file, each.pairs, each.groups, goal)
        for cell in each.cells:
            rates = (cell.success_rate, cell.success_interval)
            rows.append(bench.row(cell.label, cell.attack, plain_budget(cell.budget), rates))
    return Measured(
        file=file,
        classifier=found[0].classifier,
        data=found[0].data,
        clean_accuracy=found[0].clean_accuracy,
        rows=tuple(rows),
    )


def _audit(path: Path, row: str | None, file: str) -> Measured:
    _refuse_row(path, row)
    found = load_audit(path)
    rows = []
    for cell in found.cells:
        bench = _Bench(file, cell.pairs, found.data.groups, cell.goal)
        knowledge = WHITE_BOX if "+" in cell.label else cell.knows  # who refines needs gradients
        rates = (cell.success, cell.interval)
        budget = f"snr:{cell.budget_db:g}"
        rows.append(bench.row(cell.label, None, budget, rates, knowledge=knowledge))
    return Measured(
        file=file,
        classifier=found.classifier,
        data=found.data,
        clean_accuracy=found.clean_accuracy,
        rows=tuple(rows),
    )


def _evaluation(path: Path, row: str | None, file: str) -> Measured:
    _refuse_row(path, row)
    found = load_results(path)
    goal = "untargeted" if found.attack.options.get("untargeted") is True else "targeted"
    bench = _Bench(file, found.pairs, found.data.groups, goal)
    rates = (found.success_rate, found.success_interval)
    only = bench.row(found.attack.label, found.attack, plain_budget(found.budget), rates)
    return Measured(
        file=file,
        classifier=found.classifier,
        data=found.data,
        clean_accuracy=found.clean_accuracy,
        rows=(only,),
    )


READERS: dict[str, Reader] = {
    "hardening.json": _hardening,
    "defences.json": _defences,
    "channels.json": _channels,
    "comparison.json": _comparison,
    "audit.json": _audit,
    "reproduction.json": _reproduction,
    "results.json": _evaluation,
}
"""By the name of the file."""
