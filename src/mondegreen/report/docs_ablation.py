"""The table of what each choice in the recipe bought, for ``docs/generator.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.formatting import DASH, number, percent, size
from mondegreen.report.markdown import table

BASE = "the recipe"


def render_table(folder: Path) -> str:
    """Return the table and a line about the machine, the recipe first, the others by success.

    Args:
        folder: Holds one JSON file a variant, from ``benchmarks/ablation.py``.

    Raises:
        MondegreenError: A file is damaged, or the recipe itself is missing.
    """
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    base = next((one for one in found if one["name"] == BASE), None)
    if base is None:
        raise MondegreenError(f"{folder} has no result of {BASE!r}; run benchmarks/ablation.py.")
    budgets = [key for key in base["validation"] if key != "pairs"]
    middle = budgets[len(budgets) // 2]
    found.sort(key=lambda one: (one is not base, -one["validation"][middle]["success_rate"]))
    head = ["variant", *(f"success at {db} dB" for db in budgets), f"PESQ nb at {middle} dB"]
    head += ["processor time", "parameters", "MACs a clip"]
    rows = [_row(one, base, budgets, middle) for one in found]
    about = (
        f"\n{base['steps']:,} steps each, {base['validation']['pairs']:,} pairs of the validation "
        f"split; machine: {base['environment']['cpu']}, one thread."
    )
    about += _chance(found, base, budgets)
    return table(head, rows, "l" + "r" * (len(head) - 1)) + about


def _chance(found: list[dict[str, Any]], base: dict[str, Any], budgets: list[str]) -> str:
    """Say how far another seed moves the recipe itself, where one was tried."""
    others = [one for one in found if one is not base and one["name"].startswith(BASE)]
    moved = [_change(one, base, db) for one in others for db in budgets]
    if not moved:
        return ""
    most = max(map(abs, moved))
    return (
        f" Another seed moves the recipe itself by up to {most:.1f} points: differences that are "
        "no larger may be chance."
    )


def _change(one: dict[str, Any], base: dict[str, Any], db: str) -> float:
    """Return the difference in success, in points."""
    rates = [each["validation"][db]["success_rate"] for each in (one, base)]
    return 100.0 * float(rates[0] - rates[1])


def _read(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict) or not {"name", "validation"} <= content.keys():
        raise MondegreenError(f"{path}: this is no result of benchmarks/ablation.py.")
    return content


def _row(one: dict[str, Any], base: dict[str, Any], budgets: list[str], middle: str) -> list[str]:
    successes = []
    for db in budgets:
        rate = one["validation"][db]["success_rate"]
        successes.append(
            percent(rate) + ("" if one is base else f" ({_change(one, base, db):+.1f})")
        )
    seconds, whole = one["processor_seconds"], base["processor_seconds"]
    time = DASH if None in (seconds, whole) else f"× {seconds / whole:.2f}"
    pesq = number(one["validation"][middle]["pesq_nb"])
    cost = [time, size(one["parameters"]), size(one["macs"])]
    return [one["name"], *successes, pesq, *cost]
