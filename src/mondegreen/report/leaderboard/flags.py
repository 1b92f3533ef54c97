"""Which standings are unreliable: rules over numbers, with their reasons in words.

After RobustBench's flag of the same name (Croce et al. 2021, https://arxiv.org/abs/2010.09670) and
the checks of Carlini et al. 2019, On evaluating adversarial robustness
(https://arxiv.org/abs/1902.06705).
"""

from __future__ import annotations

from collections.abc import Sequence

from mondegreen.report.fields import Interval
from mondegreen.report.leaderboard.entry import DETECTOR, HARDENING, INPUT, Entry
from mondegreen.report.leaderboard.knowledge import KNOWING, KNOWLEDGE, WHITE_BOX
from mondegreen.report.leaderboard.measured import Measured, MeasuredRow
from mondegreen.report.leaderboard.threats import ThreatModel

FEWEST_PAIRS = 100
FEWEST_SPEAKERS = 10
AHEAD = 0.02
"""Success on the same pairs by which a less informed attacker may be ahead."""
WIDEST = 0.4
"""Width of a 95 % interval beyond which a worst case ranks nothing."""

UNEXPECTED = "no attack is known to expect this channel"

RULES = (
    "somebody reports another figure for the same attacker, and the two 95 % intervals do not meet",
    "a check for masked gradients failed or, of a hardened classifier, was not made",
    f"attackers who know less are ahead of those who know most, by more than {100 * AHEAD:.0f} "
    "points on the same pairs or beyond both intervals: gradients may be masked, or the attack "
    "that knows more is none",
    "nobody attacked who knows the classifier with its gradients and, where a channel or a "
    "detector stands before it, the defence",
    "no attack is known to expect the channel that the clips pass on their way",
    f"the worst case rests on fewer than {FEWEST_PAIRS} pairs or {FEWEST_SPEAKERS} speakers",
    f"its 95 % interval is wider than {100 * WIDEST:.0f} points",
)
"""When a standing is unreliable, in words: any one of these is enough."""


def reasons(
    entry: Entry, measured: Sequence[Measured], rows: Sequence[MeasuredRow], worst: MeasuredRow
) -> tuple[str, ...]:
    """Return why a standing is unreliable; nothing where no rule says so.

    Args:
        entry: The entry.
        measured: All of its measurements.
        rows: Its attacks on this board.
        worst: The one that reached most.
    """
    found = [
        *_disagreements(entry, rows),
        *_masked(entry, measured),
        *_nobody_knew(entry, rows),
        *(_weaker_reach_more(rows) if _expected(rows, worst.channel) else [UNEXPECTED]),
    ]
    if worst.pairs < FEWEST_PAIRS:
        found.append(f"{worst.pairs} pairs, fewer than {FEWEST_PAIRS}")
    if worst.groups < FEWEST_SPEAKERS:
        found.append(f"{worst.groups} speakers or tracks, fewer than {FEWEST_SPEAKERS}")
    low, high = worst.interval
    if high - low > WIDEST:
        found.append(f"an interval of {100 * (high - low):.0f} points")
    return tuple(found)


def meet(one: Interval, other: Interval) -> bool:
    """Tell whether two intervals have a point in common.

    Example:
        >>> meet((0.1, 0.3), (0.3, 0.5)), meet((0.1, 0.2), (0.3, 0.5))
        (True, False)
    """
    return one[0] <= other[1] and other[0] <= one[1]


def counterpart(threat: ThreatModel, rows: Sequence[MeasuredRow]) -> MeasuredRow | None:
    """Return the row that a reported figure is compared with; None where nothing was measured.

    That is the same attack, whatever its options, on the most pairs; or, where none is named or it
    was not measured, the strongest one of attackers who know no more than the threat model says.
    """
    place = (threat.goal, threat.budget, threat.channel)
    here = [row for row in rows if (row.goal, row.budget, row.channel) == place]
    names = [row for row in here if threat.attack in (row.attack, row.attack.partition(":")[0])]
    if threat.attack and names:
        return max(names, key=lambda row: (row.pairs, row.attack == threat.attack, row.success))
    most = KNOWLEDGE.index(threat.knowledge)
    able = [row for row in here if KNOWLEDGE.index(row.knowledge) <= most]
    return max(able, key=lambda row: row.success, default=None)


def _disagreements(entry: Entry, rows: Sequence[MeasuredRow]) -> list[str]:
    found = []
    for threat in entry.threats:
        row = counterpart(threat, rows)
        if threat.reported is None or row is None:
            continue
        if not meet(threat.reported.interval, row.robust_interval):
            said, low, high = threat.reported.robust, *row.robust_interval
            found.append(
                f"reported {100 * said:.1f} %, but measured {100 * row.robust:.1f} "
                f"[{100 * low:.0f}, {100 * high:.0f}] under {row.attack}"
            )
    return found


def _masked(entry: Entry, measured: Sequence[Measured]) -> list[str]:
    failed = dict.fromkeys(name for one in measured for name in one.failed_checks)
    found = [f"masked gradients? It failed that {name}" for name in failed]
    if entry.defence.kind == HARDENING and not any(one.checked for one in measured):
        found.append("nobody looked for masked gradients")
    return found


def _weaker_reach_more(rows: Sequence[MeasuredRow]) -> list[str]:
    """Compare the best-informed attackers, who could do what the others do, with the others."""
    most = max(KNOWLEDGE.index(row.knowledge) for row in rows)
    if KNOWLEDGE[most] not in (WHITE_BOX, KNOWING):
        return []  # that nobody knew enough is another reason
    knowing = [row for row in rows if row.knowledge == KNOWLEDGE[most]]
    others = [row for row in rows if row.knowledge != KNOWLEDGE[most]]
    if not others:
        return []
    best, rival = (max(one, key=lambda row: row.success) for one in (knowing, others))
    alike = (rival.file, rival.pairs) == (best.file, best.pairs)
    more = rival.success - best.success > AHEAD if alike else rival.interval[0] > best.interval[1]
    if not more:
        return []
    return [
        f"{rival.attack} ({rival.knowledge}) reaches "
        f"{100 * rival.success:.0f} %, {best.attack} ({best.knowledge}) {100 * best.success:.0f} %"
    ]


def _nobody_knew(entry: Entry, rows: Sequence[MeasuredRow]) -> list[str]:
    wanted = KNOWING if entry.defence.kind in (INPUT, DETECTOR) else WHITE_BOX
    most = max(KNOWLEDGE.index(row.knowledge) for row in rows)
    if most >= KNOWLEDGE.index(wanted):
        return []
    if wanted == KNOWING:
        return ["nobody who knows the defence attacked"]
    return [f"nobody attacked with gradients: {KNOWLEDGE[most]} at most"]


def _expected(rows: Sequence[MeasuredRow], channel: str) -> bool:
    """Tell whether an attack expects the channel that lies between, if there is one."""
    return not channel or any(row.settings.get("channel") == channel for row in rows)
