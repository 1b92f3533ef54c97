"""What a hardening achieved, in sentences that are decided by rules from the numbers alone."""

from __future__ import annotations

from collections.abc import Sequence

from mondegreen.report.formatting import duration
from mondegreen.report.hardening_results import Hardened, HardeningResults, Point, Rate

ROBUST_DB, ROBUST_GOAL = 30.0, 0.60
"""Where, and how much, accuracy an attacked classifier should keep."""

FOOLED_DB, FOOLED_SHARE = 25.0, 1 / 3
"""Where a generator should succeed less often, and at most how often of what it was."""

LOST = 0.03
"""How much clean accuracy may be lost."""

CLEARLY = (0.0, 0.01, 0.02, 0.03)
"""How far below the lower of two highest levels times are compared. That level is the highest of
many epochs on a few hundred clips, so it flatters, and what it passes first is chance; trainings
are called quicker and slower where they are so at each of these."""


def verdict(found: HardeningResults, one: Hardened) -> str:
    """Return what hardening did to one classifier: three goals, met or not, by the rates alone.

    Args:
        found: The measurement.
        one: One of its hardened classifiers.
    """
    before = found.before
    sentences = [
        _robust(before, one, found),
        _clean(before, one),
        *_fooled(found, one),
    ]
    if one.unreliable:
        failed = "; ".join(check.name for check in one.checks if not check.holds)
        sentences.append(f"Unreliable: its gradients may be masked, for this failed: {failed}.")
    return f"{one.name}: {' '.join(sentences)}"


def _robust(before: Hardened, one: Hardened, found: HardeningResults) -> str:
    db = ROBUST_DB if ROBUST_DB in found.ratios else found.check_db
    then, now = before.robust(db), one.robust(db)
    assert then is not None and now is not None, "load_hardening asks for them"
    steps = f"Under gradient search at {db:g} dB, {_points(now)} are still heard rightly"
    met = "meets" if now.value >= ROBUST_GOAL else "misses"
    return f"{steps} ({_points(then)} before), which {met} the goal of {100 * ROBUST_GOAL:.0f} %."


def _clean(before: Hardened, one: Hardened) -> str:
    lost = before.clean.value - one.clean.value
    met = "within" if lost <= LOST + 1e-9 else "more than"
    change = f"loses {100 * lost:.1f}" if lost >= 0.0 else f"gains {-100 * lost:.1f}"
    return f"Clean accuracy {change} points, {met} the {100 * LOST:.0f} that may be lost."


def _fooled(found: HardeningResults, one: Hardened) -> list[str]:
    then, now = found.before.success(FOOLED_DB, "generator"), one.success(FOOLED_DB, "generator")
    if then is None or now is None:
        return []
    rate = (
        f"A generator trained against it{_training(one)} reaches its target in {_points(now)} of "
        f"the pairs at {FOOLED_DB:g} dB ({_points(then)} before)"
    )
    if now.value > FOOLED_SHARE * then.value:
        return [f"{rate}, which misses the goal of a third."]
    longest = max((other.generator_epochs or 0 for other in found.after), default=0)
    if one.generator_epochs is None:
        return [f"{rate}. The goal of a third is not shown: how long that training was is unknown."]
    if one.generator_epochs < longest:
        return [
            f"{rate}. The goal of a third was not tested as hard as elsewhere, where a generator "
            f"was trained for {epochs(longest)}."
        ]
    return [f"{rate}, which meets the goal of a third."]


def _training(one: Hardened) -> str:
    """Return how long, and from where, the generator was trained that attacks a classifier."""
    count, start = one.generator_epochs, one.generator_start
    long = "" if count is None else f" for {epochs(count)}"
    return long if start is None else f"{long}, going on from {start},"


def epochs(count: int) -> str:
    """Return a number of epochs with its noun.

    Example:
        >>> epochs(1), epochs(20)
        ('1 epoch', '20 epochs')
    """
    return f"{count} epoch{'' if count == 1 else 's'}"


def cost(found: HardeningResults) -> list[str]:
    """Return what training took to become as robust: each method beside the first one.

    It is the processor time that both needed until they first reached, on validation clips, a
    level that both clearly passed: 3 points below the lower of their two highest. Where the order
    is another one at that level than at those above it, none is called quicker.
    """
    trained = [one for one in found.after if one.training is not None]
    return [line for other in trained[1:] for line in _compare(trained[0], other)]


def _compare(one: Hardened, other: Hardened) -> list[str]:
    first, second = one.training, other.training
    assert first is not None and second is not None, "only trained ones are compared"
    if first.select_db != second.select_db:
        return []
    highest = min(_highest(first.course), _highest(second.course))
    mine, theirs = (
        [reached([run.before, *run.course], highest - below) for below in CLEARLY]
        for run in (first, second)
    )
    level = f"{100 * (highest - CLEARLY[-1]):.1f} % under attack at {first.select_db:g} dB"
    orders = {(a > b) - (a < b) for a, b in zip(mine, theirs, strict=True)}
    if min(mine[-1], theirs[-1]) == 0.0:
        return []  # one of them was there before it was trained
    if len(orders) > 1 or 0 in orders:
        return [
            f"{level} on validation clips: whether {one.name} or {other.name} is quicker cannot be "
            f"told, for within {100 * CLEARLY[-1]:.0f} points above it the order changes."
        ]
    (fast, quick), (long, slow) = sorted([(mine[-1], one.name), (theirs[-1], other.name)])
    return [
        f"{level} on validation clips: {quick} after {duration(fast)} of processor time, {slow} "
        f"after {duration(long)}, {long / fast:.1f} times as long."
    ]


def reached(course: Sequence[Point], level: float) -> float:
    """Return the processor time after which a training had first reached a robust accuracy.

    Example:
        >>> reached([Point(5.0, 0.9, 0.2), Point(10.0, 0.9, 0.5)], 0.4)
        10.0
    """
    return next(point.cpu_seconds for point in course if point.robust >= level)


def _highest(course: Sequence[Point]) -> float:
    return max(point.robust for point in course)


def _points(rate: Rate) -> str:
    return f"{100 * rate.value:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
