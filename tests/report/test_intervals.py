"""No interval that a page shows is a single point, whatever older result files hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mondegreen.report.audit.results import load_audit
from mondegreen.report.channel_results import load_channels
from mondegreen.report.comparison_results import Comparison, load_comparison
from mondegreen.report.defence_results import load_defences
from mondegreen.report.fields import Fields, Interval
from mondegreen.report.hardening_results import load_hardening
from mondegreen.report.intervals import needed_interval, read_interval
from mondegreen.report.reproduction.results import load_reproduction
from mondegreen.report.results import load_results
from mondegreen.report.transfer_results import load_transfer

RESULTS = Path(__file__).parents[2] / "results"
Found = Iterator[tuple[float | None, Interval | None, int]]


def fields(ends: list[float] | None) -> Fields:
    return Fields({"success_interval": ends}, "a.json")


def test_a_single_point_gets_the_exact_far_end() -> None:
    beyond = 1.0 - 0.025 ** (1 / 450)  # Clopper and Pearson: (alpha / 2) ** (1 / n)
    assert read_interval(fields([1.0, 1.0]), 1.0, 450) == pytest.approx((1.0 - beyond, 1.0))
    assert needed_interval(fields([0.0, 0.0]), 0.0, 450) == pytest.approx((0.0, beyond))
    assert round(100 * (1.0 - beyond), 1) == 99.2


def test_what_was_measured_otherwise_stays() -> None:
    assert read_interval(fields([0.4, 0.6]), 0.5, 450) == (0.4, 0.6)
    assert read_interval(fields([0.9, 1.0]), 1.0, 450) == (0.9, 1.0)
    assert read_interval(fields(None), 1.0, 450) is None
    assert read_interval(fields([1.0, 1.0]), None, 450) == (1.0, 1.0)


def compared(found: Comparison) -> Found:
    for cell in found.cells:
        yield cell.success_rate, cell.success_interval, found.pairs


def every() -> Found:
    """Yield the rates, intervals and pairs of all kinds of committed files that hold any."""
    for path in RESULTS.glob("*/comparison.json"):
        yield from compared(load_comparison(path))
    channels = load_channels(RESULTS / "spotter-channels/channels.json")
    for row in channels.rows:
        yield row.success_rate, row.success_interval, channels.pairs
        for cell in row.cells:
            yield cell.success_rate, cell.success_interval, channels.pairs
    transfer = load_transfer(RESULTS / "spotters-transfer/transfer.json")
    for made in transfer.rows:
        for heard, listener in zip(made.cells, transfer.listeners, strict=True):
            yield heard.success_rate, heard.success_interval, transfer.pairs
            yield heard.untargeted_rate, heard.untargeted_interval, listener.right_pairs
    yield from trained()


def trained() -> Found:
    for one in load_reproduction(RESULTS / "reproduction-cpu").settings:
        for part in (one.comparison, one.curves):
            if isinstance(part, Comparison):
                yield from compared(part)
    for hardened in load_hardening(RESULTS / "spotter-hardening/hardening.json").classifiers:
        for rates in hardened.attacks.values():
            for rate in rates.values():
                yield rate.value, (rate.low, rate.high), rate.pairs


def test_no_interval_of_the_repository_is_a_single_point() -> None:
    old = (RESULTS / "spotter-curves/comparison.json").read_text(encoding="utf-8")
    assert any(cell["success_interval"] == [1.0, 1.0] for cell in json.loads(old)["cells"])
    sure = [(ends, pairs) for rate, ends, pairs in every() if ends and rate in (0.0, 1.0)]
    assert len(sure) > 50
    for (low, high), pairs in sure:
        assert high > low and high - low <= 1.0 - 0.025 ** (1 / pairs) + 0.1


CERTAIN = {"success_rate": 1.0, "success_interval": [1.0, 1.0]}


def changed(tmp_path: Path, file: str, change: Callable[[dict[str, Any]], object]) -> Path:
    content = json.loads((RESULTS / file).read_text(encoding="utf-8"))
    change(content)
    path = tmp_path / Path(file).name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_evaluations_defences_hardenings_and_audits_are_read_alike(tmp_path: Path) -> None:
    evaluation = load_results(
        changed(tmp_path, "spotter-spectral-20db/results.json", lambda c: c.update(CERTAIN))
    )
    defences = load_defences(
        changed(
            tmp_path,
            "spotter-defences/defences.json",
            lambda c: c["rows"][0]["direct"].update(CERTAIN),
        )
    )
    hardening = load_hardening(
        changed(
            tmp_path,
            "spotter-hardening/hardening.json",
            lambda c: c["classifiers"][0]["attacks"][0].update(CERTAIN),
        )
    )
    audit = load_audit(
        changed(tmp_path, "audit-ast/audit.json", lambda c: c["cells"][0].update(CERTAIN))
    )
    first = next(iter(next(iter(hardening.classifiers[0].attacks.values())).values()))
    for ends, pairs in (
        (evaluation.success_interval, evaluation.pairs),
        (defences.rows[0].direct.success_interval, defences.pairs),
        ((first.low, first.high), first.pairs),
        (audit.cells[0].interval, audit.cells[0].pairs),
    ):
        assert ends == pytest.approx((0.025 ** (1 / pairs), 1.0)), pairs
