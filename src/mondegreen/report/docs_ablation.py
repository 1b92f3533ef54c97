"""The table of what each choice in the recipe bought, for ``docs/generator.md``."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.formatting import DASH, number, percent, size
from mondegreen.report.markdown import table

BASE = "the recipe"

Trainings = list[dict[str, Any]]
"""Results of one variant, one for each seed."""


def render_table(folder: Path) -> str:
    """Return the table and a line about the machine, the recipe first, the others by success.

    Args:
        folder: Holds one JSON file a training, from ``benchmarks/ablation.py``; several of one
            variant, with different seeds, share a row.

    Raises:
        MondegreenError: A file is damaged, or the recipe itself is missing.
    """
    variants: dict[str, Trainings] = {}
    for path in sorted(folder.glob("*.json")):
        one = _read(path)
        variants.setdefault(one["name"], []).append(one)
    base = variants.pop(BASE, None)
    if base is None:
        raise MondegreenError(f"{folder} has no result of {BASE!r}; run benchmarks/ablation.py.")
    budgets = [key for key in base[0]["validation"] if key != "pairs"]
    middle = budgets[len(budgets) // 2]
    found = sorted(variants.values(), key=lambda some: -fmean(_successes(some, middle)))
    head = ["variant", *(f"success at {db} dB" for db in budgets), f"PESQ nb at {middle} dB"]
    head += ["processor time", "parameters", "MACs a clip"]
    rows = [_row(some, base, budgets, middle) for some in [base, *found]]
    first = base[0]
    pairs, machine = first["validation"]["pairs"], first["environment"]["cpu"]
    about = (
        f"\n{first['steps']:,} steps each, {pairs:,} pairs of the validation split; machine: "
        f"{machine}, one thread."
    )
    told = _chance(found, base, budgets) if len(base) == 1 else _beyond(found, base, middle)
    return table(head, rows, "l" + "r" * (len(head) - 1)) + about + told


def _beyond(found: list[Trainings], base: Trainings, db: str) -> str:
    """Say which variants differ from the recipe in every training."""
    ours = _successes(base, db)
    better = [some[0]["name"] for some in found if min(_successes(some, db)) > max(ours)]
    worse = [some[0]["name"] for some in found if max(_successes(some, db)) < min(ours)]
    text = (
        f" Means of {len(base)} trainings with seeds of their own; in brackets the lowest and the "
        "highest."
    )
    for names, word, end in ((better, "above", "best"), (worse, "below", "worst")):
        listed = "; ".join(names) if names else "none"
        text += f" Each training {word} the recipe's {end} at {db} dB: {listed}."
    return text


def _chance(found: list[Trainings], base: Trainings, budgets: list[str]) -> str:
    """Say how far another seed moves the recipe itself, where one was tried."""
    others = [some for some in found if some[0]["name"].startswith(BASE)]
    moved = [_change(some, base, db) for some in others for db in budgets]
    if not moved:
        return ""
    most = max(map(abs, moved))
    return (
        f" Another seed moves the recipe itself by up to {most:.1f} points: differences that are "
        "no larger may be chance."
    )


def _successes(some: Trainings, db: str) -> list[float]:
    return [float(one["validation"][db]["success_rate"]) for one in some]


def _change(some: Trainings, base: Trainings, db: str) -> float:
    """Return the difference in success, in points."""
    ours, theirs = (fmean(_successes(each, db)) for each in (some, base))
    return 100.0 * (ours - theirs)


def _read(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict) or not {"name", "validation"} <= content.keys():
        raise MondegreenError(f"{path}: this is no result of benchmarks/ablation.py.")
    return content


def _row(some: Trainings, base: Trainings, budgets: list[str], middle: str) -> list[str]:
    successes = []
    for db in budgets:
        rates = _successes(some, db)
        told = percent(fmean(rates))
        if len(rates) > 1:
            told += f" ({100 * min(rates):.1f} to {100 * max(rates):.1f})"
        elif some is not base:
            told += f" ({_change(some, base, db):+.1f})"
        successes.append(told)
    spent, whole = ([one["processor_seconds"] for one in each] for each in (some, base))
    time = DASH if None in (*spent, *whole) else f"× {fmean(spent) / fmean(whole):.2f}"
    pesq = number(fmean(one["validation"][middle]["pesq_nb"] for one in some))
    cost = [time, size(some[0]["parameters"]), size(some[0]["macs"])]
    return [some[0]["name"], *successes, pesq, *cost]
