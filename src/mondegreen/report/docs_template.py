"""The table of a template at the end of a whole training, for ``docs/generator.md``."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.formatting import number, percent
from mondegreen.report.markdown import table

BUDGETS = (20, 25, 30)


def render_table(folder: Path) -> str:
    """Return success with and without a template, and what a shift in time leaves of it.

    Args:
        folder: Holds ``20db.json``, ``25db.json`` and ``30db.json``, evaluations of a generator
            with a template, and ``shifts.json``, its channels beside the shipped generator's. The
            shipped generator's own evaluations lie in folders beside it.

    Raises:
        MondegreenError: A file is missing or damaged.
    """
    shipped = [folder.parent / f"spotter-spectral-{db}db" / "results.json" for db in BUDGETS]
    template = [folder / f"{db}db.json" for db in BUDGETS]
    shifts = folder / "shifts.json"
    head = ["generator", *(f"success at {db} dB" for db in BUDGETS), "PESQ nb at 25 dB"]
    try:
        heard = read_json(shifts)
        channels = [one["channel"] for one in heard["channels"]]
        kept = {row["label"]: row["cells"] for row in heard["rows"]}
        rows = []
        for name, paths in (("shipped", shipped), ("template", template)):
            found = [read_json(path) for path in paths]
            rates = [_rate(one["success_rate"], *one["success_interval"]) for one in found]
            left = [percent(cell["survival_rate"], 0) for cell in kept[name]]
            rows.append([name, *rates, number(found[1]["pesq_nb"]["mean"]), *left])
        about = (
            f"\n{found[1]['pairs']:,} pairs of test speakers, 95 % intervals over speakers; the "
            f"columns of channels tell which share of its successes at 25 dB is left after each, "
            f"over {heard['pairs']['count']} pairs."
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise MondegreenError(f"{folder} is damaged ({type(error).__name__}: {error}).") from error
    head += [f"left after `{channel}`" for channel in channels]
    return table(head, rows, "l" + "r" * (len(head) - 1)) + about


def _rate(rate: float, low: float, high: float) -> str:
    return f"{percent(rate)} ({100 * low:.1f}–{100 * high:.1f})"
