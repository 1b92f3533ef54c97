"""Judges of what the paper says about rivals, time and quality: sections V-B, V-C and V-E."""

from __future__ import annotations

from collections.abc import Sequence

from mondegreen.report.comparison_cells import CellResult
from mondegreen.report.comparison_paper import share_of_published
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_texts import significant
from mondegreen.report.formatting import number, percent
from mondegreen.report.paper import GENERATOR_MACS, ReportedSetting
from mondegreen.report.reproduction.findings import (
    Finding,
    Verdict,
    cannot_say,
    measured_and_reported,
    paper_generators,
    reached,
)
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.judges import NEAR, NEAR_DB
from mondegreen.report.reproduction.results import Setting
from mondegreen.report.reproduction.tables import BASELINES
from mondegreen.report.reproduction.words import unlike

MUCH = 100.0
"""So many times faster is *much* faster: the paper reports some 25,000."""
NEAR_PESQ = 0.1
FAILS = 0.1
"""An attack that succeeds so much more rarely may be quiet for that reason."""
LEAST_WORK = 0.5
"""A network of a smaller share of the work that the paper's has says nothing of its time."""

Duel = tuple[CellResult, CellResult]


def _duels(comparison: Comparison) -> list[Duel]:
    """Return the generator beside each rival of the paper under the same budget.

    As in the paper, a generator without a budget stands beside rivals within bounds of their own.
    """
    cells = comparison.cells
    own = [c for c in cells if c.kind == "generator" and not c.steps and not c.quietness]
    return [
        (one, rival)
        for one in own
        for rival in cells
        if rival.kind in BASELINES and _comparable(one, rival)
    ]


def _comparable(own: CellResult, rival: CellResult) -> bool:
    if own.budget.kind == "none":
        return rival.budget.kind != "snr"
    return own.budget == rival.budget


def _of(setting: Setting) -> list[Duel] | Finding:
    if isinstance(setting.comparison, Missing):
        return cannot_say(f"The attacks were not compared: {setting.comparison.reason}.")
    found = _duels(setting.comparison)
    return found or cannot_say("The comparison has no generator beside a rival of the paper.")


def more_success(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge whether the generator succeeds more often than the genetic and the swarm attack.

    Being ahead of a rival whose search was cut short is no support.
    """
    duels = _of(setting)
    if isinstance(duels, Finding):
        return duels
    parts = []
    ahead = []
    for own, rival in duels:
        sign = _sign(own, rival)
        ahead.append(min(sign, 0) if _cut_short(rival) else sign)
        parts.append(
            f"{_network(own)} {percent(own.success_rate, 1)} ({own.budget}), {rival.title} "
            f"{percent(rival.success_rate, 1)} ({rival.budget}){_queries(rival)}"
        )
    reported = ", ".join(f"{one.attack} {percent(one.success_rate)}" for one in paper.baselines)
    text = (
        f"{'; '.join(parts)} (reported: generator {percent(paper.proposed.success_rate)}, "
        f"{reported}). The same pairs for all."
    )
    cut = [reason for _, rival in duels if (reason := _cut_short(rival))]
    if cut:
        text += f" A rival might succeed more often: {'; '.join(dict.fromkeys(cut))}."
    return Finding(_all(ahead), text)


def _cut_short(rival: CellResult) -> str:
    """Return how a rival was kept from searching as long as its authors did; empty if not."""
    share, queries = share_of_published(rival), rival.attack.options.get("queries")
    if share is None:
        return f"how long {rival.title} was let search is not known"
    if share < 1:
        return f"{rival.title} searched {100 * share:.2g} % of its published limit"
    return "" if queries is None else f"{rival.title} was stopped at {queries} queries"


def _sign(own: CellResult, rival: CellResult) -> int:
    """Return who is ahead by more than chance: the generator (1), the rival (-1) or nobody.

    By 2 points and, where intervals are known, without an overlap: few pairs tell little.
    """
    gap = own.success_rate - rival.success_rate
    if abs(gap) < NEAR:
        return 0
    first, second = (own, rival) if gap > 0 else (rival, own)
    if first.success_interval and second.success_interval:
        overlap = first.success_interval[0] <= second.success_interval[1]
        return 0 if overlap else (1 if gap > 0 else -1)
    return 1 if gap > 0 else -1


def _all(signs: Sequence[int]) -> Verdict:
    """Support needs every comparison, contradiction too."""
    if all(sign > 0 for sign in signs):
        return "supports"
    return "contradicts" if all(sign < 0 for sign in signs) else "cannot say"


def _network(cell: CellResult) -> str:
    network = cell.attack.options.get("network")
    return f"{cell.title} ({network} network)" if network else cell.title


def _queries(cell: CellResult) -> str:
    return "" if cell.queries is None else f" after {cell.queries:,.0f} queries"


def more_quiet(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge whether the generator's perturbation is quieter than its rivals'.

    Under a hard budget all are as quiet as it asks, so nothing can be said.
    """
    duels = _of(setting)
    if isinstance(duels, Finding):
        return duels
    free = [pair for pair in duels if pair[0].budget.kind == "none"]
    reported = ", ".join(f"{one.attack} {one.snr_db:.2f} dB" for one in paper.baselines)
    reported = f"reported: generator {paper.proposed.snr_db:.2f} dB, {reported}"
    if not free:
        budgets = ", ".join(dict.fromkeys(str(own.budget) for own, _ in duels))
        return cannot_say(
            f"All attacks kept the same budget ({budgets}), so their SNR is that of the budget and "
            f"success is what differs ({reported})."
        )
    gaps = []
    parts = []
    for own, rival in free:
        mine, other = own.snr_db.mean, rival.snr_db.mean
        gap = 0.0 if mine is None or other is None else mine - other
        fails = gap < 0 and rival.success_rate < own.success_rate - FAILS
        gaps.append(0 if fails or abs(gap) < NEAR_DB else (1 if gap > 0 else -1))
        parts.append(
            f"{_network(own)} {number(mine, 2, 'dB')}, {rival.title} {number(other, 2, 'dB')}"
            + (f", which fails in {percent(1 - rival.success_rate, 1)} of the pairs" * fails)
        )
    return Finding(_all(gaps), f"{'; '.join(parts)} ({reported}).")


def much_faster(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge whether a clip costs the generator a small part of what it costs its rivals."""
    duels = _of(setting)
    if isinstance(duels, Finding):
        return duels
    timed = [(own, rival) for own, rival in duels if own.clip_ms and rival.clip_ms]
    if not timed:
        return cannot_say("The attacks were not timed.")
    ratios = [(rival.clip_ms or 0.0) / (own.clip_ms or 1.0) for own, rival in timed]
    parts = [
        f"{rival.title} {significant((rival.clip_ms or 0) / 1000)} s, {ratio:,.0f} times the "
        f"generator's {significant((own.clip_ms or 0) / 1000)} s"
        for (own, rival), ratio in zip(timed, ratios, strict=True)
    ]
    reported = ", ".join(
        f"{one.attack} {one.seconds / paper.proposed.seconds:,.0f}" for one in paper.baselines
    )
    text = f"{'; '.join(parts)} (reported, times: {reported}).{_gradients(setting)}"
    if all(ratio >= MUCH for ratio in ratios):
        return Finding("supports", text)
    return Finding("contradicts", text) if all(r < 1 for r in ratios) else cannot_say(text)


def _gradients(setting: Setting) -> str:
    """Add what a rival with gradients costs, which the paper did not compare with."""
    if isinstance(setting.comparison, Missing):
        return ""
    cells = setting.comparison.cells
    found = [c for c in cells if c.kind == "pgd" and c.clip_ms is not None]
    if not found:
        return ""
    best = max(found, key=lambda cell: cell.success_rate)
    return (
        f" Gradient search, which the paper leaves out though it assumes gradients, needs "
        f"{significant((best.clip_ms or 0) / 1000)} s and succeeds in "
        f"{percent(best.success_rate, 1)} at {best.budget}."
    )


def milliseconds(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge whether a clip takes as few milliseconds as reported, or twice as many.

    Another machine may be slower, which contradicts nothing, and a network of less than half of
    the paper's work is faster for that reason.
    """
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    time, goal = scores.cost.batch1_ms, 1000 * paper.proposed.seconds
    if time is None:
        return cannot_say("The time was not measured.")
    macs = scores.cost.macs
    work = "" if macs is None else f", with {percent(macs / GENERATOR_MACS, 1)} of the work a clip"
    text = (
        f"{measured_and_reported(time, goal, 'ms', 1)}, there on a {paper.proposed.device}, here "
        f"on the machine of this run{work}. {unlike(setting, scores)}"
    ).strip()
    if time > 2 * goal:
        return cannot_say(text)
    if macs is None:
        return cannot_say(f"{text} The work a clip was not counted.")
    if macs < LEAST_WORK * GENERATOR_MACS:
        return cannot_say(f"{text} So small a network says nothing of the paper's time.")
    return Finding("supports", text)


def quality(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge the averages of SNR and PESQ against the paper's own."""
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    goal = paper.proposed
    snr, pesq = scores.snr_db.mean, scores.pesq_nb.mean
    text = f"SNR {measured_and_reported(snr, goal.snr_db, 'dB', 2)}"
    if pesq is None or goal.pesq is None or snr is None:
        reason = scores.pesq_nb.reason or "no value"
        return cannot_say(f"{text}; PESQ was not measured: {reason}.")
    text += (
        f", PESQ {measured_and_reported(pesq, goal.pesq, '', 3)}. What is acceptable to a listener "
        "nobody was asked, there or here; the paper's own averages are the measure."
    )
    good = snr >= goal.snr_db - NEAR_DB and pesq >= goal.pesq - NEAR_PESQ
    return reached(setting, scores, good=good, worse_here=True, sentence=text)
