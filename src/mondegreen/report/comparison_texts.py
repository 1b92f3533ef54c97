"""What a comparison says in words and rows: for the terminal, Markdown and LaTeX alike."""

from __future__ import annotations

import math

from mondegreen.report.comparison import machine_of
from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.formatting import DASH, number
from mondegreen.report.results import Quality

ENOUGH = 0.9
"""The success that the quickest attack is sought for."""

OWN_TIME = "†"
"""Marks a time that is that of the run itself."""


def columns(comparison: Comparison) -> tuple[str, ...]:
    """Return the titles of the columns."""
    full = _full_batch(comparison) or "N"
    return (
        "attack",
        "budget",
        "success (%)",
        "95 % interval",
        "right (%)",
        "SNR mean / median / worst (dB)",
        "PESQ nb",
        "PESQ wb",
        "STOI",
        "queries",
        "gradients",
        "ms, batch 1 (median / mean)",
        f"ms, batch {full}",
        "s a clip, in the run",
        "memory (MiB)",
    )


def rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the texts of the cells, one row an attack and budget."""
    return [row(cell) for cell in comparison.cells]


def row(cell: CellResult) -> tuple[str, ...]:
    """Return the texts of one cell."""
    snr, right = cell.snr_db, cell.success_rate_correct
    return (
        cell.title,
        str(cell.budget),
        f"{100 * cell.success_rate:.1f}",
        interval(cell),
        number(None if right is None else 100 * right, 1),
        f"{number(snr.mean)} / {number(snr.median)} / {number(snr.worst)}",
        _quality(cell.pesq_nb, 2),
        _quality(cell.pesq_wb, 2),
        _quality(cell.stoi, 3),
        amount(cell.queries),
        amount(cell.gradients),
        f"{number(cell.cost.batch1_ms)} / {number(cell.mean_ms)}",
        number(cell.cost.batch_n_ms),
        significant(cell.seconds),
        mebibytes(cell.peak_memory_bytes),
    )


def interval(cell: CellResult) -> str:
    """Return the ends of the interval in percent."""
    if cell.success_interval is None:
        return DASH
    low, high = cell.success_interval
    return f"{100 * low:.1f}–{100 * high:.1f}"


def amount(value: float | None) -> str:
    """Return a mean count.

    Example:
        >>> amount(3.25), amount(12345.6)
        ('3.2', '12,346')
    """
    if value is None or value < 100:
        return number(value, 1)
    return f"{value:,.0f}"


def significant(value: float | None) -> str:
    """Return a number with three digits that count.

    Example:
        >>> significant(0.0123456), significant(12.0), significant(1234.56)
        ('0.0123', '12.0', '1,235')
    """
    if value is None:
        return DASH
    if value < 1:
        return f"{value:.3g}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"


def mebibytes(value: int | None) -> str:
    """Return an amount of memory.

    Example:
        >>> mebibytes(3 * 2**20)
        '3'
    """
    return DASH if value is None else f"{value / 2**20:,.0f}"


def milliseconds(cell: CellResult) -> str:
    """Return what a clip costs; marked where it is the time of the run itself."""
    own = cell.mean_ms is None and cell.seconds is not None
    return significant(cell.clip_ms) + (OWN_TIME if own else "")


def reach_columns(comparison: Comparison) -> tuple[str, ...]:
    """Return the titles of the columns of :func:`reach_rows`; none where there are no rows."""
    if not comparison.reaches:
        return ()
    levels = comparison.reaches[0].levels
    return ("attack", *(f"{100 * one.level:g} % at (dB)" for one in levels))


def reach_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the ratios at which the attacks still succeed so often, one row an attack."""
    return [
        (
            reach.title + (", smallest" if reach.smallest else ""),
            *(reach.text(one) for one in reach.levels),
        )
        for reach in comparison.reaches
    ]


def about(comparison: Comparison) -> str:
    """Return, in one paragraph, what all cells have in common."""
    c, timing = comparison, comparison.timing
    heard = f"PESQ and STOI on the same {c.quality_pairs:,}" if c.quality_pairs else "no PESQ"
    rate = f"{100 * c.baseline_rate:.2f} %"
    untouched = f"untouched clips hit the target in {rate} of the pairs"
    goal = ""
    if c.untargeted:
        goal = "Untargeted: any label but the clip's own is a success. "
        untouched = f"untouched clips are misheard in {rate} of the pairs"
    return (
        f"{c.classifier.name} on {c.data.name}, {c.drawn} for every attack, {heard}, "
        f"seed {c.seed}. {goal}Clean accuracy "
        f"{100 * c.clean_accuracy:.2f} %; {untouched}. Times are of up to "
        f"{timing.get('rounds', '?')} calls after {timing.get('warmup', '?')} for warming up, the "
        f"attacks taking turns, on {machine_of(c.environment)}, "
        f"{timing.get('threads', '?')} PyTorch thread(s), Python "
        f"{c.environment.get('python', '?')}, PyTorch {c.environment.get('torch', '?')}{_load(c)}."
    )


def own_time(comparison: Comparison) -> str:
    """Return the note on times of the run itself; empty where there are none."""
    if not any(OWN_TIME in milliseconds(cell) for cell in comparison.cells):
        return ""
    text = (
        f"{OWN_TIME} too slow to be timed again beside the others: the time of the run itself, in "
        f"batches of {_full_batch(comparison) or 'many clips'}."
    )
    if _busy(comparison):
        text += " Others kept the machine busy, so these times hold much waiting: alone it is less."
    return text


def verdicts(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return for every budget in dB who succeeds most, and who is quickest at 90 %.

    Ties are named together. Attacks whose time was not measured cannot be quickest.
    """
    found = []
    for db in comparison.budgets_db:
        cells = [cell for cell in comparison.cells if cell.budget_db == db]
        best = max(cell.success_rate for cell in cells)
        winners = ", ".join(cell.title for cell in cells if cell.success_rate == best)
        good = [c for c in cells if c.success_rate >= ENOUGH and c.clip_ms is not None]
        quick = min(good, key=lambda cell: cell.clip_ms or 0.0, default=None)
        fastest = f"{quick.title} ({number(quick.clip_ms)} ms)" if quick else "none"
        found.append((f"{db:g} dB", f"{winners} ({100 * best:.1f} %)", fastest))
    return found


def _full_batch(comparison: Comparison) -> int | None:
    sizes = (cell.cost.n for cell in comparison.cells)
    return next((size for size in sizes if size), None)


def _quality(quality: Quality, digits: int) -> str:
    return number(quality.mean, digits)


def _load(comparison: Comparison) -> str:
    load = comparison.timing.get("load")
    if not isinstance(load, (int, float)):
        return ""
    busy = ", so the machine was busy" if _busy(comparison) else ""
    return f"; load average before {load:g}{busy}"


def _busy(comparison: Comparison) -> bool:
    load, cores = comparison.timing.get("load"), comparison.environment.get("cores")
    return isinstance(load, (int, float)) and isinstance(cores, int) and load > cores
