"""How quiet an attack may become: the ratios at which it still succeeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from mondegreen.evaluation.thresholds import Side, Threshold, of_rates
from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.fields import Fields


@dataclass(frozen=True)
class Reach:
    """The signal-to-noise ratios at which an attack still succeeds with shares of the pairs."""

    label: str
    title: str
    smallest: bool
    """Whether they are those of the smallest perturbations, not of budgets."""
    levels: tuple[Threshold, ...]
    ends: tuple[float, float] | None
    """The lowest and the highest budget, in dB."""

    def text(self, threshold: Threshold) -> str:
        """Return a threshold for a table, such as ``31.2 (29.8–33.0)`` or ``> 40``."""
        if threshold.side == "within" and threshold.db is not None:
            shown = f"{threshold.db:.1f}"
        else:
            shown = self._beyond(threshold.side)
        if threshold.interval is None or threshold.interval == (None, None):
            return shown
        low, high = threshold.interval
        ends = (
            self._beyond("below") if low is None else f"{low:.1f}",
            self._beyond("above") if high is None else f"{high:.1f}",
        )
        return f"{shown} ({ends[0]}–{ends[1]})"

    def _beyond(self, side: Side) -> str:
        if self.ends is None:
            return "never" if side == "below" else "∞"
        return f"< {self.ends[0]:g}" if side == "below" else f"> {self.ends[1]:g}"


def read_reaches(top: Fields, cells: tuple[CellResult, ...]) -> tuple[Reach, ...]:
    """Return the thresholds; of a file without them those that its rates tell."""
    found: list[tuple[str, bool, tuple[Threshold, ...]]] = []
    listed = top.values.get("thresholds")
    if isinstance(listed, list):
        for number, value in enumerate(listed, start=1):
            fields = Fields.of(value, f"{top.where}: threshold {number}")
            levels = fields.children("levels")
            each = tuple(map(_threshold, levels))
            found.append((fields.text("label"), fields.flag("smallest"), each))
    else:
        for label in dict.fromkeys(cell.label for cell in cells):
            rates = _by_budget(cells, label)
            if len(rates) > 1:
                found.append((label, False, tuple(of_rates(list(rates), list(rates.values())))))
    reaches = []
    for label, smallest, each in found:
        mine = [cell for cell in cells if cell.label == label]
        if mine:
            db = list(_by_budget(cells, label))
            ends = None if smallest or not db else (db[0], db[-1])
            reaches.append(Reach(label, mine[0].title, smallest, each, ends))
    return tuple(reaches)


def _by_budget(cells: tuple[CellResult, ...], label: str) -> dict[float, float]:
    """Return an attack's success rates by rising signal-to-noise ratio."""
    mine = [cell for cell in cells if cell.label == label]
    rates = {cell.budget_db: cell.success_rate for cell in mine if cell.budget_db is not None}
    return dict(sorted(rates.items()))


def _threshold(fields: Fields) -> Threshold:
    side = fields.text("side")
    if side not in ("within", "above", "below"):
        fields.fail("side", f"{side!r} is not within, above or below")
    interval = None
    ends = fields.values.get("interval")
    if ends is not None:
        if not isinstance(ends, list) or len(ends) != 2:
            fields.fail("interval", "expected the lower and the upper end")
        low, high = (Fields({"interval": end}, fields.where) for end in ends)
        interval = (low.optional_number("interval"), high.optional_number("interval"))
    return Threshold(fields.rate("level"), fields.optional_number("db"), cast(Side, side), interval)
